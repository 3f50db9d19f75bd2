/** What controllers, scheduler and kubelet read off a pod's status. Times are milliseconds since 1970. */
import type { Pod, PodCondition } from "../../schema/core.v1.generated.ts";

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

/** Whether it will never run again. */
export function hasPodEnded({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** Whether it counts for its controller: not ended, and not on its way out. */
export function isPodActive(pod: Pod): boolean {
  return !hasPodEnded(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** When it will have been ready for `minReadySeconds`; undefined while it is not ready. */
export function podAvailableAt(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return undefined;
  if (minReadySeconds === 0) return 0;
  return ready.lastTransitionTime ? Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 : undefined;
}

export function isPodAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  const at = podAvailableAt(pod, minReadySeconds);
  return at !== undefined && at <= now;
}
