/** How pods and their places are written in messages, file names and the runtime's labels. */
import { posix } from "node:path";
import type { Pod } from "../../api/schema/core.v1.generated.ts";

/** `name_namespace(uid)`, as messages name a pod. */
export function podText({ metadata: { name, namespace, uid } }: Pod): string {
  return `${name}_${namespace}(${uid})`;
}

export function uidOf({ metadata: { uid = "" } }: Pod): string {
  return uid;
}

/** Where a pod's log files are: a folder for each container in it. */
export function podLogDirectory(root: string, { metadata: { name, namespace, uid } }: Pod): string {
  return posix.join(root, `${namespace}_${name}_${uid}`);
}

export function podDirectory(root: string, uid: string): string {
  return posix.join(root, "pods", uid);
}

/** The priority from which pods hold the node or the cluster together: system-cluster-critical. */
const CRITICAL = 2_000_000_000;

/** Whether the node itself depends on it: it is admitted before others and killed after them. */
export function isCriticalPod({ metadata, spec }: Pod): boolean {
  const { annotations = {} } = metadata;
  const isStatic = Object.hasOwn(annotations, "kubernetes.io/config.source")
    ? annotations["kubernetes.io/config.source"] !== "api"
    : false;
  return (
    isStatic || Object.hasOwn(annotations, "kubernetes.io/config.mirror") || (spec?.priority ?? 0) >= CRITICAL
  );
}
