/**
 * What to write into a job's status, and which pods may lose their finalizer once it is written. Each end of a pod is
 * counted exactly once:
 *
 *   pod ended ──▶ its uid is noted in uncountedTerminatedPods ──▶ its finalizer goes ──▶ counted, the uid is dropped
 *
 * Each arrow is a write that can be repeated. Indexes need no note: the set of those that succeeded is its own.
 */
import type { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { JobCondition, JobStatus } from "../../api/schema/batch.v1.generated.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { COMPLETIONS_REACHED, type ConditionType, type Ending, withCondition } from "./conditions.ts";
import { Indexes } from "./indexes.ts";
import { hasFailed, hasSucceeded, isPodReady, isTracked, validIndex } from "./job-pods.ts";
import type { JobView } from "./job-view.ts";
import { judgeFailure } from "./pod-failure-policy.ts";

/** What was done with the pods at this look. */
export interface Done {
  created: number;
  removed: readonly Pod[];
}

export interface StatusPlan {
  status: JobStatus;
  /** Pods whose finalizer goes after the status is written. */
  release: readonly Pod[];
  /** What the pod failure policy made of pods that failed since; for figures. */
  actions: readonly string[];
  /** To be told once the status is written. */
  event?: { type: "Normal" | "Warning"; reason: string; message: string };
}

/** So many ends are noted at a time: the note stays under 20 KB, and no job holds up the others. */
const MOST_UNCOUNTED = 500;

export function planStatus(
  view: JobView,
  found: Ending | undefined,
  done: Done,
  now: number,
  managed: boolean,
): StatusPlan {
  const { job } = view;
  const gone = new Set(done.removed);
  const active = view.active.length + done.created - done.removed.length;
  const terminating = view.terminating + done.removed.length;
  const ready = view.active.filter((pod) => isPodReady(pod) && !gone.has(pod)).length;
  const ending = found ?? (isComplete(view, active) ? COMPLETIONS_REACHED : undefined);
  const tracked = track(view, ending, gone);
  const status: JobStatus = { ...job.status, ...tracked.counts, active, ready, terminating };
  if (active === 0) delete status.active;
  if (!view.spec.suspend) status.startTime ??= formatTime(now);
  const before = job.status?.conditions ?? [];
  let conditions: readonly JobCondition[] = before;
  let event: StatusPlan["event"];
  if (ending) {
    conditions = withCondition(conditions, { ...ending, status: "True" }, now);
    const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
    const waits = succeeded.length + failed.length + tracked.release.length + terminating > 0;
    if (!waits) ({ conditions, event } = finish(job, status, ending, conditions, now));
  } else if (managed) {
    ({ conditions, event } = suspendOrResume(job, status, conditions, now));
  }
  if (conditions.length > 0) status.conditions = [...conditions];
  return { status, release: tracked.release, actions: tracked.actions, event };
}

/** Without a number of completions, one success is enough once the others have ended. */
function isComplete({ spec, succeeded }: JobView, active: number): boolean {
  return active === 0 && (spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions);
}

type Told = { conditions: readonly JobCondition[]; event?: StatusPlan["event"] };

function finish(
  { spec }: Job,
  status: JobStatus,
  ending: Ending,
  conditions: readonly JobCondition[],
  now: number,
): Told {
  const { reason, message } = ending;
  const type: ConditionType = ending.type === "FailureTarget" ? "Failed" : "Complete";
  const last = withCondition(conditions, { type, status: "True", reason, message }, now);
  if (type === "Failed") return { conditions: last, event: { type: "Warning", reason, message } };
  status.completionTime = formatTime(now);
  if (spec?.completions !== undefined && (status.succeeded ?? 0) > spec.completions) {
    const text = "Too many succeeded pods running after completion count reached";
    return { conditions: last, event: { type: "Warning", reason: "TooManySucceededPods", message: text } };
  }
  return { conditions: last, event: { type: "Normal", reason: "Completed", message: "Job completed" } };
}

/** The time that a job may be active for begins anew whenever it is resumed. */
function suspendOrResume(
  { spec }: Job,
  status: JobStatus,
  before: readonly JobCondition[],
  now: number,
): Told {
  const suspended = spec?.suspend === true;
  const reason = suspended ? "JobSuspended" : "JobResumed";
  const message = suspended ? "Job suspended" : "Job resumed";
  const wanted = { type: "Suspended", status: suspended ? "True" : "False", reason, message } as const;
  const conditions = withCondition(before, wanted, now);
  if (suspended) delete status.startTime;
  if (conditions === before) return { conditions };
  if (!suspended) status.startTime = formatTime(now);
  return { conditions, event: { type: "Normal", reason: suspended ? "Suspended" : "Resumed", message } };
}

type Counts = Pick<
  JobStatus,
  "succeeded" | "failed" | "completedIndexes" | "failedIndexes" | "uncountedTerminatedPods"
>;

function track(
  view: JobView,
  ending: Ending | undefined,
  removed: ReadonlySet<Pod>,
): { counts: Counts; release: Pod[]; actions: string[] } {
  const { job, spec, indexed, uncounted, countedIndexes } = view;
  const held = new Set(view.pods.filter(isTracked).map(({ metadata }) => metadata.uid ?? ""));
  const succeeded = [...uncounted.succeeded].filter((uid) => held.has(uid));
  const failed = [...uncounted.failed].filter((uid) => held.has(uid));
  const newIndexes: number[] = [];
  const release: Pod[] = [];
  const actions: string[] = [];
  for (const pod of view.pods) {
    // What is removed without being counted is released as it is removed.
    if (!isTracked(pod) || (!ending && removed.has(pod)) || !mayRelease(view, pod, ending)) continue;
    const uid = pod.metadata.uid ?? "";
    const index = validIndex(pod, spec);
    release.push(pod);
    if (hasSucceeded(pod) && !uncounted.failed.has(uid)) {
      if (!indexed) {
        if (!uncounted.succeeded.has(uid)) succeeded.push(uid);
      } else if (index !== undefined && !countedIndexes.has(index)) newIndexes.push(index);
    } else if (hasFailed(pod, spec) || ending?.type === "FailureTarget") {
      if (uncounted.failed.has(uid) || (indexed && index === undefined)) continue;
      const { action, counts } = judgeFailure(spec.podFailurePolicy, pod);
      if (action !== undefined) actions.push(action);
      if (counts) failed.push(uid);
    }
    if (newIndexes.length + succeeded.length + failed.length >= MOST_UNCOUNTED) break;
  }
  const counts: Counts = {
    uncountedTerminatedPods: {
      ...(succeeded.length > 0 && { succeeded }),
      ...(failed.length > 0 && { failed }),
    },
  };
  const kept = (set: ReadonlySet<string>): number => [...set].filter((uid) => held.has(uid)).length;
  const { status = {} } = job;
  const all = countedIndexes.union(Indexes.of(newIndexes));
  counts.succeeded = indexed
    ? all.size
    : (status.succeeded ?? 0) + uncounted.succeeded.size - kept(uncounted.succeeded);
  counts.failed = (status.failed ?? 0) + uncounted.failed.size - kept(uncounted.failed);
  if (indexed) counts.completedIndexes = all.toString() || undefined;
  if (view.failedIndexes) counts.failedIndexes = view.failedIndexes.toString();
  counts.succeeded ||= undefined;
  counts.failed ||= undefined;
  return { counts, release, actions };
}

function mayRelease({ job, spec, replaced }: JobView, pod: Pod, ending: Ending | undefined): boolean {
  if (ending || job.metadata.deletionTimestamp !== undefined || hasSucceeded(pod)) return true;
  if (!hasFailed(pod, spec)) return false;
  const index = validIndex(pod, spec);
  return index === undefined || replaced.get(index) !== pod;
}
