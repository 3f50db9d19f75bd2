import assert from "node:assert/strict";
import { Job } from "../../../src/api/batch/job.ts";
import { isPodReady } from "../../../src/api/core/pod/state.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { controllerOf } from "../../../src/machinery/meta/owner.ts";
import type { Stage } from "../../../src/simulate/stage.ts";
import { behaviour, maybe, names, type World } from "./behaviour.ts";
import { NODES, ownerOf } from "./workload.ts";

const INDEX = "batch.kubernetes.io/job-completion-index";

function jobsOf({ client, namespace }: World) {
  return client.resource(Job, namespace);
}

function jobOf(spec: object, pod: object = {}, metadata: object = {}) {
  const template = {
    spec: { restartPolicy: "Never", containers: [{ name: "main", image: "task:1" }], ...pod },
  };
  return {
    metadata: { name: "task", ...metadata },
    spec: { parallelism: 2, completions: 4, template, ...spec },
  };
}

async function podsOf({ client, namespace }: World): Promise<Pod[]> {
  return (await client.resource(Pod, namespace).list({ labelSelector: "batch.kubernetes.io/job-name=task" }))
    .items;
}

/** Lets time pass until a condition of the job is true; returns the job. */
async function untilIs(world: World, type: string): Promise<Job> {
  let job: Job | undefined;
  await world.until(async () => {
    job = await maybe(jobsOf(world), "task");
    return conditionOf(job, type)?.status === "True";
  });
  return job!;
}

function conditionOf(job: Job | undefined, type: string) {
  return job?.status?.conditions?.find((condition) => condition.type === type);
}

async function untilRunning(world: World, count: number): Promise<Pod[]> {
  let pods: Pod[] = [];
  await world.until(async () => {
    pods = await podsOf(world);
    return pods.filter(isPodReady).length === count;
  });
  return pods;
}

/** Pods of these indexes end with this code, all others with 0. */
function ending(indexes: string, code: number) {
  return { match: { labels: `${INDEX} in (${indexes})` }, exit: { after: 1000, code } };
}

/** Pods run until they are told to stop. */
const ENDLESS = { ...NODES, stages: [{ exit: { after: 365 * 86_400_000 } }] };

behaviour(
  "[sig-apps] Job should run a job to completion when tasks sometimes fail and are locally restarted [Conformance]",
  async (world) => {
    await jobsOf(world).create(jobOf({ backoffLimit: 100 }, { restartPolicy: "OnFailure" }));
    const job = await untilIs(world, "Complete");
    assert.equal(job.status?.succeeded, 4);
    const restarts = (await podsOf(world)).map(
      ({ status }) => status?.containerStatuses?.[0]?.restartCount ?? 0,
    );
    assert.ok(
      restarts.some((count) => count > 0),
      "some failed and were restarted",
    );
  },
  { ...NODES, seed: 7, stages: [{ exit: { after: 1000, failureRate: 0.5 } }] },
);

behaviour(
  "[sig-apps] Job should create pods for an Indexed job with completion indexes and specified hostname [Conformance]",
  async (world) => {
    await jobsOf(world).create(jobOf({ completionMode: "Indexed" }));
    const { status } = await untilIs(world, "Complete");
    assert.equal(status?.completedIndexes, "0-3");
    const pods = await podsOf(world);
    const indexes = pods.map(({ metadata }) => metadata.annotations?.[INDEX]).sort();
    assert.deepEqual(indexes, ["0", "1", "2", "3"]);
    for (const { metadata, spec } of pods) {
      const index = metadata.annotations?.[INDEX];
      assert.equal(metadata.labels?.[INDEX], index);
      assert.equal(spec?.hostname, `task-${index}`);
      const variable = spec?.containers[0]?.env?.find(({ name }) => name === "JOB_COMPLETION_INDEX");
      assert.equal(variable?.valueFrom?.fieldRef?.fieldPath, `metadata.labels['${INDEX}']`);
    }
  },
  NODES,
);

behaviour(
  "[sig-apps] Job should execute all indexes despite some failing when using backoffLimitPerIndex [Conformance]",
  async (world) => {
    await jobsOf(world).create(jobOf({ completionMode: "Indexed", backoffLimitPerIndex: 1 }));
    const { status } = await untilIs(world, "Failed");
    assert.equal(status?.completedIndexes, "0,2");
    assert.equal(status?.failedIndexes, "1,3");
    assert.equal(status?.failed, 4);
    assert.equal(status?.succeeded, 2);
  },
  { ...NODES, stages: [ending("1,3", 1)] },
);

behaviour(
  "[sig-apps] Job should terminate job execution when the number of failed indexes exceeds maxFailedIndexes [Conformance]",
  async (world) => {
    await jobsOf(world).create(
      jobOf({ completionMode: "Indexed", completions: 10, backoffLimitPerIndex: 0, maxFailedIndexes: 0 }),
    );
    const job = await untilIs(world, "Failed");
    assert.equal(conditionOf(job, "Failed")?.reason, "MaxFailedIndexesExceeded");
    assert.equal(conditionOf(job, "FailureTarget")?.reason, "MaxFailedIndexesExceeded");
    assert.ok((job.status?.succeeded ?? 0) < 9, "it ended before all were tried");
    await world.until(async () => ((await jobsOf(world).get("task")).status?.active ?? 0) === 0);
  },
  { ...NODES, stages: [ending("1", 1)] },
);

behaviour(
  "[sig-apps] Job should mark indexes as failed when the FailIndex action is matched in podFailurePolicy [Conformance]",
  async (world) => {
    const onExitCodes = { operator: "In", values: [42] };
    await jobsOf(world).create(
      jobOf({
        completionMode: "Indexed",
        backoffLimitPerIndex: 1,
        podFailurePolicy: { rules: [{ action: "FailIndex", onExitCodes }] },
      }),
    );
    const { status } = await untilIs(world, "Failed");
    assert.equal(status?.failedIndexes, "1,3");
    assert.equal(status?.completedIndexes, "0,2");
    assert.equal(status?.failed, 2, "none was tried again");
  },
  { ...NODES, stages: [ending("1,3", 42)] },
);

behaviour(
  "[sig-apps] Job should allow to use the pod failure policy on exit code to fail the job early [Conformance]",
  async (world) => {
    const onExitCodes = { operator: "In", values: [42] };
    await jobsOf(world).create(
      jobOf({
        completionMode: "Indexed",
        backoffLimit: 100,
        podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes }] },
      }),
    );
    const job = await untilIs(world, "Failed");
    assert.equal(conditionOf(job, "Failed")?.reason, "PodFailurePolicy");
    assert.equal(job.status?.succeeded ?? 0, 0);
    assert.ok((job.status?.failed ?? 0) <= 2, "neither was tried again");
  },
  { ...NODES, stages: [ending("0", 42), { match: { ownerKind: "Job" }, exit: { after: 60_000 } }] },
);

behaviour(
  "[sig-apps] Job should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition [Conformance]",
  async (world) => {
    const pods = world.client.resource(Pod, world.namespace);
    const onPodConditions = [{ type: "DisruptionTarget", status: "True" }];
    await jobsOf(world).create(
      jobOf({
        completionMode: "Indexed",
        completions: 2,
        backoffLimit: 0,
        podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions }] },
      }),
    );
    const first = await untilRunning(world, 2);
    for (const { metadata } of first) {
      const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: metadata.name } };
      await pods.createSubresource(metadata.name!, "eviction", eviction);
    }
    const job = await untilIs(world, "Complete");
    assert.equal(job.status?.succeeded, 2);
    assert.equal(conditionOf(job, "Failed"), undefined);
  },
  { ...NODES, stages: [{ match: { ownerKind: "Job" }, exit: { after: 30_000 } }] },
);

function succeedsBy(what: string, rule: object, stages: readonly Stage[], done: string): void {
  behaviour(
    `[sig-apps] Job with successPolicy ${what} [Conformance]`,
    async (world) => {
      const successPolicy = { rules: [rule] };
      await jobsOf(world).create(jobOf({ completionMode: "Indexed", parallelism: 4, successPolicy }));
      const job = await untilIs(world, "Complete");
      assert.equal(conditionOf(job, "SuccessCriteriaMet")?.reason, "SuccessPolicy");
      assert.equal(conditionOf(job, "Complete")?.reason, "SuccessPolicy");
      assert.equal(job.status?.completedIndexes, done);
    },
    { ...NODES, stages },
  );
}

const REST = { exit: { after: 86_400_000 } };

succeedsBy("should succeeded when all indexes succeeded", { succeededIndexes: "0-3" }, [], "0-3");
succeedsBy(
  "succeededIndexes rule should succeeded even when some indexes remain pending",
  { succeededIndexes: "0" },
  [ending("0", 0), REST],
  "0",
);
succeedsBy(
  "succeededCount rule should succeeded even when some indexes remain pending",
  { succeededIndexes: "0-3", succeededCount: 1 },
  [ending("0", 0), REST],
  "0",
);

behaviour(
  "[sig-apps] Job should adopt matching orphans and release non-matching pods [Conformance]",
  async (world) => {
    const pods = world.client.resource(Pod, world.namespace);
    await jobsOf(world).create(jobOf({}));
    const [pod] = await untilRunning(world, 2);
    const name = pod?.metadata.name ?? "";
    await pods.patch(name, { metadata: { ownerReferences: null } }, { type: "merge" });
    await world.until(async () => ownerOf(await pods.get(name)) === "task");
    const labels = {
      "job-name": null,
      "batch.kubernetes.io/job-name": null,
      "controller-uid": null,
      "batch.kubernetes.io/controller-uid": null,
    };
    await pods.patch(name, { metadata: { labels } }, { type: "merge" });
    await world.until(async () => controllerOf(await pods.get(name)) === undefined);
  },
  ENDLESS,
);

behaviour(
  "[sig-apps] Job should delete a job [Conformance]",
  async (world) => {
    await jobsOf(world).create(jobOf({}));
    await untilRunning(world, 2);
    await jobsOf(world).delete("task", { propagationPolicy: "Background" });
    await world.until(async () => (await maybe(jobsOf(world), "task")) === undefined);
    await world.until(async () => (await podsOf(world)).length === 0);
  },
  ENDLESS,
);

behaviour(
  "[sig-apps] Job should apply changes to a job status [Conformance]",
  async (world) => {
    const jobs = jobsOf(world);
    await jobs.create(jobOf({}));
    await untilRunning(world, 2);
    await world.until(async () => (await jobs.get("task")).status?.ready === 2);
    const patch = {
      metadata: { annotations: { patched: "yes" } },
      status: { startTime: "2030-01-01T00:00:00Z" },
    };
    const patched = await jobs.patch(
      "task",
      { metadata: patch.metadata },
      { type: "merge", subresource: "status" },
    );
    assert.equal(patched.metadata.annotations?.patched, "yes");
    const condition = {
      type: "CustomConditionType",
      status: "True",
      reason: "E2E",
      message: "Set by a test",
    };
    const conditions = [...(patched.status?.conditions ?? []), condition];
    await jobs.updateStatus({ ...patched, status: { ...patched.status, conditions } });
    const read = await jobs.getSubresource<Job>("task", "status");
    assert.equal(conditionOf(read, "CustomConditionType")?.message, "Set by a test");
  },
  ENDLESS,
);

behaviour(
  "[sig-apps] Job should manage the lifecycle of a job [Conformance]",
  async (world) => {
    const jobs = jobsOf(world);
    await jobs.create(jobOf({ suspend: true }, {}, { labels: { e2e: "task" } }));
    await untilIs(world, "Suspended");
    assert.deepEqual(await podsOf(world), []);
    await jobs.patch("task", { metadata: { labels: { patched: "yes" } } }, { type: "strategic" });
    assert.equal((await jobs.get("task")).metadata.labels?.patched, "yes");
    const now = await jobs.get("task");
    const annotations = { updated: "yes" };
    await jobs.update({
      ...now,
      metadata: { ...now.metadata, annotations },
      spec: { ...now.spec!, suspend: false },
    });
    await untilIs(world, "Complete");
    assert.equal((await jobs.get("task")).metadata.annotations?.updated, "yes");
    assert.deepEqual(await names(world.client.resource(Job), "e2e=task,patched=yes"), ["task"]);
    await jobs.deleteCollection({ labelSelector: "patched=yes", propagationPolicy: "Background" });
    await world.until(async () => (await maybe(jobs, "task")) === undefined);
  },
  NODES,
);
