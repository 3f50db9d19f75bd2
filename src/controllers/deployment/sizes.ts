/** How many pods a Deployment may have, and how they are shared out among its replica sets. */
import type { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import { scaledValue } from "../../machinery/int-or-string/int-or-string.ts";
import { type Annotations, createdFirst, DESIRED_REPLICAS, MAX_REPLICAS, numberOf } from "./revisions.ts";

/** A replica set and what is to become of it in this pass. */
export interface Draft {
  readonly replicaSet: ReplicaSet;
  /** It does not exist yet. */
  readonly isNew: boolean;
  replicas: number;
  annotations: Annotations;
}

export interface Limits {
  replicas: number;
  /** Whether old and new pods run side by side, so that a change of the size is shared out. */
  rolling: boolean;
  maxSurge: number;
  maxUnavailable: number;
}

export function limitsOf({ spec }: Deployment): Limits {
  const replicas = spec?.replicas ?? 1;
  if (spec?.strategy?.type === "Recreate")
    return { replicas, rolling: false, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge: surge = "25%", maxUnavailable: unavailable = "25%" } =
    spec?.strategy?.rollingUpdate ?? {};
  const maxSurge = scaledValue(surge, replicas, true);
  const rounded = scaledValue(unavailable, replicas, false);
  // With neither, nothing could ever move: percentages of small numbers come to that.
  const maxUnavailable = maxSurge === 0 && rounded === 0 ? 1 : rounded;
  return { replicas, rolling: true, maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

export function sizeOf(drafts: readonly Draft[]): number {
  return drafts.reduce((sum, { replicas }) => sum + replicas, 0);
}

export function availableOf({ replicaSet }: Draft): number {
  return replicaSet.status?.availableReplicas ?? 0;
}

export function resize(draft: Draft, replicas: number, { replicas: desired, maxSurge }: Limits): void {
  draft.replicas = replicas;
  draft.annotations = {
    ...draft.annotations,
    [DESIRED_REPLICAS]: String(desired),
    [MAX_REPLICAS]: String(desired + maxSurge),
  };
}

/** Whether the Deployment was scaled since a replica set with pods was told of its size. */
export function isBeingScaled({ spec }: Deployment, replicaSets: readonly ReplicaSet[]): boolean {
  return replicaSets.some((replicaSet) => {
    if ((replicaSet.spec?.replicas ?? 0) === 0) return false;
    const desired = numberOf(replicaSet.metadata.annotations, DESIRED_REPLICAS);
    return desired !== undefined && desired !== spec?.replicas;
  });
}

/**
 * Brings a Deployment to its size without going on with its rollout: one replica set takes it all; of several that are
 * amid a rollout, each takes its share.
 */
export function scale(newest: Draft | undefined, old: readonly Draft[], limits: Limits, total: number): void {
  const all = newest ? [...old, newest] : [...old];
  const active = all.filter(({ replicas }) => replicas > 0);
  const only = active.length > 1 ? undefined : (active[0] ?? newest ?? latest(old));
  if (active.length <= 1) {
    if (only) resize(only, limits.replicas, limits);
    return;
  }
  if (newest && isSaturated(newest, limits)) {
    for (const draft of old) if (draft.replicas > 0) resize(draft, 0, limits);
    return;
  }
  if (limits.rolling) shareOut(active, limits, total);
}

function latest(old: readonly Draft[]): Draft | undefined {
  return old.toSorted((a, b) => createdFirst(b.replicaSet, a.replicaSet))[0];
}

/** Whether the new replica set alone is all that is wanted, and every pod of it available. */
function isSaturated(newest: Draft, { replicas }: Limits): boolean {
  const desired = numberOf(newest.annotations, DESIRED_REPLICAS);
  return newest.replicas === replicas && desired === replicas && availableOf(newest) === replicas;
}

/** What rounding leaves over goes to the largest; of equals, what grows is the newer and what shrinks the older. */
function shareOut(active: readonly Draft[], limits: Limits, total: number): void {
  const allowed = limits.replicas > 0 ? limits.replicas + limits.maxSurge : 0;
  const toAdd = allowed - sizeOf(active);
  const byAge = (a: Draft, b: Draft): number =>
    toAdd > 0 ? createdFirst(b.replicaSet, a.replicaSet) : createdFirst(a.replicaSet, b.replicaSet);
  const largestFirst = active.toSorted((a, b) => b.replicas - a.replicas || byAge(a, b));
  let added = 0;
  const sizes = largestFirst.map((draft) => {
    const share = shareOf(draft, limits, total);
    const part = toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added);
    if (toAdd === 0 || toAdd === added) return draft.replicas;
    added += part;
    return draft.replicas + part;
  });
  if (sizes.length > 0) sizes[0] = Math.max(sizes[0]! + toAdd - added, 0);
  for (const [i, draft] of largestFirst.entries()) resize(draft, sizes[i]!, limits);
}

/** By how much it changes where everything changes by the same factor. `total`: the pods that there are. */
function shareOf({ replicas, annotations }: Draft, limits: Limits, total: number): number {
  if (limits.replicas === 0) return -replicas;
  const before = numberOf(annotations, MAX_REPLICAS) || total;
  if (before === 0) return 0;
  const exact = (replicas * (limits.replicas + limits.maxSurge)) / before;
  return Math.round(exact) - replicas;
}
