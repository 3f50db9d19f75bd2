/** Everything that is decided on about a job, read once off the job and its pods. */
import type { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { JobSpec } from "../../api/schema/batch.v1.generated.ts";
import { type Backoff, backoffAfter } from "./backoff.ts";
import { Indexes } from "./indexes.ts";
import {
  failureCount,
  finishedAt,
  hasFailed,
  hasSucceeded,
  ignoredFailureCount,
  isPodActive,
  isTerminating,
  isTracked,
  validIndex,
} from "./job-pods.ts";
import { judgeFailure } from "./pod-failure-policy.ts";

export interface JobView {
  job: Job;
  spec: JobSpec;
  /** All of the job's. */
  pods: readonly Pod[];
  active: readonly Pod[];
  terminating: number;
  indexed: boolean;
  /** Pods whose end is noted in the status, and who still wait for their finalizer to go. */
  uncounted: { succeeded: ReadonlySet<string>; failed: ReadonlySet<string> };
  /** Counted, noted and new. Of an indexed job: the indexes that succeeded. */
  succeeded: number;
  /** Counted, noted and new, without those that a policy ignores. */
  failed: number;
  /** Those that the status tells of. */
  countedIndexes: Indexes;
  succeededIndexes: Indexes;
  /** Of jobs with a limit for each index. */
  failedIndexes: Indexes | undefined;
  /** The last failed pod of each index that is to be tried again: it tells how often that failed, so it has to stay. */
  replaced: ReadonlyMap<number, Pod>;
  backoff: Backoff;
}

export function lookAt(job: Job, pods: readonly Pod[], backoffBefore: Backoff | undefined): JobView {
  const spec = job.spec!;
  const status = job.status ?? {};
  const indexed = spec.completionMode === "Indexed";
  const uncounted = {
    succeeded: new Set(status.uncountedTerminatedPods?.succeeded),
    failed: new Set(status.uncountedTerminatedPods?.failed),
  };
  const active = pods.filter(isPodActive);
  const isNew = (pod: Pod, noted: ReadonlySet<string>): boolean =>
    isTracked(pod) && !noted.has(pod.metadata.uid ?? "") && (!indexed || validIndex(pod, spec) !== undefined);
  const succeeded = pods.filter((pod) => hasSucceeded(pod) && isNew(pod, uncounted.succeeded));
  const failed = pods.filter((pod) => hasFailed(pod, spec) && isNew(pod, uncounted.failed));
  const counting = failed.filter((pod) => judgeFailure(spec.podFailurePolicy, pod).counts);
  // Where nothing is remembered, what the pods that are left tell is the best there is.
  const backoff = backoffBefore
    ? backoffAfter(backoffBefore, succeeded, failed)
    : backoffAfter(
        undefined,
        pods.filter(hasSucceeded),
        pods.filter((pod) => hasFailed(pod, spec)),
      );
  const countedIndexes = indexed
    ? Indexes.parse(status.completedIndexes, spec.completions ?? 0)
    : Indexes.none;
  const succeededIndexes = countedIndexes.union(indexesOf(succeeded, spec));
  const failedIndexes = indexed ? failedIndexesOf(job, pods) : undefined;
  return {
    job,
    spec,
    pods,
    active,
    terminating: pods.filter(isTerminating).length,
    indexed,
    uncounted,
    succeeded: indexed
      ? succeededIndexes.size
      : (status.succeeded ?? 0) + uncounted.succeeded.size + succeeded.length,
    failed: (status.failed ?? 0) + uncounted.failed.size + counting.length,
    countedIndexes,
    succeededIndexes,
    failedIndexes,
    replaced: failedIndexes
      ? replacedPods(pods, active, spec, succeededIndexes.union(failedIndexes))
      : new Map(),
    backoff,
  };
}

export function indexesOf(pods: readonly Pod[], spec: JobSpec): Indexes {
  if (spec.completionMode !== "Indexed" || pods.length === 0) return Indexes.none;
  return Indexes.of(pods.map((pod) => validIndex(pod, spec)).filter((index) => index !== undefined));
}

function failedIndexesOf({ spec, status }: Job, pods: readonly Pod[]): Indexes | undefined {
  const limit = spec?.backoffLimitPerIndex;
  if (!spec || limit === undefined) return undefined;
  const gaveUp = (pod: Pod): boolean => {
    if (!isTracked(pod) || !hasFailed(pod, spec)) return false;
    const { action, counts } = judgeFailure(spec.podFailurePolicy, pod);
    return action === "FailIndex" || (counts && failureCount(pod) >= limit);
  };
  const before = Indexes.parse(status?.failedIndexes, spec.completions ?? 0);
  return before.union(indexesOf(pods.filter(gaveUp), spec));
}

function replacedPods(
  pods: readonly Pod[],
  active: readonly Pod[],
  spec: JobSpec,
  settled: Indexes,
): Map<number, Pod> {
  const running = indexesOf(active, spec);
  const last = new Map<number, Pod>();
  for (const pod of pods) {
    const index = validIndex(pod, spec);
    if (index === undefined || !isTracked(pod) || !hasFailed(pod, spec)) continue;
    // The pod that runs in its place tells how often it failed.
    if (running.has(index) || settled.has(index)) continue;
    const known = last.get(index);
    if (!known || isAfter(pod, known)) last.set(index, pod);
  }
  return last;
}

function isAfter(pod: Pod, other: Pod): boolean {
  return allFailures(pod) >= allFailures(other) && finishedAt(pod) >= finishedAt(other);
}

/** How often the index failed before this pod, ignored or not. */
export function allFailures(pod: Pod): number {
  return failureCount(pod) + ignoredFailureCount(pod);
}
