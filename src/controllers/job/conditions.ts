/** Conditions of a job's status, in upstream's words. */
import type { Job } from "../../api/batch/job.ts";
import type { JobCondition } from "../../api/schema/batch.v1.generated.ts";
import { formatTime } from "../../machinery/time/time.ts";

export type ConditionType = "Complete" | "Failed" | "Suspended" | "FailureTarget" | "SuccessCriteriaMet";

/** What a job is about to end as, and why. */
export interface Ending {
  type: "FailureTarget" | "SuccessCriteriaMet";
  reason: string;
  message: string;
}

export const FAILURES = {
  backoffLimit: fails("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
  deadline: fails("DeadlineExceeded", "Job was active longer than specified deadline"),
  maxFailedIndexes: fails(
    "MaxFailedIndexesExceeded",
    "Job has exceeded the specified maximal number of failed indexes",
  ),
  failedIndexes: fails("FailedIndexes", "Job has failed indexes"),
} as const;

export const COMPLETIONS_REACHED: Ending = {
  type: "SuccessCriteriaMet",
  reason: "CompletionsReached",
  message: "Reached expected number of succeeded pods",
};

export function fails(reason: string, message: string): Ending {
  return { type: "FailureTarget", reason, message };
}

export function conditionOf({ status }: Job, type: ConditionType): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function isTrue(job: Job, type: ConditionType): boolean {
  return conditionOf(job, type)?.status === "True";
}

export function isFinished(job: Job): boolean {
  return isTrue(job, "Complete") || isTrue(job, "Failed");
}

/** The end that an earlier look at the job settled. */
export function settledEnding(job: Job): Ending | undefined {
  for (const type of ["SuccessCriteriaMet", "FailureTarget"] as const) {
    const condition = conditionOf(job, type);
    if (condition?.status !== "True") continue;
    return { type, reason: condition.reason ?? "", message: condition.message ?? "" };
  }
  return undefined;
}

/** Returns `conditions` itself where nothing changes. A condition that never held is not written as False. */
export function withCondition(
  conditions: readonly JobCondition[],
  wanted: { type: ConditionType; status: "True" | "False"; reason: string; message: string },
  now: number,
): readonly JobCondition[] {
  const { type, status, reason, message } = wanted;
  const was = conditions.find((condition) => condition.type === type);
  if (!was && status === "False") return conditions;
  if (was?.status === status && was.reason === reason && was.message === message) return conditions;
  const time = formatTime(now);
  const changed = { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message };
  return was
    ? conditions.map((condition) => (condition === was ? changed : condition))
    : [...conditions, changed];
}
