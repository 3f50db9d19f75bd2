/** A DaemonSet's pod: pinned to one node by name, and bearing what befalls nodes. */
import type { DaemonSet } from "../../api/schema/apps.v1.generated.ts";
import type {
  Affinity,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Toleration,
} from "../../api/schema/core.v1.generated.ts";
import { REVISION_HASH_LABEL } from "../workloads/history/revision.ts";
import { podFromTemplate } from "../workloads/pod-from-template.ts";

const NODE_NAME_FIELD = "metadata.name";
const GENERATION_ANNOTATION = "deprecated.daemonset.template.generation";
const GENERATION_LABEL = "pod-template-generation";

/** A node that fails keeps its daemons: they are what may be mending it. */
const BORNE: readonly (readonly [key: string, effect: string])[] = [
  ["node.kubernetes.io/not-ready", "NoExecute"],
  ["node.kubernetes.io/unreachable", "NoExecute"],
  ["node.kubernetes.io/disk-pressure", "NoSchedule"],
  ["node.kubernetes.io/memory-pressure", "NoSchedule"],
  ["node.kubernetes.io/pid-pressure", "NoSchedule"],
  ["node.kubernetes.io/unschedulable", "NoSchedule"],
];

/** The template's own of the same taint are replaced, as those that bear it for a while. */
export function daemonTolerations(spec: PodSpec): Toleration[] {
  const borne = spec.hostNetwork
    ? [...BORNE, ["node.kubernetes.io/network-unavailable", "NoSchedule"] as const]
    : BORNE;
  const all = [...(spec.tolerations ?? [])];
  for (const [key, effect] of borne) {
    const toleration = { key, operator: "Exists", effect };
    let found = false;
    for (const [i, own] of all.entries()) {
      if (own.key !== key || own.effect !== effect || own.operator !== "Exists" || own.value) continue;
      all[i] = toleration;
      found = true;
    }
    if (!found) all.push(toleration);
  }
  return all;
}

/** Makes the pods of one revision, node by node. */
export function daemonPods(
  set: DaemonSet,
  hash: string,
): (node: string) => ReturnType<typeof podFromTemplate> {
  const template = set.spec!.template;
  const generation = set.metadata.annotations?.[GENERATION_ANNOTATION];
  const labels = {
    ...template.metadata?.labels,
    ...(generation !== undefined && { [GENERATION_LABEL]: generation }),
    [REVISION_HASH_LABEL]: hash,
  };
  const spec = { ...template.spec!, tolerations: daemonTolerations(template.spec!) };
  return (node) => {
    const affinity = pinnedTo(node, template.spec?.affinity);
    const pinned: PodTemplateSpec = {
      metadata: { ...template.metadata, labels },
      spec: { ...spec, affinity },
    };
    return podFromTemplate(pinned, set);
  };
}

/** What the template required of nodes was asked of this one already, and gives way to its name. */
function pinnedTo(node: string, affinity: Affinity | undefined): Affinity {
  const matchFields = [{ key: NODE_NAME_FIELD, operator: "In", values: [node] }];
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms: [{ matchFields }] };
  return {
    ...affinity,
    nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution },
  };
}

/** The node that a pod is on, or pinned to; undefined where it is neither. */
export function targetNode({ spec }: Pod): string | undefined {
  if (spec?.nodeName) return spec.nodeName;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields } of required?.nodeSelectorTerms ?? []) {
    for (const { key, operator, values } of matchFields ?? []) {
      if (key === NODE_NAME_FIELD && operator === "In" && values?.length === 1) return values[0];
    }
  }
  return undefined;
}

export function hashOfPod({ metadata }: Pod): string | undefined {
  return metadata.labels?.[REVISION_HASH_LABEL];
}
