/** Starts jobs by the clock: each CronJob has one timer, set to the next of its times. */
import { CronJob } from "../../api/batch/cron-job.ts";
import { Job } from "../../api/batch/job.ts";
import type { CronJobStatus } from "../../api/schema/batch.v1.generated.ts";
import type { ObjectReference } from "../../api/schema/core.v1.generated.ts";
import { buckets, type Histogram } from "../../base/metrics/histogram.ts";
import type { Given } from "../../client/resource-client.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { controllerReference, isControlledBy } from "../../machinery/meta/owner.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { ownedIndexes, ownerKeys } from "../workloads/owned.ts";
import { dueTime } from "./due-time.ts";
import { observeJobs, outlivedJobs } from "./observe-jobs.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";
import { formatIn, formatRFC1123Z } from "./time-zone.ts";

const SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** Seconds. */
const SKEWS = buckets([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);

type Inputs = { cronJobs: CronJob; jobs: Job };

/** A schedule in use. Where it replaced another, what it would have started before then is not started. */
interface Plan {
  text: string;
  timeZone: string | undefined;
  schedule: Schedule;
  notBefore?: number;
}

class CronJobController {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;
  private readonly plans = new Map<string, Plan>();
  private readonly skew: Histogram;

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
    const skew = context.metrics.histogram(
      "cronjob_controller_job_creation_skew_duration_seconds",
      "[STABLE] Time between when a cronjob is scheduled to be run, and when the corresponding job is created",
      [],
      SKEWS,
    );
    this.skew = skew.of();
  }

  async reconcile(key: string): Promise<WorkResult> {
    const [namespace = "", name = ""] = key.split("/");
    const cronJob = this.listers.cronJobs.get(namespace, name);
    if (!cronJob) {
      this.plans.delete(key);
      return undefined;
    }
    const { client, clock } = this.context;
    const now = clock.now();
    const jobs = this.listers.jobs.by("controllerUID", cronJob.metadata.uid ?? "");
    const plan = this.planOf(key, cronJob, now);
    const starts = plan && !cronJob.spec.suspend && cronJob.metadata.deletionTimestamp === undefined;
    const due = starts ? dueTime(cronJob, plan.schedule, now, plan.notBefore) : undefined;
    const seen = observeJobs(cronJob, jobs, due && nameOf(cronJob, due.at));
    for (const event of seen.events) this.tell(cronJob, event.type, event.reason, event.note);
    let { status } = seen;
    let failure: unknown;
    if (due) {
      if (due.tooMany) {
        const note =
          "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        this.tell(cronJob, "Warning", "TooManyMissedTimes", note);
      }
      try {
        status = await this.startJob(cronJob, status, due.at, now);
      } catch (error) {
        failure = error;
      }
    }
    for (const job of outlivedJobs(cronJob, jobs)) await this.deleteJob(cronJob, job.metadata);
    if (!deepEqual(status, cronJob.status ?? {})) {
      await client.resource(CronJob, namespace).updateStatus({ ...cronJob, status });
    }
    if (failure) throw failure;
    const next = starts ? plan.schedule.next(now) : undefined;
    // Time went on meanwhile: what came due is looked at at once.
    return next === undefined ? undefined : { after: Math.max(1, next - clock.now()) };
  }

  private planOf(key: string, cronJob: CronJob, now: number): Plan | undefined {
    const { schedule: text, timeZone } = cronJob.spec;
    const known = this.plans.get(key);
    if (known && known.text === text && known.timeZone === timeZone) return known;
    try {
      const plan = { text, timeZone, schedule: parseSchedule(text, timeZone), notBefore: known && now };
      this.plans.set(key, plan);
      return plan;
    } catch (error) {
      // Only objects that an older or newer server took: this one refuses such schedules.
      if (error instanceof RangeError) {
        const note = `invalid timeZone: ${JSON.stringify(timeZone)}: ${error.message}`;
        this.tell(cronJob, "Warning", "UnknownTimeZone", note);
      } else {
        const note = `unparseable schedule: ${JSON.stringify(text)} : ${textOf(error)}`;
        this.tell(cronJob, "Warning", "UnparseableSchedule", note);
      }
      return undefined;
    }
  }

  /** Returns the status that the start leaves. */
  private async startJob(
    cronJob: CronJob,
    status: CronJobStatus,
    at: number,
    now: number,
  ): Promise<CronJobStatus> {
    const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec;
    let { active = [] } = status;
    if (startingDeadlineSeconds !== undefined && at + startingDeadlineSeconds * 1000 < now) {
      const note = `Missed scheduled time to start a job: ${formatRFC1123Z(at)}`;
      this.tell(cronJob, "Warning", "MissSchedule", note);
      return status;
    }
    if (active.some(({ name }) => name === nameOf(cronJob, at))) return status;
    if (active.length > 0 && concurrencyPolicy === "Forbid") {
      const note = "Not starting job because prior execution is running and concurrency policy is Forbid";
      this.tell(cronJob, "Normal", "JobAlreadyActive", note);
      return status;
    }
    if (concurrencyPolicy === "Replace") {
      for (const job of active) await this.deleteJob(cronJob, job);
      active = [];
    }
    const job = await this.createJob(cronJob, at);
    if (!job) return { ...status, active };
    const { apiVersion, kind, metadata } = job;
    const { namespace, name, uid, resourceVersion } = metadata;
    const reference: ObjectReference = { apiVersion, kind, namespace, name, uid, resourceVersion };
    return { ...status, active: [...active, reference], lastScheduleTime: formatTime(at) };
  }

  /** Undefined where there is a job of that name that is not this CronJob's. */
  private async createJob(cronJob: CronJob, at: number): Promise<Job | undefined> {
    const jobs = this.context.client.resource(Job, cronJob.metadata.namespace);
    try {
      const job = await jobs.create(jobOf(cronJob, at));
      this.skew.observe(Math.max(0, Date.parse(job.metadata.creationTimestamp ?? "") - at) / 1000);
      this.tell(cronJob, "Normal", "SuccessfulCreate", `Created job ${job.metadata.name}`);
      return job;
    } catch (error) {
      if (isReason(error, "AlreadyExists")) {
        // It was made before, and its note in the status was lost.
        const job = await jobs.get(nameOf(cronJob, at));
        return isControlledBy(job, cronJob) ? job : undefined;
      }
      if (isNamespaceTerminating(error)) return undefined;
      this.tell(cronJob, "Warning", "FailedCreate", `Error creating job: ${textOf(error)}`);
      throw error;
    }
  }

  private async deleteJob(cronJob: CronJob, { name = "", uid }: ObjectReference): Promise<void> {
    const jobs = this.context.client.resource(Job, cronJob.metadata.namespace);
    try {
      await jobs.delete(name, { propagationPolicy: "Background", preconditions: { uid } });
      this.tell(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${name}`);
    } catch (error) {
      if (isReason(error, "NotFound", "Conflict")) return;
      this.tell(cronJob, "Warning", "FailedDelete", `Deleted job: ${textOf(error)}`);
      throw error;
    }
  }

  private tell(cronJob: CronJob, type: "Normal" | "Warning", reason: string, note: string): void {
    this.context.events.record(cronJob, type, reason, note);
  }
}

/** A name of its own for each time, so that no time is started twice. */
function nameOf({ metadata }: CronJob, at: number): string {
  return `${metadata.name}-${Math.floor(at / 60_000)}`;
}

function jobOf(cronJob: CronJob, at: number): Given<Job> {
  const { jobTemplate, timeZone } = cronJob.spec;
  return {
    metadata: {
      name: nameOf(cronJob, at),
      namespace: cronJob.metadata.namespace,
      labels: { ...jobTemplate.metadata?.labels },
      annotations: { ...jobTemplate.metadata?.annotations, [SCHEDULED_AT]: formatIn(at, timeZone) },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec: jobTemplate.spec,
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export const cronJobController = defineController<Inputs>({
  name: "cronjob-controller",
  account: "cronjob-controller",
  workers: 5,
  inputs: {
    cronJobs: input(CronJob, ({ key }) => [key]),
    jobs: input(Job, (change) => ownerKeys(change, CronJob), undefined, ownedIndexes),
  },
  start(context, listers) {
    const controller = new CronJobController(context, listers);
    return (key) => controller.reconcile(key);
  },
});
