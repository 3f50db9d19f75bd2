/** CronJobs by a clock that the test moves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CronJobSpec, JobSpec } from "../../src/api/schema/batch.v1.generated.ts";
import { type Cluster, CronJob, Job, startCluster, VirtualClock } from "../../src/testing/index.ts";
import { until } from "./until.ts";
import { untilAll } from "./until-all.ts";

const LIMIT = { timeout: 240_000 };
const MINUTE = 60_000;
const START = "2026-01-01T00:00:30Z";

async function start() {
  const clock = new VirtualClock(Date.parse(START));
  const cluster = await startCluster({ clock });
  const cronJobs = cluster.client.resource(CronJob, "default");
  return { cluster, clock, cronJobs, jobs: cluster.client.resource(Job, "default") };
}

/** A job without pods is complete at once; one with a pod never ends, as nothing runs it. */
function cronJobOf(
  name: string,
  schedule: string,
  more: Partial<CronJobSpec> = {},
  job: Partial<JobSpec> = {},
) {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "work", image: "work:1" }] } };
  const jobTemplate = { metadata: { labels: { of: name } }, spec: { template, ...job } };
  return { metadata: { name }, spec: { schedule, jobTemplate, ...more } };
}

const NO_PODS = { completions: 0, parallelism: 0 };

function names(jobs: readonly Job[]): string[] {
  return jobs.map(({ metadata }) => metadata.name ?? "").sort();
}

function isComplete({ status }: Job): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Complete" && is === "True") ?? false;
}

/** Resolves when the CronJob was looked at in that minute. */
function scheduledAt(cluster: Cluster, name: string, time: string): Promise<CronJob | undefined> {
  return until(
    cluster.client.resource(CronJob, "default"),
    name,
    (cronJob) => cronJob?.status?.lastScheduleTime === time,
  );
}

test("a cron job starts a job at each of its times, named after it", LIMIT, async () => {
  const { cluster, clock, cronJobs, jobs } = await start();
  await using _ = cluster;
  await cronJobs.create(cronJobOf("tick", "* * * * *"));
  clock.advance(30_000);
  await scheduledAt(cluster, "tick", "2026-01-01T00:01:00Z");
  clock.advance(MINUTE);
  const cronJob = await scheduledAt(cluster, "tick", "2026-01-01T00:02:00Z");
  const minutes = Date.parse("2026-01-01T00:01:00Z") / MINUTE;
  assert.deepEqual(names((await jobs.list()).items), [`tick-${minutes}`, `tick-${minutes + 1}`]);
  assert.equal(cronJob?.status?.active?.length, 2);
  const { labels, annotations, ownerReferences } = (await jobs.get(`tick-${minutes}`)).metadata;
  assert.equal(labels?.of, "tick");
  assert.equal(annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"], "2026-01-01T00:01:00Z");
  assert.equal(ownerReferences?.[0]?.uid, cronJob?.metadata.uid);
});

test("a suspended cron job starts nothing, and the last missed time once it goes on", LIMIT, async () => {
  const { cluster, clock, cronJobs, jobs } = await start();
  await using _ = cluster;
  await cronJobs.create(cronJobOf("paused", "* * * * *", { suspend: true }));
  await cronJobs.create(cronJobOf("other", "* * * * *"));
  clock.advance(5 * MINUTE);
  await scheduledAt(cluster, "other", "2026-01-01T00:05:00Z");
  assert.deepEqual((await jobs.list({ labelSelector: "of=paused" })).items, []);
  await cronJobs.patch("paused", { spec: { suspend: false } }, { type: "merge" });
  await scheduledAt(cluster, "paused", "2026-01-01T00:05:00Z");
  assert.equal((await jobs.list({ labelSelector: "of=paused" })).items.length, 1);
});

test("no job is started beside another where the policy forbids it", LIMIT, async () => {
  const { cluster, clock, cronJobs, jobs } = await start();
  await using _ = cluster;
  await cronJobs.create(cronJobOf("alone", "* * * * *", { concurrencyPolicy: "Forbid" }));
  await cronJobs.create(cronJobOf("other", "* * * * *"));
  clock.advance(MINUTE);
  const cronJob = await scheduledAt(cluster, "alone", "2026-01-01T00:01:00Z");
  clock.advance(3 * MINUTE);
  await scheduledAt(cluster, "other", "2026-01-01T00:04:00Z");
  assert.deepEqual(names((await jobs.list({ labelSelector: "of=alone" })).items), [
    cronJob?.status?.active?.[0]?.name,
  ]);
  // With the job gone, the last of the missed times is made up for.
  await jobs.delete(cronJob?.status?.active?.[0]?.name ?? "", { propagationPolicy: "Background" });
  await scheduledAt(cluster, "alone", "2026-01-01T00:04:00Z");
});

test("a running job is replaced by the next where the policy says so", LIMIT, async () => {
  const { cluster, clock, cronJobs, jobs } = await start();
  await using _ = cluster;
  await cronJobs.create(cronJobOf("latest", "* * * * *", { concurrencyPolicy: "Replace" }));
  clock.advance(MINUTE);
  const first = await scheduledAt(cluster, "latest", "2026-01-01T00:01:00Z");
  clock.advance(MINUTE);
  const second = await scheduledAt(cluster, "latest", "2026-01-01T00:02:00Z");
  assert.equal(second?.status?.active?.length, 1);
  assert.notEqual(second?.status?.active?.[0]?.name, first?.status?.active?.[0]?.name);
  await untilAll(jobs, "of=latest", (left) => left.length === 1);
});

test("a cron job knows its last success and keeps as much history as it is told to", LIMIT, async () => {
  const { cluster, clock, cronJobs, jobs } = await start();
  await using _ = cluster;
  await cronJobs.create(cronJobOf("short", "* * * * *", { successfulJobsHistoryLimit: 2 }, NO_PODS));
  for (let minute = 1; minute <= 4; minute++) {
    clock.advance(MINUTE);
    const now = `2026-01-01T00:0${minute}:30Z`;
    await until(cronJobs, "short", (cronJob) => cronJob?.status?.lastSuccessfulTime === now);
  }
  const left = await untilAll(jobs, "of=short", (all) => all.length === 2 && all.every(isComplete));
  const minutes = Date.parse("2026-01-01T00:03:00Z") / MINUTE;
  assert.deepEqual(names(left), [`short-${minutes}`, `short-${minutes + 1}`]);
  assert.equal((await cronJobs.get("short")).status?.active, undefined);
});

test("a new schedule makes up for nothing that it would have started before", LIMIT, async () => {
  const { cluster, clock, cronJobs } = await start();
  await using _ = cluster;
  await cronJobs.create(cronJobOf("changed", "0 0 1 1 *"));
  await cronJobs.create(cronJobOf("other", "*/5 * * * *", {}, NO_PODS));
  clock.advance(12 * MINUTE);
  await until(cronJobs, "other", (cronJob) => cronJob?.status?.lastSuccessfulTime !== undefined);
  await cronJobs.patch("other", { spec: { suspend: true } }, { type: "merge" });
  await cronJobs.patch("changed", { spec: { schedule: "*/5 * * * *" } }, { type: "merge" });
  let scheduled = false;
  const changed = until(cronJobs, "changed", (cronJob) => cronJob?.status?.lastScheduleTime !== undefined);
  void changed.finally(() => {
    scheduled = true;
  });
  // Time goes on while the controller learns of the change.
  for (; !scheduled; await new Promise(setImmediate)) clock.advance(10_000);
  const first = Date.parse((await changed)?.status?.lastScheduleTime ?? "");
  assert.ok(first >= Date.parse("2026-01-01T00:15:00Z"), new Date(first).toISOString());
});

test("a month of a cron job takes a moment", LIMIT, async () => {
  const { cluster, clock, cronJobs, jobs } = await start();
  await using _ = cluster;
  await cronJobs.create(cronJobOf("daily", "@daily", { timeZone: "Europe/Berlin" }, NO_PODS));
  for (let day = 1; day <= 30; day++) {
    clock.advance(24 * 60 * MINUTE);
    const time = new Date(Date.UTC(2026, 0, day, 23)).toISOString().replace(".000Z", "Z");
    await until(
      cronJobs,
      "daily",
      (cronJob) => cronJob?.status?.lastScheduleTime === time && !cronJob.status.active,
    );
  }
  await untilAll(jobs, "of=daily", (left) => left.length === 3);
});
