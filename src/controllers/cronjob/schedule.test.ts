import assert from "node:assert/strict";
import { test } from "node:test";
import type { CronJob } from "../../api/batch/cron-job.ts";
import { dueTime } from "./due-time.ts";
import { parseSchedule } from "./schedule.ts";
import { formatIn, formatRFC1123Z } from "./time-zone.ts";

/** The times after `from`, without their seconds. */
function times(text: string, from: string, count: number, timeZone?: string): string[] {
  const schedule = parseSchedule(text, timeZone);
  const found: string[] = [];
  let time = Date.parse(from);
  for (let i = 0; i < count; i++) {
    const next = schedule.next(time);
    if (next === undefined) break;
    found.push(new Date(next).toISOString().slice(0, 16));
    time = next;
  }
  return found;
}

test("a schedule falls due at the next minute that its fields say", () => {
  const cases: [string, string, string[]][] = [
    ["*/15 * * * *", "2026-01-01T00:00:00Z", ["2026-01-01T00:15", "2026-01-01T00:30"]],
    ["0 0 1 JAN ?", "2026-01-01T00:00:00Z", ["2027-01-01T00:00", "2028-01-01T00:00"]],
    ["30 6-16/4 * * Mon-fri", "2026-01-02T11:00:00Z", ["2026-01-02T14:30", "2026-01-05T06:30"]],
    ["5,10 3/9 * * *", "2026-01-01T03:06:00Z", ["2026-01-01T03:10", "2026-01-01T12:05"]],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", ["2028-02-29T00:00"]],
    ["@hourly", "2026-12-31T23:59:59Z", ["2027-01-01T00:00", "2027-01-01T01:00"]],
    ["@weekly", "2026-01-01T00:00:00Z", ["2026-01-04T00:00", "2026-01-11T00:00"]],
    ["@every 90s", "2026-01-01T00:00:00Z", ["2026-01-01T00:01", "2026-01-01T00:03"]],
  ];
  for (const [text, from, expected] of cases) {
    assert.deepEqual(times(text, from, expected.length), expected, text);
  }
});

test("either day counts where both are named, both where one is a star", () => {
  assert.deepEqual(times("0 0 13 * FRI", "2026-02-07T00:00:00Z", 2), [
    "2026-02-13T00:00",
    "2026-02-20T00:00",
  ]);
  assert.deepEqual(times("0 0 13 * *", "2026-02-01T00:00:00Z", 2), ["2026-02-13T00:00", "2026-03-13T00:00"]);
  // A step takes the star's meaning away.
  assert.deepEqual(times("0 0 */30 * MON", "2026-01-02T00:00:00Z", 2), [
    "2026-01-05T00:00",
    "2026-01-12T00:00",
  ]);
});

test("a schedule that never falls due says so", () => {
  assert.deepEqual(times("0 0 31 2 *", "2026-01-01T00:00:00Z", 1), []);
});

test("an hour that a zone skips has no times, one that comes twice has them twice", () => {
  const zone = "Europe/Berlin";
  assert.deepEqual(times("30 2 * * *", "2026-03-28T00:00:00Z", 3, zone), [
    "2026-03-28T01:30",
    "2026-03-30T00:30",
    "2026-03-31T00:30",
  ]);
  assert.deepEqual(times("30 2 * * *", "2026-10-24T12:00:00Z", 3, zone), [
    "2026-10-25T00:30",
    "2026-10-25T01:30",
    "2026-10-26T01:30",
  ]);
  assert.deepEqual(times("0 0 1 * *", "2026-03-15T00:00:00Z", 2, zone), [
    "2026-03-31T22:00",
    "2026-04-30T22:00",
  ]);
  // Midnight itself is skipped in Cairo on 2026-04-24: the day begins at one.
  assert.deepEqual(times("0 1 24 4 *", "2026-04-01T00:00:00Z", 1, "Africa/Cairo"), ["2026-04-23T22:00"]);
  assert.deepEqual(times("0 9 * * *", "2026-01-01T00:00:00Z", 1, "Asia/Kolkata"), ["2026-01-01T03:30"]);
});

test("times are written in their zone, and as Go writes them in events", () => {
  const time = Date.parse("2026-07-01T00:00:00Z");
  assert.equal(formatIn(time, undefined), "2026-07-01T00:00:00Z");
  assert.equal(formatIn(time, "Europe/Berlin"), "2026-07-01T02:00:00+02:00");
  assert.equal(formatIn(time, "America/St_Johns"), "2026-06-30T21:30:00-02:30");
  assert.equal(formatRFC1123Z(time), "Wed, 01 Jul 2026 00:00:00 +0000");
});

function cronJob(text: string, deadline?: number, lastScheduleTime?: string): CronJob {
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { schedule: text, jobTemplate: {}, startingDeadlineSeconds: deadline },
    status: { lastScheduleTime },
  };
}

test("the last of the times that were missed is due", () => {
  const due = (text: string, now: string, ...more: [number?, string?]) => {
    const found = dueTime(cronJob(text, ...more), parseSchedule(text, undefined), Date.parse(now));
    return found && [new Date(found.at).toISOString().slice(0, 16), found.tooMany];
  };
  assert.equal(due("0 * * * *", "2026-01-01T00:59:59Z"), undefined);
  assert.deepEqual(due("0 * * * *", "2026-01-01T01:00:00Z"), ["2026-01-01T01:00", false]);
  assert.deepEqual(due("0 * * * *", "2026-01-05T03:30:00Z"), ["2026-01-05T03:00", false]);
  assert.deepEqual(due("0 * * * *", "2026-01-05T05:30:00Z"), ["2026-01-05T05:00", true]);
  assert.deepEqual(due("* * * * *", "2036-01-05T05:30:30Z"), ["2036-01-05T05:30", true]);
  assert.deepEqual(due("@every 7m", "2026-01-01T00:30:00Z"), ["2026-01-01T00:28", false]);
  assert.deepEqual(due("30 6-16/4 * * 1-5", "2026-01-04T12:00:00Z"), ["2026-01-02T14:30", false]);
  assert.deepEqual(due("0 * * * *", "2026-01-05T05:30:00Z", 7200), ["2026-01-05T05:00", false]);
  assert.equal(due("0 * * * *", "2026-01-05T05:30:00Z", 600), undefined);
  assert.equal(due("0 * * * *", "2026-01-05T05:30:00Z", undefined, "2026-01-05T05:00:00Z"), undefined);
});
