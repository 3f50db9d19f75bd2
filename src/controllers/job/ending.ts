/** Whether and how a job is to end now. */
import type { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { JobSpec } from "../../api/schema/batch.v1.generated.ts";
import { type Ending, FAILURES, fails, settledEnding } from "./conditions.ts";
import { hasFailed } from "./job-pods.ts";
import type { JobView } from "./job-view.ts";
import { judgeFailure } from "./pod-failure-policy.ts";
import { successPolicyMet } from "./success-policy.ts";

/** What was settled once stays. That all completions are reached is found out later, when nothing runs any more. */
export function endingOf(view: JobView, now: number): Ending | undefined {
  const { job, spec, pods, succeededIndexes, failedIndexes } = view;
  const settled = settledEnding(job) ?? failedByPolicy(spec, pods);
  if (settled) return settled;
  if (view.failed > (spec.backoffLimit ?? 0) || restartedTooOften(spec, pods)) return FAILURES.backoffLimit;
  const left = deadlineIn(job, now);
  if (left !== undefined && left <= 0) return FAILURES.deadline;
  if (failedIndexes) {
    const { maxFailedIndexes, completions = 0 } = spec;
    if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
      return FAILURES.maxFailedIndexes;
    }
    if (failedIndexes.size > 0 && failedIndexes.size + succeededIndexes.size >= completions) {
      return FAILURES.failedIndexes;
    }
  }
  const message = view.indexed ? successPolicyMet(spec, succeededIndexes) : undefined;
  return message === undefined ? undefined : { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message };
}

/** Milliseconds until the job has been active for too long; undefined where no time runs. */
export function deadlineIn({ spec, status }: Job, now: number): number | undefined {
  if (spec?.activeDeadlineSeconds === undefined || spec.suspend || !status?.startTime) return undefined;
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - now;
}

function failedByPolicy(spec: JobSpec, pods: readonly Pod[]): Ending | undefined {
  if (!spec.podFailurePolicy) return undefined;
  for (const pod of pods) {
    if (!hasFailed(pod, spec)) continue;
    const { message } = judgeFailure(spec.podFailurePolicy, pod);
    if (message !== undefined) return fails("PodFailurePolicy", message);
  }
  return undefined;
}

/** Containers that are restarted where they are count as retries too. */
function restartedTooOften({ template, backoffLimit = 0 }: JobSpec, pods: readonly Pod[]): boolean {
  if (template.spec?.restartPolicy !== "OnFailure") return false;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== "Running" && status?.phase !== "Pending") continue;
    for (const { restartCount } of status.initContainerStatuses ?? []) restarts += restartCount;
    for (const { restartCount } of status.containerStatuses ?? []) restarts += restartCount;
  }
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}
