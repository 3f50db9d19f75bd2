/**
 * From a Deployment and its replica sets to what is to be written now. One pass makes one step; what it writes comes
 * back as a change, and with it the next pass.
 *
 *   paused, or scaled since the last pass ──▶ scale what there is
 *   Recreate       old ones to 0 ──▶ wait until their pods have ended ──▶ make the new one ──▶ grow it
 *   RollingUpdate  make the new one ──▶ grow it as surge allows ──▶ shrink the old ones as availability allows ──▶ …
 */
import type { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import type { DeploymentStatus } from "../../api/schema/apps.v1.generated.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import {
  beyondHistory,
  findNewReplicaSet,
  makeReplicaSet,
  newAnnotations,
  REVISION,
  revisionOf,
  statedRevision,
} from "./revisions.ts";
import { rollingStep, shrinkAll, sizeOfNew } from "./roll.ts";
import { type Draft, isBeingScaled, type Limits, limitsOf, resize, scale } from "./sizes.ts";
import {
  type Conditions,
  countStatus,
  isComplete,
  timesOutAt,
  withCreated,
  withFound,
  withPause,
  withProgress,
} from "./status.ts";

export interface Seen {
  deployment: Deployment;
  /** Those that the Deployment owns and selects. */
  replicaSets: readonly ReplicaSet[];
  /** Whether a pod of a replica set may still be running. */
  hasRunningPods(replicaSet: ReplicaSet): boolean;
  /** Milliseconds since 1970. */
  now: number;
}

export interface Plan {
  /** The new replica set, as yet without a server. */
  create?: ReplicaSet;
  updates: { from: ReplicaSet; to: ReplicaSet }[];
  deletes: ReplicaSet[];
  /** Of the Deployment's own annotation. */
  revision?: string;
  status: DeploymentStatus;
  /** When to look again though nothing changes. */
  at?: number;
}

/** Times have whole seconds: a deadline is over for certain one later. */
const SECOND = 1000;

export function plan(seen: Seen): Plan {
  const { deployment } = seen;
  if (deployment.metadata.deletionTimestamp !== undefined) return onlyStatus(seen);
  const rollout = new Rollout(seen);
  if (deployment.spec?.paused || isBeingScaled(deployment, seen.replicaSets)) rollout.rescale();
  else if (deployment.spec?.strategy?.type === "Recreate") rollout.recreate();
  else rollout.roll();
  return rollout.plan();
}

function onlyStatus({ deployment, replicaSets, now }: Seen): Plan {
  const found = findNewReplicaSet(deployment, replicaSets);
  const drafts = replicaSets.map(draftOf);
  const newest = drafts.find(({ replicaSet }) => replicaSet === found);
  const conditions = deployment.status?.conditions ?? [];
  const status = countStatus(deployment, conditions, newest, drafts, limitsOf(deployment), now);
  return { updates: [], deletes: [], status };
}

function draftOf(replicaSet: ReplicaSet): Draft {
  const { spec, metadata } = replicaSet;
  return { replicaSet, isNew: false, replicas: spec?.replicas ?? 0, annotations: metadata.annotations ?? {} };
}

class Rollout {
  private readonly seen: Seen;
  private readonly limits: Limits;
  private readonly old: Draft[];
  private newest: Draft | undefined;
  private conditions: Conditions;
  /** Whether what is written may end the rollout or move its deadline. */
  private moves = true;

  constructor(seen: Seen) {
    const { deployment, replicaSets, now } = seen;
    this.seen = seen;
    this.limits = limitsOf(deployment);
    const found = findNewReplicaSet(deployment, replicaSets);
    this.old = replicaSets.filter((replicaSet) => replicaSet !== found).map(draftOf);
    this.conditions = withPause(deployment, deployment.status?.conditions ?? [], now);
    if (!found) return;
    this.newest = draftOf(found);
    this.newest.annotations = newAnnotations(deployment, this.newest.annotations, this.othersNewest());
    this.conditions = withFound(deployment, this.conditions, found.metadata.name!, now);
  }

  rescale(): void {
    this.moves = false;
    scale(this.newest, this.old, this.limits, this.seen.deployment.status?.replicas ?? 0);
  }

  roll(): void {
    if (this.newest) rollingStep(this.newest, this.old, this.limits);
    else {
      const newest = this.make();
      resize(newest, sizeOfNew(newest, [...this.old, newest], this.limits), this.limits);
    }
  }

  recreate(): void {
    if (shrinkAll(this.old, this.limits) || this.old.some((draft) => this.isRunning(draft))) return;
    const newest = this.newest ?? this.make();
    if (newest.replicas !== this.limits.replicas) resize(newest, this.limits.replicas, this.limits);
  }

  plan(): Plan {
    const { deployment, now } = this.seen;
    const { newest, old } = this;
    const all = newest ? [...old, newest] : old;
    let status = countStatus(deployment, this.conditions, newest, all, this.limits, now);
    if (this.moves) status = withProgress(deployment, status, newest, all, now);
    const tidy = deployment.spec?.paused || (this.moves && isComplete(deployment, status));
    const at = timesOutAt(deployment, status);
    return {
      create: newest?.isNew ? result(newest, deployment) : undefined,
      updates: all
        .filter((draft) => isChanged(draft, draft === newest, deployment))
        .map((draft) => ({
          from: draft.replicaSet,
          to: result(draft, draft === newest ? deployment : undefined),
        })),
      deletes: tidy
        ? beyondHistory(
            deployment,
            old.map(({ replicaSet }) => replicaSet),
          )
        : [],
      revision: newest?.annotations[REVISION],
      status,
      at: at === undefined ? undefined : at + SECOND,
    };
  }

  private make(): Draft {
    const { deployment, now } = this.seen;
    const replicaSet = makeReplicaSet(deployment, newAnnotations(deployment, {}, this.othersNewest()));
    const { annotations = {}, name = "" } = replicaSet.metadata;
    this.newest = { replicaSet, isNew: true, replicas: 0, annotations };
    this.conditions = withCreated(deployment, this.conditions, name, now);
    return this.newest;
  }

  private othersNewest(): bigint {
    let newest = 0n;
    for (const { replicaSet } of this.old) {
      const revision = revisionOf(replicaSet);
      if (revision > newest) newest = revision;
    }
    return newest;
  }

  private isRunning({ replicaSet }: Draft): boolean {
    return (replicaSet.status?.replicas ?? 0) > 0 || this.seen.hasRunningPods(replicaSet);
  }
}

function isChanged(draft: Draft, isNewest: boolean, { spec }: Deployment): boolean {
  const { replicaSet, isNew, replicas, annotations } = draft;
  if (isNew) return false;
  const was = replicaSet.spec;
  return (
    replicas !== (was?.replicas ?? 0) ||
    (isNewest && (spec?.minReadySeconds ?? 0) !== (was?.minReadySeconds ?? 0)) ||
    !deepEqual(annotations, replicaSet.metadata.annotations ?? {})
  );
}

/** The replica set as it is to be; the newest follows its Deployment. */
function result({ replicaSet, replicas, annotations }: Draft, follows: Deployment | undefined): ReplicaSet {
  const minReadySeconds = follows ? follows.spec?.minReadySeconds : replicaSet.spec?.minReadySeconds;
  return {
    ...replicaSet,
    metadata: { ...replicaSet.metadata, annotations: { ...annotations } },
    spec: { ...replicaSet.spec!, replicas, minReadySeconds },
  };
}

/** What the Deployment's own annotation says. */
export function toldRevision({ metadata }: Deployment): string | undefined {
  const revision = statedRevision(metadata.annotations, REVISION);
  return revision === undefined ? undefined : String(revision);
}
