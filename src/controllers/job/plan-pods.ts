/** Which pods of a job to make or remove now: never both in one look. */
import type { Pod } from "../../api/core/pods.ts";
import type { JobSpec } from "../../api/schema/batch.v1.generated.ts";
import { remainingBackoff } from "./backoff.ts";
import { finishedAt, isTerminating, replacesOnlyFailed, validIndex } from "./job-pods.ts";
import { allFailures, indexesOf, type JobView } from "./job-view.ts";
import { inOrderOfRemoval } from "./order-of-removal.ts";

export interface PodPlan {
  remove: readonly Pod[];
  /** Pods that are removed because fewer are wanted did not fail: they leave without being counted. */
  uncounted: boolean;
  create: number;
  /** Of an indexed job: the index of each pod to make. */
  indexes?: readonly number[];
  /** Milliseconds until more may be made. */
  after?: number;
}

/** So many pods at most are made or removed at one look, so that no job holds up the others. */
const MOST = 500;
const NOTHING: PodPlan = { remove: [], uncounted: true, create: 0 };

export function planPods(view: JobView, ending: boolean, now: number): PodPlan {
  const { job, spec, active } = view;
  if (ending) return { remove: active, uncounted: false, create: 0 };
  if (job.metadata.deletionTimestamp !== undefined) return NOTHING;
  if (spec.suspend) return { remove: active, uncounted: true, create: 0 };
  const wanted = wantedActive(view);
  const remove = toRemove(spec, active, Math.max(0, active.length - wanted)).slice(0, MOST);
  if (remove.length > 0) return { remove, uncounted: true, create: 0 };
  const leaving = replacesOnlyFailed(spec) ? view.terminating : 0;
  const missing = Math.min(wanted - active.length - leaving, MOST);
  return missing > 0 ? planCreation(view, missing, now) : NOTHING;
}

function wantedActive({ spec, active, succeeded }: JobView): number {
  const { parallelism = 1, completions } = spec;
  if (completions !== undefined) return Math.max(0, Math.min(completions - succeeded, parallelism));
  // Any success means that the work is done: what runs may end, and nothing is started any more.
  return succeeded > 0 ? active.length : parallelism;
}

function planCreation(view: JobView, missing: number, now: number): PodPlan {
  const { spec } = view;
  if (!view.failedIndexes) {
    const after = remainingBackoff(view.backoff, now);
    if (after > 0) return { ...NOTHING, after };
    if (!view.indexed) return { ...NOTHING, create: missing };
  }
  const { completions = 0 } = spec;
  let taken = view.succeededIndexes.union(indexesOf(view.active, spec));
  if (view.failedIndexes) taken = taken.union(view.failedIndexes);
  if (replacesOnlyFailed(spec)) taken = taken.union(indexesOf(view.pods.filter(isTerminating), spec));
  const indexes: number[] = [];
  let after: number | undefined;
  for (const index of taken.firstMissing(missing, completions)) {
    const wait = waitOf(view.replaced.get(index), now);
    if (wait <= 0) indexes.push(index);
    else after = Math.min(after ?? wait, wait);
  }
  return { ...NOTHING, create: indexes.length, indexes, after };
}

function waitOf(replaced: Pod | undefined, now: number): number {
  if (!replaced) return 0;
  return remainingBackoff({ failures: allFailures(replaced) + 1, last: finishedAt(replaced) }, now);
}

/** At least `least` of them; all that have no index of the job's, or one that another has too. */
function toRemove(spec: JobSpec, active: readonly Pod[], least: number): Pod[] {
  if (spec.completionMode !== "Indexed") return least === 0 ? [] : inOrderOfRemoval(active).slice(0, least);
  const remove: Pod[] = [];
  const byIndex = new Map<number, Pod[]>();
  for (const pod of active) {
    const index = validIndex(pod, spec);
    if (index === undefined) remove.push(pod);
    else byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
  }
  const left: Pod[] = [];
  for (const pods of byIndex.values()) {
    const ordered = pods.length > 1 ? inOrderOfRemoval(pods) : pods;
    left.push(ordered.pop()!);
    remove.push(...ordered);
  }
  if (remove.length < least) remove.push(...inOrderOfRemoval(left).slice(0, least - remove.length));
  return remove;
}
