/** The figures of jobs, under upstream's names (pkg/controller/job/metrics). */
import type { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { JobStatus } from "../../api/schema/batch.v1.generated.ts";
import { buckets } from "../../base/metrics/histogram.ts";
import type { MetricSet } from "../../base/metrics/metric-set.ts";
import { isTracked } from "./job-pods.ts";

/** What a look at a job did with its pods; `reconciling` where it ended the job. */
export type SyncAction = "reconciling" | "tracking" | "pods_created" | "pods_deleted";

const SECONDS = buckets(Array.from({ length: 15 }, (_, i) => (4 * 2 ** i) / 1000));

export class JobMetrics {
  private readonly families: ReturnType<typeof familiesOf>;

  constructor(set: MetricSet) {
    this.families = familiesOf(set);
  }

  synced(job: Job, action: SyncAction, result: "success" | "error", ms: number): void {
    const labels = [modeOf(job), result, action];
    this.families.syncs.of(...labels).add();
    this.families.durations.of(...labels).observe(ms / 1000);
  }

  /** What the pod failure policy made of pods that failed. */
  judged(actions: readonly string[]): void {
    for (const action of actions) this.families.judged.of(action).add();
  }

  sawPod(now: Pod | undefined, was: Pod | undefined): void {
    const [is, before] = [isHeld(now), isHeld(was)];
    if (is !== before) this.families.held.of(is ? "add" : "delete").add();
  }

  /** The status that was written, beside what it was before. */
  wrote(job: Job, status: JobStatus): void {
    const mode = modeOf(job);
    const { succeeded = 0, failed = 0, conditions = [] } = job.status ?? {};
    const { pods, jobs } = this.families;
    pods.of(mode, "succeeded").add(Math.max(0, (status.succeeded ?? 0) - succeeded));
    pods.of(mode, "failed").add(Math.max(0, (status.failed ?? 0) - failed));
    for (const { type, status: is, reason = "" } of status.conditions ?? []) {
      if (is !== "True" || conditions.some((was) => was.type === type && was.status === "True")) continue;
      if (type === "Complete") jobs.of(mode, "succeeded", reason).add();
      else if (type === "Failed") jobs.of(mode, "failed", reason).add();
    }
  }
}

/** Whether the pod ended and is yet to be counted. */
function isHeld(pod: Pod | undefined): boolean {
  const phase = pod?.status?.phase;
  return pod !== undefined && (phase === "Succeeded" || phase === "Failed") && isTracked(pod);
}

function modeOf({ spec }: Job): string {
  return spec?.completionMode ?? "NonIndexed";
}

/** As upstream breaks the lines. */
const JUDGED = [
  "The number of failed Pods handled by failure policy with",
  "respect to the failure policy action applied based on the matched",
  "rule. Possible values of the action label correspond to the",
  "possible values for the failure policy rule action, which are:",
  '"FailJob", "Ignore" and "Count".',
];
const HELD = [
  "The number of terminated pods (phase=Failed|Succeeded)",
  "that have the finalizer batch.kubernetes.io/job-tracking",
  'The event label can be "add" or "delete".',
];

function familiesOf(set: MetricSet) {
  const labels = ["completion_mode", "result", "action"];
  return {
    syncs: set.counter("job_controller_job_syncs_total", "[STABLE] The number of job syncs", labels),
    durations: set.histogram(
      "job_controller_job_sync_duration_seconds",
      "[STABLE] The time it took to sync a job",
      labels,
      SECONDS,
    ),
    jobs: set.counter("job_controller_jobs_finished_total", "[STABLE] The number of finished jobs", [
      "completion_mode",
      "result",
      "reason",
    ]),
    pods: set.counter(
      "job_controller_job_pods_finished_total",
      "[STABLE] The number of finished Pods that are fully tracked",
      ["completion_mode", "result"],
    ),
    judged: set.counter(
      "job_controller_pod_failures_handled_by_failure_policy_total",
      `[BETA] ${JUDGED.join("\\n\t\t\t")}`,
      ["action"],
    ),
    held: set.counter(
      "job_controller_terminated_pods_tracking_finalizer_total",
      `[BETA] ${HELD.join("\\n")}`,
      ["event"],
    ),
  };
}
