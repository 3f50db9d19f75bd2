/** What the jobs of a CronJob tell its status. */
import type { CronJob } from "../../api/batch/cron-job.ts";
import type { Job } from "../../api/batch/job.ts";
import type { CronJobStatus } from "../../api/schema/batch.v1.generated.ts";

export interface Told {
  type: "Normal" | "Warning";
  reason: string;
  note: string;
}

export type Finish = "Complete" | "Failed";

export function finishOf({ status }: Job): Finish | undefined {
  const found = status?.conditions?.find(
    ({ type, status: is }) => is === "True" && (type === "Complete" || type === "Failed"),
  );
  return found?.type as Finish | undefined;
}

/** `expected`: the name of a job that may have been made without being noted. */
export function observeJobs(
  { status = {} }: CronJob,
  jobs: readonly Job[],
  expected: string | undefined,
): { status: CronJobStatus; events: Told[] } {
  const events: Told[] = [];
  let active = status.active ?? [];
  let lastSuccessfulTime = status.lastSuccessfulTime;
  const known = new Set<string | undefined>();
  for (const job of jobs) {
    const { uid, name } = job.metadata;
    known.add(uid);
    const listed = active.some((reference) => reference.uid === uid);
    const finish = finishOf(job);
    if (!listed && !finish && name !== expected) {
      const note = `Saw a job that the controller did not create or forgot: ${name}`;
      events.push({ type: "Warning", reason: "UnexpectedJob", note });
    } else if (listed && finish) {
      active = active.filter((reference) => reference.uid !== uid);
      const note = `Saw completed job: ${name}, condition: ${finish}`;
      events.push({ type: "Normal", reason: "SawCompletedJob", note });
    }
    const completed = finish === "Complete" ? job.status?.completionTime : undefined;
    if (completed && (!lastSuccessfulTime || Date.parse(completed) > Date.parse(lastSuccessfulTime))) {
      lastSuccessfulTime = completed;
    }
  }
  for (const { uid, name } of active) {
    if (known.has(uid)) continue;
    events.push({ type: "Normal", reason: "MissingJob", note: `Active job went missing: ${name}` });
  }
  active = active.filter(({ uid }) => known.has(uid));
  return { status: statusWith(status, active, lastSuccessfulTime), events };
}

export function statusWith(
  { active: _, lastSuccessfulTime: __, ...rest }: CronJobStatus,
  active: CronJobStatus["active"] = [],
  lastSuccessfulTime: string | undefined,
): CronJobStatus {
  return { ...rest, ...(active.length > 0 && { active }), ...(lastSuccessfulTime && { lastSuccessfulTime }) };
}

/** Finished jobs beyond those that are kept as history, the oldest first. */
export function outlivedJobs({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  const limits = { Complete: spec.successfulJobsHistoryLimit, Failed: spec.failedJobsHistoryLimit };
  return (["Complete", "Failed"] as const).flatMap((finish) => {
    const limit = limits[finish];
    const ended = jobs.filter((job) => finishOf(job) === finish && !job.metadata.deletionTimestamp);
    if (limit === undefined || ended.length <= limit) return [];
    return ended.sort(byStart).slice(0, ended.length - limit);
  });
}

function byStart(a: Job, b: Job): number {
  const [first, second] = [a, b].map(({ status }) =>
    status?.startTime ? Date.parse(status.startTime) : Number.MAX_SAFE_INTEGER,
  ) as [number, number];
  return first - second || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1);
}
