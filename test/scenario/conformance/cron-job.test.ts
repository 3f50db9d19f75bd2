import assert from "node:assert/strict";
import { CronJob } from "../../../src/api/batch/cron-job.ts";
import { Job } from "../../../src/api/batch/job.ts";
import { behaviour, maybe, names, type World } from "./behaviour.ts";
import { NODES } from "./workload.ts";

const MINUTE = 60_000;
/** Jobs that are never done. */
const ENDLESS = { ...NODES, stages: [{ exit: { after: 365 * 86_400_000 } }] };

function cronOf(concurrencyPolicy: string, more: object = {}) {
  const containers = [{ name: "main", image: "task:1" }];
  const template = { spec: { restartPolicy: "OnFailure", containers } };
  const jobTemplate = { spec: { template } };
  return {
    metadata: { name: "cron" },
    spec: { schedule: "*/1 * * * *", concurrencyPolicy, jobTemplate, ...more },
  };
}

function cronJobsOf({ client, namespace }: World) {
  return client.resource(CronJob, namespace);
}

async function active(world: World): Promise<string[]> {
  const { status } = await cronJobsOf(world).get("cron");
  return (status?.active ?? []).map(({ name }) => name ?? "");
}

function jobs({ client, namespace }: World): Promise<string[]> {
  return names(client.resource(Job, namespace));
}

behaviour(
  "[sig-apps] CronJob should schedule multiple jobs concurrently [Conformance]",
  async (world) => {
    await cronJobsOf(world).create(cronOf("Allow"));
    await world.until(async () => (await active(world)).length === 2);
    assert.equal((await jobs(world)).length, 2);
  },
  ENDLESS,
);

behaviour(
  "[sig-apps] CronJob should not schedule jobs when suspended [Slow] [Conformance]",
  async (world) => {
    await cronJobsOf(world).create(cronOf("Allow", { suspend: true }));
    await world.cluster.pass(5 * MINUTE);
    assert.deepEqual(await jobs(world), []);
  },
  NODES,
);

behaviour(
  "[sig-apps] CronJob should not schedule new jobs when ForbidConcurrent [Slow] [Conformance]",
  async (world) => {
    await cronJobsOf(world).create(cronOf("Forbid"));
    await world.until(async () => (await active(world)).length === 1);
    const [first] = await jobs(world);
    await world.cluster.pass(5 * MINUTE);
    assert.deepEqual(await jobs(world), [first]);
  },
  ENDLESS,
);

behaviour(
  "[sig-apps] CronJob should replace jobs when ReplaceConcurrent [Conformance]",
  async (world) => {
    await cronJobsOf(world).create(cronOf("Replace"));
    await world.until(async () => (await active(world)).length === 1);
    const [first] = await active(world);
    await world.until(async () => {
      const now = await active(world);
      return now.length === 1 && now[0] !== first;
    });
    await world.until(async () => !(await jobs(world)).includes(first!));
  },
  ENDLESS,
);

behaviour(
  "[sig-apps] CronJob should support CronJob API operations [Conformance]",
  async (world) => {
    const { client, until } = world;
    const cronJobs = cronJobsOf(world);
    const labels = { "special-label": "cron" };
    const never = { schedule: "* */1 1 * *", suspend: true };
    for (const name of ["one", "two", "three"]) {
      await cronJobs.create({ ...cronOf("Allow", never), metadata: { name, labels } });
    }
    assert.equal((await cronJobs.get("one")).spec?.schedule, "* */1 1 * *");
    assert.deepEqual(await names(cronJobs, "special-label=cron"), ["one", "three", "two"]);
    assert.equal((await names(client.resource(CronJob), "special-label=cron")).length, 3);

    const events = cronJobs.watch({ labelSelector: "special-label=cron", resourceVersion: "0" });
    const patch = { metadata: { annotations: { patched: "yes" } } };
    await cronJobs.patch("one", patch, { type: "merge" });
    for await (const { type, object } of events) {
      if (type !== "BOOKMARK" && object.metadata.annotations?.patched === "yes") break;
    }
    const now = await cronJobs.get("one");
    const annotations = { ...now.metadata.annotations, updated: "yes" };
    await cronJobs.update({ ...now, metadata: { ...now.metadata, annotations } });
    assert.equal((await cronJobs.get("one")).metadata.annotations?.updated, "yes");

    const time = "2030-01-01T00:00:00Z";
    const told = await cronJobs.patch(
      "one",
      { metadata: { annotations: { status: "patched" } }, status: { lastScheduleTime: time } },
      { type: "merge", subresource: "status" },
    );
    assert.equal(told.status?.lastScheduleTime, time);
    assert.equal(told.metadata.annotations?.status, "patched");
    const later = "2030-01-02T00:00:00Z";
    await cronJobs.updateStatus({ ...told, status: { ...told.status, lastScheduleTime: later } });
    const read = await cronJobs.getSubresource<CronJob>("one", "status");
    assert.equal(read.status?.lastScheduleTime, later);

    await cronJobs.delete("one");
    await until(async () => (await maybe(cronJobs, "one")) === undefined);
    await cronJobs.deleteCollection({ labelSelector: "special-label=cron" });
    await until(async () => (await names(cronJobs)).length === 0);
  },
  NODES,
);
