/** One step from old replica sets to the new one. Each returns whether it changed anything. */
import { createdFirst } from "./revisions.ts";
import { availableOf, type Draft, type Limits, resize, sizeOf } from "./sizes.ts";

/** How large the new replica set may be now: as large as the surge allows beside the old ones. */
export function sizeOfNew(newest: Draft, all: readonly Draft[], { replicas, maxSurge }: Limits): number {
  if (newest.replicas > replicas) return replicas;
  const room = replicas + maxSurge - sizeOf(all);
  if (room <= 0) return newest.replicas;
  return newest.replicas + Math.min(room, replicas - newest.replicas);
}

/** Grows the new replica set, or else shrinks the old ones. */
export function rollingStep(newest: Draft, old: readonly Draft[], limits: Limits): boolean {
  const all = [...old, newest];
  const size = sizeOfNew(newest, all, limits);
  if (size !== newest.replicas) {
    resize(newest, size, limits);
    return true;
  }
  return shrinkOld(newest, old, limits);
}

/**
 * Pods that do not serve go first, since nobody misses them; those that do go as far as enough stay available. What of
 * the new replica set is not available counts against what may go: otherwise a rollout that fails would take down all.
 */
function shrinkOld(newest: Draft, old: readonly Draft[], limits: Limits): boolean {
  const minAvailable = limits.replicas - limits.maxUnavailable;
  const newUnavailable = newest.replicas - availableOf(newest);
  const most = sizeOf(old) + newest.replicas - minAvailable - newUnavailable;
  const oldestFirst = old
    .filter(({ replicas }) => replicas > 0)
    .sort((a, b) => createdFirst(a.replicaSet, b.replicaSet));
  if (most <= 0 || oldestFirst.length === 0) return false;
  let unhealthy = 0;
  for (const draft of oldestFirst) {
    const gone = Math.min(most - unhealthy, draft.replicas - availableOf(draft));
    if (gone <= 0) continue;
    resize(draft, draft.replicas - gone, limits);
    unhealthy += gone;
  }
  const available = [...old, newest].reduce((sum, draft) => sum + availableOf(draft), 0);
  let spare = available - minAvailable;
  let healthy = 0;
  for (const draft of oldestFirst) {
    const gone = Math.min(spare, draft.replicas);
    if (gone <= 0) continue;
    resize(draft, draft.replicas - gone, limits);
    spare -= gone;
    healthy += gone;
  }
  return unhealthy + healthy > 0;
}

export function shrinkAll(old: readonly Draft[], limits: Limits): boolean {
  const active = old.filter(({ replicas }) => replicas > 0);
  for (const draft of active) resize(draft, 0, limits);
  return active.length > 0;
}
