/** The kind Pod. */

import { isBelow } from "../../../machinery/json/exact-integer.ts";
import { nameIsDNSSubdomain } from "../../../machinery/names/names.ts";
import type { ConnectSubresource, Resource, UpdateSubresource } from "../../resource.ts";
import { defineResource } from "../../resource.ts";
import type { Container, Pod as PodObject, PodSpec } from "../../schema/core.v1.generated.ts";
import { take } from "../take.ts";
import { bindingSubresource } from "./binding.ts";
import { podColumns } from "./columns.ts";
import { setPodDefaults } from "./defaults.ts";
import { evictionSubresource } from "./eviction.ts";
import { mergeLabelKeys } from "./merge-label-keys.ts";
import { qosClassOf } from "./qos.ts";
import { validatePodCreate } from "./validate-pod.ts";
import { validateEphemeralUpdate, validateResize } from "./validate-resize.ts";
import { validatePodStatusUpdate } from "./validate-status.ts";
import { validatePodUpdate } from "./validate-update.ts";
import { podWarnings } from "./warnings.ts";

const VERBS = ["get", "patch", "update"] as const;

const status: UpdateSubresource<PodObject> = {
  acts: "update",
  verbs: VERBS,
  prepare(pod, old) {
    take(pod, old, "spec");
    // A controller could otherwise take the deletion of a pod back, or its owner away, through status.
    take(pod.metadata, old.metadata, "deletionTimestamp");
    take(pod.metadata, old.metadata, "ownerReferences");
    pod.status ??= {};
    pod.status.qosClass ||= old.status?.qosClass;
  },
  validate: validatePodStatusUpdate,
  resets: ["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"],
};

const ephemeralContainers: UpdateSubresource<PodObject> = {
  acts: "update",
  verbs: VERBS,
  prepare(pod, old) {
    const wanted = pod.spec?.ephemeralContainers;
    Object.assign(pod, { ...old, metadata: pod.metadata });
    take(pod.metadata, old.metadata, "labels");
    take(pod.metadata, old.metadata, "annotations");
    pod.spec = { ...(old.spec as PodSpec), ephemeralContainers: wanted };
  },
  validate: validateEphemeralUpdate,
  resets: ["status"],
};

const resize: UpdateSubresource<PodObject> = {
  acts: "update",
  verbs: VERBS,
  prepare(pod, old) {
    const { spec } = pod;
    Object.assign(pod, { ...old, metadata: pod.metadata });
    take(pod.metadata, old.metadata, "labels");
    take(pod.metadata, old.metadata, "annotations");
    const before = old.spec as PodSpec;
    pod.spec = {
      ...before,
      containers: withResources(before.containers, spec?.containers) ?? [],
      ...(before.initContainers && {
        initContainers: withResources(before.initContainers, spec?.initContainers),
      }),
      ...(spec?.resources && { resources: spec.resources }),
    };
  },
  validate: validateResize,
  resets: ["status", "metadata"],
};

/** The old containers with the resources and resize policies that the new ones of the same names ask for. */
function withResources(old: readonly Container[], now: readonly Container[] | undefined): Container[] {
  return old.map((container) => {
    const asked = now?.find(({ name }) => name === container.name);
    if (!asked) return container;
    const resources = asked.resources && {
      ...asked.resources,
      ...(asked.resources.limits && {
        requests: { ...asked.resources.limits, ...asked.resources.requests },
      }),
    };
    return { ...container, resources, resizePolicy: asked.resizePolicy };
  });
}

/** Nobody else would tell why such a pod stays without a node: the scheduler does not look at it. */
const GATED = {
  type: "PodScheduled",
  status: "False",
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates",
};

function connect(kind: string, verbs: ConnectSubresource["verbs"], takesPath?: true): ConnectSubresource {
  return takesPath ? { acts: "connect", verbs, kind, takesPath } : { acts: "connect", verbs, kind };
}

export type Pod = PodObject;

export const Pod: Resource<PodObject> = defineResource<PodObject>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  scope: "Namespaced",
  shortNames: ["po"],
  categories: ["all"],
  definition: "core.v1.Pod",
  validateName: nameIsDNSSubdomain,
  defaults: setPodDefaults,
  prepareForCreate(pod) {
    // Admission may have given the account, under its new name only.
    if (pod.spec?.serviceAccountName) pod.spec.serviceAccount = pod.spec.serviceAccountName;
    mergeLabelKeys(pod);
    pod.status = { phase: "Pending", qosClass: qosClassOf(pod.spec ?? { containers: [] }) };
    if (pod.spec?.schedulingGates?.length) pod.status.conditions = [{ ...GATED }];
  },
  prepareForUpdate(pod, old) {
    take(pod, old, "status");
  },
  validate: validatePodCreate,
  validateUpdate: validatePodUpdate,
  validatesAll: true,
  warnings: podWarnings,
  generationOf: withoutNode,
  gracePeriod: gracePeriodOf,
  returnsDeletedObject: true,
  resets: ["status"],
  subresources: {
    attach: connect("PodAttachOptions", ["create", "get"]),
    binding: bindingSubresource(() => Pod),
    ephemeralcontainers: ephemeralContainers,
    eviction: evictionSubresource(() => Pod),
    exec: connect("PodExecOptions", ["create", "get"]),
    log: connect("Pod", ["get"]),
    portforward: connect("PodPortForwardOptions", ["create", "get"]),
    proxy: connect("PodProxyOptions", ["create", "delete", "get", "patch", "update"], true),
    resize,
    status,
  },
  columns: podColumns,
  fields: {
    "spec.nodeName": ({ spec }) => spec?.nodeName ?? "",
    "spec.restartPolicy": ({ spec }) => spec?.restartPolicy ?? "",
    "spec.schedulerName": ({ spec }) => spec?.schedulerName ?? "",
    "spec.serviceAccountName": ({ spec }) => spec?.serviceAccountName ?? "",
    "spec.hostNetwork": ({ spec }) => String(spec?.hostNetwork ?? false),
    "status.phase": ({ status }) => status?.phase ?? "",
    "status.podIP": ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? "",
    "status.nominatedNodeName": ({ status }) => status?.nominatedNodeName ?? "",
  },
});

/** Being bound to a node is no new wish of the user's. */
function withoutNode({ spec }: PodObject): unknown {
  if (spec?.nodeName === undefined) return spec;
  const { nodeName: _, ...wish } = spec;
  return wish;
}

/** What nobody runs goes at once: a pod without a node, or one that has ended. Else the pod's own grace period. */
export function gracePeriodOf({ spec, status }: PodObject, asked: number | undefined): number {
  if (!spec?.nodeName || status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
  const period = asked ?? spec.terminationGracePeriodSeconds ?? 30;
  // A negative period was once taken for "one second".
  return isBelow(period, 0) ? 1 : period;
}
