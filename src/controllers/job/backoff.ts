/** How long a job waits before it replaces pods that failed: 10 s after the first, doubled with each up to 10 min. */
import type { Pod } from "../../api/core/pods.ts";
import { finishedAt } from "./job-pods.ts";

export interface Backoff {
  /** Since the last success. */
  failures: number;
  /** When the last one was, in milliseconds since 1970. */
  last: number;
}

const FIRST = 10_000;
const LONGEST = 600_000;

/** In milliseconds; zero or less where nothing is to be waited for. */
export function remainingBackoff({ failures, last }: Backoff, now: number): number {
  if (failures === 0) return 0;
  return last + Math.min(FIRST * 2 ** (failures - 1), LONGEST) - now;
}

/** Takes in pods that ended and were not counted before. */
export function backoffAfter(
  before: Backoff | undefined,
  succeeded: readonly Pod[],
  failed: readonly Pod[],
): Backoff {
  let { failures, last } = before ?? { failures: 0, last: 0 };
  let since = Number.NEGATIVE_INFINITY;
  for (const pod of succeeded) since = Math.max(since, finishedAt(pod));
  if (succeeded.length > 0) {
    failures = 0;
    last = 0;
  }
  for (const pod of failed) {
    const at = finishedAt(pod);
    if (at <= since) continue;
    failures++;
    last = Math.max(last, at);
  }
  return { failures, last };
}
