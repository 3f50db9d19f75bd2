/** The figures of jobs, under upstream's names (pkg/controller/job/metrics). */
import type { Job } from "../../api/batch/job.ts";
import type { JobStatus } from "../../api/schema/batch.v1.generated.ts";
import { buckets } from "../../base/metrics/histogram.ts";
import type { MetricSet } from "../../base/metrics/metric-set.ts";

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

function modeOf({ spec }: Job): string {
  return spec?.completionMode ?? "NonIndexed";
}

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
  };
}
