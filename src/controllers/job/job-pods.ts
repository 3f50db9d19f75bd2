/** What a job reads off its pods. Times are milliseconds since 1970. */
import { hasPodEnded, isPodActive, isPodReady, podCondition } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { JobSpec } from "../../api/schema/batch.v1.generated.ts";

/** On every pod of a job until its end is counted, so that no pod goes uncounted. */
export const TRACKING = "batch.kubernetes.io/job-tracking";
/** An annotation, and since 1.28 a label too. */
export const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";
/** How often the pods before this one failed at its index; failures that a policy ignores are counted apart. */
export const FAILURE_COUNT = "batch.kubernetes.io/job-index-failure-count";
export const IGNORED_FAILURE_COUNT = "batch.kubernetes.io/job-index-ignored-failure-count";

export function isTracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(TRACKING) ?? false;
}

function numberIn(pod: Pod, annotation: string): number | undefined {
  const text = pod.metadata.annotations?.[annotation];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  return Number.isInteger(value) && value >= 0 ? value : undefined;
}

export function completionIndex(pod: Pod): number | undefined {
  return numberIn(pod, COMPLETION_INDEX);
}

/** The pod's index where it is one of the job's; undefined of an indexed job's pod that does not count. */
export function validIndex(pod: Pod, { completions = 0 }: JobSpec): number | undefined {
  const index = completionIndex(pod);
  return index !== undefined && index < completions ? index : undefined;
}

export function failureCount(pod: Pod): number {
  return numberIn(pod, FAILURE_COUNT) ?? 0;
}

export function ignoredFailureCount(pod: Pod): number {
  return numberIn(pod, IGNORED_FAILURE_COUNT) ?? 0;
}

/** Whether a pod is replaced only once it has ended, not as soon as it is told to. */
export function replacesOnlyFailed(spec: JobSpec): boolean {
  return spec.podReplacementPolicy === "Failed" || spec.podFailurePolicy !== undefined;
}

export function hasSucceeded({ status }: Pod): boolean {
  return status?.phase === "Succeeded";
}

/** A pod that is deleted may never get to Failed: unless the job waits for that, it counts as failed at once. */
export function hasFailed(pod: Pod, spec: JobSpec): boolean {
  if (pod.status?.phase === "Failed") return true;
  if (replacesOnlyFailed(spec)) return false;
  return pod.metadata.deletionTimestamp !== undefined && !hasSucceeded(pod);
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined && !hasPodEnded(pod);
}

export { isPodActive, isPodReady };

export function finishedAt(pod: Pod): number {
  const { metadata } = pod;
  const ended = containersEndedAt(pod);
  if (ended !== undefined) return ended;
  const ready = podCondition(pod, "Ready");
  if (ready?.status === "False" && ready.lastTransitionTime) return Date.parse(ready.lastTransitionTime);
  if (metadata.deletionTimestamp) {
    return Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  }
  return Date.parse(metadata.creationTimestamp ?? "");
}

function containersEndedAt({ status }: Pod): number | undefined {
  let last: number | undefined;
  for (const { state } of status?.containerStatuses ?? []) {
    if (!state?.terminated?.finishedAt) return undefined;
    last = Math.max(last ?? 0, Date.parse(state.terminated.finishedAt));
  }
  return last;
}
