/** What a budget's status says, of its pods and of the evictions that were let through. */
import { isPodReady } from "../../api/core/pod/state.ts";
import {
  DISRUPTION_ALLOWED,
  withCondition,
  withDisruptionAllowed,
} from "../../api/policy/disruption-condition.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/schema/policy.v1.generated.ts";
import { formatTime } from "../../machinery/time/time.ts";
import type { Expected } from "./expected-pods.ts";

/** Milliseconds within which a pod that was let go must be on its way out. */
export const DELETION_TIMEOUT = 2 * 60_000;

export interface BudgetView {
  status: PodDisruptionBudgetStatus;
  /** Those that were let go, and stayed. */
  notDeleted: Pod[];
  /** When the next of those that were let go ought to be gone. */
  lookAgain?: number;
}

export function budgetView(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  expected: Expected,
  now: number,
): BudgetView {
  const before = budget.status?.disruptedPods ?? {};
  const disrupted = new Map<string, string>();
  const notDeleted: Pod[] = [];
  let lookAgain: number | undefined;
  let currentHealthy = 0;
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    const name = pod.metadata.name!;
    const since = Object.hasOwn(before, name) ? before[name]! : undefined;
    const until = since === undefined ? Number.NaN : Date.parse(since) + DELETION_TIMEOUT;
    if (until >= now) {
      disrupted.set(name, since!);
      lookAgain = Math.min(lookAgain ?? until, until);
      continue;
    }
    if (since !== undefined) notDeleted.push(pod);
    if (isPodReady(pod)) currentHealthy++;
  }
  const { desiredHealthy, pods: expectedPods } = expected;
  // With no pods expected, the first ones are safe until they were counted.
  const disruptionsAllowed = expectedPods > 0 ? Math.max(currentHealthy - desiredHealthy, 0) : 0;
  const status: PodDisruptionBudgetStatus = {
    ...(disrupted.size > 0 && { disruptedPods: Object.fromEntries(disrupted) }),
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    observedGeneration: budget.metadata.generation,
    conditions: budget.status?.conditions,
  };
  status.conditions = withDisruptionAllowed(status, formatTime(now));
  return { status, notDeleted, lookAgain };
}

/** Nothing is allowed while it is not known what is there. */
export function failedStatus(
  { status = {} }: PodDisruptionBudget,
  error: unknown,
  now: number,
): PodDisruptionBudgetStatus {
  const conditions = withCondition(status.conditions, {
    type: DISRUPTION_ALLOWED,
    status: "False",
    reason: "SyncFailed",
    message: error instanceof Error ? error.message : String(error),
    observedGeneration: status.observedGeneration,
    lastTransitionTime: formatTime(now),
  });
  return { ...status, disruptionsAllowed: 0, conditions };
}

/** Milliseconds until the pod's condition of being about to go is untrue; undefined where it is not, or may be true. */
export function staleAfter({ metadata, status }: Pod, now: number): number | undefined {
  if (metadata.deletionTimestamp !== undefined) return undefined;
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return undefined;
  const condition = status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  // A kubelet takes the time it needs.
  if (condition?.status !== "True" || condition.reason === "TerminationByKubelet") return undefined;
  const since = Date.parse(condition.lastTransitionTime ?? "") || 0;
  return Math.max(since + DELETION_TIMEOUT - now, 0);
}
