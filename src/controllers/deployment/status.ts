/** What a Deployment says of its rollout. Times are RFC 3339 text, as in the object. */
import type { Deployment } from "../../api/apps/deployment.ts";
import type { DeploymentCondition, DeploymentStatus } from "../../api/schema/apps.v1.generated.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { availableOf, type Draft, type Limits, sizeOf } from "./sizes.ts";

export type Conditions = readonly DeploymentCondition[];
type ReplicaSetStatus = NonNullable<Draft["replicaSet"]["status"]>;

const PROGRESSING = "Progressing";
const FAILURE = "ReplicaFailure";
const AVAILABLE = "NewReplicaSetAvailable";
const TIMED_OUT = "ProgressDeadlineExceeded";
const PAUSED = "DeploymentPaused";
/** What both limits mean by "none". */
const NO_LIMIT = 2 ** 31 - 1;
const COUNTS = [
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "terminatingReplicas",
  "collisionCount",
] as const;

export function hasDeadline({ spec }: Deployment): boolean {
  const seconds = spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== NO_LIMIT;
}

export function progressing(
  status: "True" | "False" | "Unknown",
  reason: string,
  message: string,
  now: number,
): DeploymentCondition {
  return newCondition(PROGRESSING, status, reason, message, now);
}

function newCondition(
  type: string,
  status: string,
  reason: string,
  message: string,
  now: number,
): DeploymentCondition {
  const time = formatTime(now);
  return { type, status, lastUpdateTime: time, lastTransitionTime: time, reason, message };
}

export function find(conditions: Conditions, wanted: string): DeploymentCondition | undefined {
  return conditions.find(({ type }) => type === wanted);
}

/** One of the same status and reason stays as it is; one of the same status keeps the time since when. */
export function withCondition(conditions: Conditions, condition: DeploymentCondition): Conditions {
  const was = find(conditions, condition.type);
  if (was?.status === condition.status && was.reason === condition.reason) return conditions;
  const { lastTransitionTime } = was?.status === condition.status ? was : condition;
  return [...without(conditions, condition.type), { ...condition, lastTransitionTime }];
}

export function without(conditions: Conditions, unwanted: string): Conditions {
  return conditions.filter(({ type }) => type !== unwanted);
}

/** Tells that the rollout stopped or goes on by a user's will, which also begins its deadline anew. */
export function withPause(deployment: Deployment, conditions: Conditions, now: number): Conditions {
  const reason = find(conditions, PROGRESSING)?.reason;
  if (!hasDeadline(deployment) || reason === TIMED_OUT) return conditions;
  const paused = deployment.spec?.paused === true;
  if (paused === (reason === PAUSED)) return conditions;
  const condition = paused
    ? progressing("Unknown", PAUSED, "Deployment is paused", now)
    : progressing("Unknown", "DeploymentResumed", "Deployment is resumed", now);
  return withCondition(conditions, condition);
}

/** The first condition that a Deployment without one gets of its new replica set. */
export function withFound(
  deployment: Deployment,
  conditions: Conditions,
  name: string,
  now: number,
): Conditions {
  if (!hasDeadline(deployment) || find(conditions, PROGRESSING)) return conditions;
  const message = `Found new replica set ${JSON.stringify(name)}`;
  return withCondition(conditions, progressing("True", "FoundNewReplicaSet", message, now));
}

export function withCreated(
  deployment: Deployment,
  conditions: Conditions,
  name: string,
  now: number,
): Conditions {
  if (!hasDeadline(deployment)) return conditions;
  const message = `Created new replica set ${JSON.stringify(name)}`;
  return withCondition(conditions, progressing("True", "NewReplicaSetCreated", message, now));
}

/** The counts, and whether enough pods are available. */
export function countStatus(
  { metadata, status: was }: Deployment,
  conditions: Conditions,
  newest: Draft | undefined,
  all: readonly Draft[],
  { replicas, maxUnavailable }: Limits,
  now: number,
): DeploymentStatus {
  const sum = (count: (status: ReplicaSetStatus) => number | undefined): number =>
    all.reduce((total, { replicaSet: { status } }) => total + ((status && count(status)) ?? 0), 0);
  const available = all.reduce((total, draft) => total + availableOf(draft), 0);
  const enough = available >= replicas - maxUnavailable;
  const availability = enough
    ? newCondition(
        "Available",
        "True",
        "MinimumReplicasAvailable",
        "Deployment has minimum availability.",
        now,
      )
    : newCondition(
        "Available",
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
        now,
      );
  const counts: DeploymentStatus = {
    observedGeneration: metadata.generation,
    replicas: sum((status) => status.replicas),
    updatedReplicas: newest?.replicaSet.status?.replicas ?? 0,
    readyReplicas: sum((status) => status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(sizeOf(all) - available, 0),
  };
  for (const name of COUNTS) if (counts[name] === 0) delete counts[name];
  counts.terminatingReplicas = sum((status) => status.terminatingReplicas);
  if (was?.collisionCount !== undefined) counts.collisionCount = was.collisionCount;
  return { ...counts, conditions: [...withCondition(conditions, availability)] };
}

export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  const wanted = spec?.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

/** Adds to the status how the rollout gets on, and what keeps its replica sets from making pods. */
export function withProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  newest: Draft | undefined,
  all: readonly Draft[],
  now: number,
): DeploymentStatus {
  let conditions: Conditions = status.conditions ?? [];
  const current = find(conditions, PROGRESSING);
  const settled = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === AVAILABLE;
  if (!hasDeadline(deployment)) conditions = without(conditions, PROGRESSING);
  else if (!settled) conditions = progressOf(deployment, status, conditions, newest, now);
  const failure = failureOf(newest, all);
  conditions = failure ? withCondition(conditions, failure) : without(conditions, FAILURE);
  return { ...status, conditions: [...conditions] };
}

function progressOf(
  deployment: Deployment,
  status: DeploymentStatus,
  conditions: Conditions,
  newest: Draft | undefined,
  now: number,
): Conditions {
  const current = find(conditions, PROGRESSING);
  const { name } = deployment.metadata;
  const subject = newest
    ? `ReplicaSet ${JSON.stringify(newest.replicaSet.metadata.name)}`
    : `Deployment ${JSON.stringify(name)}`;
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(conditions, progressing("True", AVAILABLE, message, now));
  }
  if (hasProgressed(status, deployment.status ?? {})) {
    const condition = progressing("True", "ReplicaSetUpdated", `${subject} is progressing.`, now);
    // Each step begins the deadline anew, though the condition says the same as before.
    const since = current?.status === "True" ? current.lastTransitionTime : condition.lastTransitionTime;
    return [...without(conditions, PROGRESSING), { ...condition, lastTransitionTime: since }];
  }
  if (!hasTimedOut(deployment, current, now)) return conditions;
  const message = `${subject} has timed out progressing.`;
  return withCondition(conditions, progressing("False", TIMED_OUT, message, now));
}

function hasProgressed(now: DeploymentStatus, was: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas;
  return (
    (now.updatedReplicas ?? 0) > (was.updatedReplicas ?? 0) ||
    old(now) < old(was) ||
    (now.readyReplicas ?? 0) > (was.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (was.availableReplicas ?? 0)
  );
}

function hasTimedOut(deployment: Deployment, current: DeploymentCondition | undefined, now: number): boolean {
  if (!current || current.reason === AVAILABLE) return false;
  return current.reason === TIMED_OUT || deadlineOf(deployment, current) < now;
}

function deadlineOf({ spec }: Deployment, { lastUpdateTime = "" }: DeploymentCondition): number {
  return Date.parse(lastUpdateTime) + (spec?.progressDeadlineSeconds ?? 0) * 1000;
}

/** When a rollout that does not move will have taken too long; undefined where none is under way. */
export function timesOutAt(deployment: Deployment, status: DeploymentStatus): number | undefined {
  const current = find(status.conditions ?? [], PROGRESSING);
  if (!hasDeadline(deployment) || deployment.spec?.paused || !current) return undefined;
  if (current.reason === TIMED_OUT || current.reason === AVAILABLE) return undefined;
  if (isComplete(deployment, status)) return undefined;
  return deadlineOf(deployment, current);
}

/** That of the new replica set, or else of any. */
function failureOf(newest: Draft | undefined, all: readonly Draft[]): DeploymentCondition | undefined {
  const failed = (draft: Draft | undefined) =>
    draft?.replicaSet.status?.conditions?.find(({ type }) => type === FAILURE);
  const failure = failed(newest) ?? all.map(failed).find((condition) => condition !== undefined);
  return failure && { ...failure, lastUpdateTime: failure.lastTransitionTime };
}

export function sameStatus(a: DeploymentStatus | undefined, b: DeploymentStatus): boolean {
  for (const name of COUNTS) if ((a?.[name] ?? 0) !== (b[name] ?? 0)) return false;
  return deepEqual(a?.conditions ?? [], b.conditions ?? []);
}
