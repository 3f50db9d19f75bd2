/** What a ReplicaSet or ReplicationController says of its pods, and when that changes by itself. */
import { isPodReady, podAvailableAt } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { KubeObject } from "../../api/object.ts";
import type { ReplicaSetCondition, ReplicaSetStatus } from "../../api/schema/apps.v1.generated.ts";
import type { PodTemplateSpec } from "../../api/schema/core.v1.generated.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { selectorFromSet } from "../../machinery/selectors/labels.ts";
import { formatTime } from "../../machinery/time/time.ts";

/** What both kinds have. */
export interface Replicated extends KubeObject {
  spec?: { replicas?: number; minReadySeconds?: number; template?: PodTemplateSpec };
  status?: ReplicaSetStatus;
}

export interface SeenPods {
  /** Claimed, and neither ended nor on their way out. */
  active: readonly Pod[];
  /** On their way out; undefined of a kind whose status does not tell. */
  terminating?: number;
}

/** Why the number of pods could not be brought to what it should be. */
export interface Failure {
  reason: "FailedCreate" | "FailedDelete";
  message: string;
}

const FAILURE = "ReplicaFailure";
const COUNTS = [
  "replicas",
  "fullyLabeledReplicas",
  "readyReplicas",
  "availableReplicas",
  "terminatingReplicas",
  "observedGeneration",
] as const;

/** `changesAt`: when the next pod becomes available, in milliseconds since 1970. */
export function replicasStatus(
  owner: Replicated,
  { active, terminating }: SeenPods,
  failure: Failure | undefined,
  now: number,
): { status: ReplicaSetStatus; changesAt: number | undefined } {
  const { spec, status: was, metadata } = owner;
  const labels = selectorFromSet(spec?.template?.metadata?.labels ?? {});
  let changesAt: number | undefined;
  let labeled = 0;
  let ready = 0;
  let available = 0;
  for (const pod of active) {
    if (labels.matches(pod.metadata.labels)) labeled++;
    if (!isPodReady(pod)) continue;
    ready++;
    const at = podAvailableAt(pod, spec?.minReadySeconds ?? 0);
    if (at === undefined) continue;
    if (at <= now) available++;
    else changesAt = Math.min(at, changesAt ?? at);
  }
  const status: ReplicaSetStatus = { replicas: active.length };
  if (labeled > 0) status.fullyLabeledReplicas = labeled;
  if (ready > 0) status.readyReplicas = ready;
  if (available > 0) status.availableReplicas = available;
  if (terminating !== undefined) status.terminatingReplicas = terminating;
  if (metadata.generation !== undefined) status.observedGeneration = metadata.generation;
  const conditions = withFailure(was?.conditions ?? [], failure, now);
  if (conditions.length > 0) status.conditions = [...conditions];
  return { status, changesAt };
}

/** The first failure stays as it was told until it is over. */
function withFailure(
  conditions: readonly ReplicaSetCondition[],
  failure: Failure | undefined,
  now: number,
): readonly ReplicaSetCondition[] {
  const told = conditions.some(({ type }) => type === FAILURE);
  if (told === (failure !== undefined)) return conditions;
  const others = conditions.filter(({ type }) => type !== FAILURE);
  if (!failure) return others;
  return [...others, { type: FAILURE, status: "True", lastTransitionTime: formatTime(now), ...failure }];
}

export function sameStatus(a: ReplicaSetStatus | undefined, b: ReplicaSetStatus): boolean {
  for (const name of COUNTS) if ((a?.[name] ?? 0) !== (b[name] ?? 0)) return false;
  return deepEqual(a?.conditions ?? [], b.conditions ?? []);
}

/** Whether a change of a pod may change the status of what owns it, or how many it makes. */
export function concernsReplicas(now: Pod | undefined, was: Pod | undefined): boolean {
  if (!now || !was) return true;
  const [is, were] = [now.metadata, was.metadata];
  return (
    now.status?.phase !== was.status?.phase ||
    is.deletionTimestamp !== were.deletionTimestamp ||
    is.uid !== were.uid ||
    podAvailableAt(now, 1) !== podAvailableAt(was, 1) ||
    !deepEqual(is.labels, were.labels) ||
    !deepEqual(is.ownerReferences, were.ownerReferences)
  );
}
