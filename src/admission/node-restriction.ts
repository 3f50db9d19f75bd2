/**
 * A kubelet changes its own node and the pods bound to it, and nothing else: a node that was taken over must not take
 * others with it.
 */
import { Pod } from "../api/core/pod/pod.ts";
import type { KubeObject } from "../api/object.ts";
import type { Ports } from "../api/ports.ts";
import type { NodeSpec, PodSpec } from "../api/schema/core.v1.generated.ts";
import { deepEqual } from "../machinery/json/equal.ts";
import { type AdmissionRequest, defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

const MIRROR = "kubernetes.io/config.mirror";

/** Labels in Kubernetes' own domains that a kubelet may set of its node. */
const OWN_LABELS = new Set([
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.kubernetes.io/region",
  "failure-domain.kubernetes.io/zone",
  "kubernetes.io/arch",
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
]);
const OWN_DOMAINS = ["kubelet.kubernetes.io", "node.kubernetes.io"];

export const nodeRestriction = defineAdmission({
  name: "NodeRestriction",
  summary: "Keeps kubelets to their own node and its pods.",
  on: [
    ["pods", ["CREATE", "UPDATE", "DELETE"]],
    ["pods/status", ["UPDATE"]],
    ["pods/eviction", ["CREATE"]],
    ["nodes", ["CREATE", "UPDATE", "DELETE"]],
    ["nodes/status", ["UPDATE"]],
    ["persistentvolumeclaims/status", ["UPDATE"]],
    ["serviceaccounts/token", ["CREATE"]],
    ["leases.coordination.k8s.io", ["CREATE", "UPDATE", "DELETE"]],
    ["csinodes.storage.k8s.io", ["CREATE", "UPDATE", "DELETE"]],
  ],
  start: (ports) => ({
    validate(request) {
      const node = nodeOf(request);
      if (node === undefined) return;
      switch (request.resource.plural) {
        case "pods":
          return checkPod(request, node, ports);
        case "nodes":
          return checkNode(request, node);
        case "persistentvolumeclaims":
          return checkClaim(request, node);
        case "serviceaccounts":
          return checkToken(request, node, ports);
        default:
          return checkOwnObject(request, node);
      }
    },
  }),
});

/** The node that asks; "" for one that does not say which; undefined for anybody else. */
function nodeOf({ user }: AdmissionRequest): string | undefined {
  if (!user.groups.includes("system:nodes")) return undefined;
  return user.name.startsWith("system:node:") ? user.name.slice("system:node:".length) : undefined;
}

function no(request: AdmissionRequest, node: string, why: string): Error {
  return refused(request, `node ${JSON.stringify(node)} ${why}`);
}

type PodObject = KubeObject & { spec?: PodSpec };

function checkPod(request: AdmissionRequest, node: string, { reader }: Ports): void {
  const { operation, subresource, namespace, name, old, object } = request;
  if (subresource === "eviction") {
    const pod = reader.get(Pod, namespace, name) as PodObject | undefined;
    if (pod?.spec?.nodeName !== node)
      throw no(request, node, "can only evict pods with spec.nodeName set to itself");
  } else if (subresource === "status") {
    if ((old as PodObject).spec?.nodeName !== node) {
      throw no(request, node, "can only update pod status for pods with spec.nodeName set to itself");
    }
    if (!deepEqual(old?.metadata.labels ?? {}, object?.metadata.labels ?? {})) {
      throw no(request, node, "cannot update labels through pod status");
    }
  } else if (operation === "CREATE") checkMirrorPod(request, node);
  else if (operation === "DELETE") {
    if ((old as PodObject).spec?.nodeName !== node) {
      throw no(request, node, "can only delete pods with spec.nodeName set to itself");
    }
  } else
    throw refused(
      request,
      `unexpected operation "UPDATE", node ${JSON.stringify(node)} can only create and delete mirror pods`,
    );
}

function checkMirrorPod(request: AdmissionRequest, node: string): void {
  const { metadata, spec } = request.object as PodObject;
  if (metadata.annotations?.[MIRROR] === undefined) {
    throw refused(
      request,
      `pod does not have ${JSON.stringify(MIRROR)} annotation, node ${JSON.stringify(node)} can only create mirror pods`,
    );
  }
  if (spec?.nodeName !== node)
    throw no(request, node, "can only create pods with spec.nodeName set to itself");
  const owners = metadata.ownerReferences ?? [];
  if (owners.length !== 1) {
    throw no(request, node, "can only create pods with an owner reference set to itself");
  }
  const [owner] = owners;
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) {
    throw no(request, node, "can only create pods with an owner reference set to itself");
  }
  if (owner.controller !== true || owner.blockOwnerDeletion === true) {
    throw no(request, node, "must not set blockOwnerDeletion and must set controller on its owner reference");
  }
  if (spec.serviceAccountName)
    throw no(request, node, "can not create pods that reference a service account");
  const referred = referenceIn(spec);
  if (referred) throw no(request, node, `can not create pods that reference ${referred}`);
}

/** Whatever of the API server's a pod could bring a kubelet to. */
function referenceIn(spec: PodSpec): string | undefined {
  if (spec.imagePullSecrets?.length) return "secrets";
  if (spec.resourceClaims?.length) return "resourceclaims";
  for (const volume of spec.volumes ?? []) {
    if (volume.secret) return "secrets";
    if (volume.configMap) return "configmaps";
    if (volume.persistentVolumeClaim || volume.ephemeral) return "persistentvolumeclaims";
    for (const source of volume.projected?.sources ?? []) {
      if (source.secret) return "secrets";
      if (source.configMap) return "configmaps";
      if (source.serviceAccountToken) return "a service account";
      if (source.clusterTrustBundle) return "clustertrustbundles";
    }
    const { name: _, ...sources } = volume;
    for (const source of Object.values(sources) as Record<string, unknown>[]) {
      if (source?.secretRef ?? source?.nodePublishSecretRef ?? source?.secretName) return "secrets";
    }
  }
  for (const list of [spec.initContainers, spec.containers, spec.ephemeralContainers]) {
    for (const { env, envFrom } of list ?? []) {
      for (const { valueFrom } of env ?? []) {
        if (valueFrom?.secretKeyRef) return "secrets";
        if (valueFrom?.configMapKeyRef) return "configmaps";
      }
      for (const { secretRef, configMapRef } of envFrom ?? []) {
        if (secretRef) return "secrets";
        if (configMapRef) return "configmaps";
      }
    }
  }
  return undefined;
}

type NodeObject = KubeObject & { spec?: NodeSpec };

function checkNode(request: AdmissionRequest, node: string): void {
  const object = request.object as NodeObject | undefined;
  const old = request.old as NodeObject | undefined;
  const asked = request.name !== "" ? request.name : (object?.metadata.name ?? "");
  if (asked !== node) throw no(request, node, `is not allowed to modify node ${JSON.stringify(asked)}`);
  if (request.operation === "DELETE" || !object) return;
  if (request.operation === "CREATE") {
    if (object.spec?.configSource)
      throw no(request, node, "is not allowed to create pods with a non-nil configSource");
    checkLabels(request, "set the following labels", undefined, object);
    if (object.metadata.ownerReferences?.length)
      throw no(request, node, "is not allowed to set ownerReferences");
    return;
  }
  if (!deepEqual(object.spec?.taints ?? [], old?.spec?.taints ?? [])) {
    throw no(request, node, "is not allowed to modify taints");
  }
  if (object.spec?.configSource && !deepEqual(object.spec.configSource, old?.spec?.configSource)) {
    throw no(request, node, "is not allowed to update configSource to a new non-nil configSource");
  }
  if (!deepEqual(object.metadata.ownerReferences ?? [], old?.metadata.ownerReferences ?? [])) {
    throw no(request, node, "is not allowed to modify ownerReferences");
  }
  checkLabels(request, "modify labels", old, object);
}

function checkLabels(
  request: AdmissionRequest,
  verb: "set the following labels" | "modify labels",
  old: KubeObject | undefined,
  object: KubeObject,
): void {
  const was = new Map(Object.entries(old?.metadata.labels ?? {}));
  const now = new Map(Object.entries(object.metadata.labels ?? {}));
  const changed = [...new Set([...was.keys(), ...now.keys()])].filter(
    (key) => was.get(key) !== now.get(key) && !isOwnLabel(key),
  );
  if (changed.length > 0) {
    throw refused(request, `is not allowed to ${verb}: ${changed.sort().join(", ")}`);
  }
}

function isOwnLabel(key: string): boolean {
  const slash = key.indexOf("/");
  if (slash < 0) return true;
  const domain = key.slice(0, slash);
  const inside = (parent: string) => domain === parent || domain.endsWith(`.${parent}`);
  if (!inside("kubernetes.io") && !inside("k8s.io")) return true;
  return OWN_LABELS.has(key) || OWN_DOMAINS.some(inside);
}

function checkClaim(request: AdmissionRequest, node: string): void {
  const metadata = (request.object?.metadata ?? {}) as Record<string, unknown>;
  const plain = (object: KubeObject | undefined) => (object as { spec?: unknown } | undefined)?.spec;
  const old = (request.old?.metadata ?? {}) as Record<string, unknown>;
  const same = ["labels", "annotations", "ownerReferences", "finalizers"].every((key) =>
    deepEqual(metadata[key] ?? null, old[key] ?? null),
  );
  if (same && deepEqual(plain(request.object), plain(request.old))) return;
  throw no(request, node, "is not allowed to update fields other than status");
}

/** Tokens only for pods on the node, and bound to them. */
function checkToken(request: AdmissionRequest, node: string, { reader }: Ports): void {
  const { spec } = request.object as { spec?: { boundObjectRef?: Record<string, string> } };
  const bound = spec?.boundObjectRef;
  if (bound?.apiVersion !== "v1" || bound.kind !== "Pod" || !bound.name) {
    throw no(request, node, "requested token not bound to a pod");
  }
  if (!bound.uid) throw no(request, node, "requested token with a pod binding without a uid");
  const pod = reader.get(Pod, request.namespace, bound.name) as PodObject | undefined;
  if (!pod) throw refused(request, `pod ${JSON.stringify(bound.name)} not found`);
  if (pod.metadata.uid !== bound.uid) {
    throw refused(
      request,
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec?.nodeName !== node)
    throw no(request, node, "requested token bound to a pod scheduled on a different node");
  if (pod.spec.serviceAccountName !== request.name) {
    throw no(request, node, "requested token for a service account that the pod does not run as");
  }
}

/** A lease or CSINode bears the node's name. */
function checkOwnObject(request: AdmissionRequest, node: string): void {
  const { resource, namespace, name, object } = request;
  if (resource.plural === "leases" && namespace !== "kube-node-lease") {
    throw refused(request, `can only access leases in the "kube-node-lease" system namespace`);
  }
  const asked = name !== "" ? name : (object?.metadata.name ?? "");
  if (asked === node) return;
  const what = resource.plural === "leases" ? "lease" : "CSINode";
  throw refused(request, `can only access ${what} with the same name as the requesting node`);
}
