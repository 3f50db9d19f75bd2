/** Which of the times of a CronJob is to be started now. */
import type { CronJob } from "../../api/batch/cron-job.ts";
import type { Schedule } from "./schedule.ts";

export interface Due {
  /** The last time that has come and was not started. */
  at: number;
  /** Whether so many were missed before it that something must be wrong. */
  tooMany: boolean;
}

const TOO_MANY = 100;

/** `notBefore`: times up to then are none of this schedule's. */
export function dueTime(
  { metadata, spec, status }: CronJob,
  schedule: Schedule,
  now: number,
  notBefore = Number.NEGATIVE_INFINITY,
): Due | undefined {
  let from = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? "");
  if (spec.startingDeadlineSeconds !== undefined) {
    from = Math.max(from, now - spec.startingDeadlineSeconds * 1000);
  }
  from = Math.max(from, notBefore);
  const first = schedule.next(from);
  if (first === undefined || first > now) return undefined;
  const second = schedule.next(first);
  if (second === undefined || second > now) return { at: first, tooMany: false };
  const step = Math.max(second - first, 1000);
  const missed = Math.floor((now - first) / step) + 1;
  return { at: lastTime(schedule, first, step, now), tooMany: missed > TOO_MANY };
}

/** The last time up to `now`. Looks back from there ever farther: from `first` there may be millions. */
function lastTime(schedule: Schedule, first: number, step: number, now: number): number {
  // In whole steps from the first, for schedules that have no clock times but a rhythm.
  const whole = Math.floor((now - first) / step);
  let start = first;
  for (let back = 1; back < whole; back *= 2) {
    const from = first + (whole - back) * step;
    const next = schedule.next(from);
    if (next === undefined || next > now) continue;
    start = next;
    break;
  }
  for (let next = schedule.next(start); next !== undefined && next <= now; next = schedule.next(start)) {
    start = next;
  }
  return start;
}
