/** Which pods nobody but the garbage collector will remove. */
import type { Node } from "../../api/core/node.ts";
import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/core/pods.ts";

const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

/** Whether an operator said of a node that is down that it stays so. */
export function isOutOfService({ spec, status }: Node): boolean {
  if (!spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE)) return false;
  return !status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
}

/** Whether all was done for the pod: a finalizer may hold it still. */
export function isSettled(pod: Pod): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && hasPodEnded(pod);
}

export function hasOrphans(pods: readonly Pod[]): boolean {
  return pods.some((pod) => !isSettled(pod));
}

/** Of pods that ended, those beyond `kept`: evicted ones first, then the oldest. */
export function surplus(ended: readonly Pod[], kept: number): Pod[] {
  if (ended.length <= kept) return [];
  return ended.toSorted(compare).slice(0, ended.length - kept);
}

function compare(a: Pod, b: Pod): number {
  return (
    Number(b.status?.reason === "Evicted") - Number(a.status?.reason === "Evicted") ||
    Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? "") ||
    ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1)
  );
}
