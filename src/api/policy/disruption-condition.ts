/** The condition of a PodDisruptionBudget that says whether one more pod may go. */
import type { Condition } from "../schema/meta.v1.generated.ts";
import type { PodDisruptionBudgetStatus } from "../schema/policy.v1.generated.ts";

export const DISRUPTION_ALLOWED = "DisruptionAllowed";

/** The conditions as the counts of the status want them. */
export function withDisruptionAllowed(status: PodDisruptionBudgetStatus, now: string): Condition[] {
  const isAllowed = (status.disruptionsAllowed ?? 0) > 0;
  return withCondition(status.conditions, {
    type: DISRUPTION_ALLOWED,
    status: isAllowed ? "True" : "False",
    reason: isAllowed ? "SufficientPods" : "InsufficientPods",
    message: "",
    observedGeneration: status.observedGeneration,
    lastTransitionTime: now,
  });
}

/** One condition put in its type's place; its time moves only with its status. */
export function withCondition(conditions: readonly Condition[] | undefined, wanted: Condition): Condition[] {
  const all = [...(conditions ?? [])];
  const at = all.findIndex(({ type }) => type === wanted.type);
  if (at < 0) return [...all, wanted];
  const was = all[at]!;
  all[at] = was.status === wanted.status ? { ...wanted, lastTransitionTime: was.lastTransitionTime } : wanted;
  return all;
}
