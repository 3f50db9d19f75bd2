/** A pod that a file of the node wants, whatever the API says of it. */
import { createHash } from "node:crypto";
import { Pod } from "../../api/core/pod/pod.ts";
import { validatePodCreate } from "../../api/core/pod/validate-pod.ts";
import type { Pod as PodObject } from "../../api/schema/core.v1.generated.ts";
import { schemas } from "../../api/schema/schemas.ts";
import { decodeObject } from "../../machinery/schema/codec.ts";

export const CONFIG_HASH = "kubernetes.io/config.hash";
export const CONFIG_MIRROR = "kubernetes.io/config.mirror";
export const CONFIG_SOURCE = "kubernetes.io/config.source";
export const CONFIG_SEEN = "kubernetes.io/config.seen";

export function isMirrorPod({ metadata: { annotations } }: PodObject): boolean {
  return annotations !== undefined && Object.hasOwn(annotations, CONFIG_MIRROR);
}

export function isStaticPod({ metadata: { annotations } }: PodObject): boolean {
  if (!annotations || !Object.hasOwn(annotations, CONFIG_SOURCE)) return false;
  return annotations[CONFIG_SOURCE] !== "api";
}

/** Throws where the file is no pod, or not a valid one. `seen`: RFC 3339. */
export function readStaticPod(body: Uint8Array, path: string, nodeName: string, seen: string): PodObject {
  const decoded = decodeObject(schemas, "core.v1.Pod", body, "yaml", { strict: false });
  if (decoded.apiVersion !== "v1" || decoded.kind !== "Pod") {
    throw new Error(`${path} has ${decoded.apiVersion} ${decoded.kind}, not v1 Pod`);
  }
  const pod = decoded.object as unknown as PodObject;
  pod.metadata ??= {};
  const { metadata } = pod;
  if (!metadata.name) throw new Error(`${path}: the pod has no name`);
  metadata.uid ||= createHash("md5")
    .update(nodeName)
    .update("\0")
    .update(path)
    .update("\0")
    .update(body)
    .digest("hex");
  metadata.name = `${metadata.name}-${nodeName}`.toLowerCase();
  metadata.namespace ||= "default";
  metadata.annotations = {
    ...metadata.annotations,
    [CONFIG_SOURCE]: "file",
    [CONFIG_HASH]: metadata.uid,
    [CONFIG_SEEN]: seen,
  };
  delete metadata.generateName;
  if (!pod.spec) throw new Error(`${path}: the pod has no spec`);
  pod.spec.nodeName = nodeName;
  // What a node runs by itself is not driven away from it.
  const always = { operator: "Exists", effect: "NoExecute" };
  pod.spec.tolerations = [...(pod.spec.tolerations ?? []), always];
  Pod.defaults?.(pod);
  const [wrong] = validatePodCreate(pod);
  if (wrong) throw new Error(`${path}: ${wrong.field}: ${wrong.body}`);
  pod.status = { phase: "Pending" };
  return pod;
}

/** What stands for the static pod in the API. */
export function mirrorOf({ metadata, spec }: PodObject, node: { name: string; uid: string }): PodObject {
  const { name, namespace, labels, annotations = {} } = metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [CONFIG_MIRROR]: annotations[CONFIG_HASH] ?? "" },
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: node.name, uid: node.uid, controller: true }],
    },
    ...(spec ? { spec } : {}),
  };
}

/** Whether the mirror is of this very pod, and not on its way out. */
export function isMirrorOf(mirror: PodObject, { metadata }: PodObject): boolean {
  const hash = metadata.annotations?.[CONFIG_HASH];
  return (
    mirror.metadata.annotations?.[CONFIG_MIRROR] === hash && mirror.metadata.deletionTimestamp === undefined
  );
}
