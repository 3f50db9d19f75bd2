/** The extension points, by plugins made for the test, on a real API server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../src/base/clock.ts";
import { Informers } from "../../src/client/informer/informers.ts";
import { definePlugin, type Plugin, type WaitingPods } from "../../src/scheduler/framework/plugin.ts";
import { reject } from "../../src/scheduler/framework/rejection.ts";
import { defaultBinder } from "../../src/scheduler/plugins/default-binder.ts";
import { nodeResourcesFit } from "../../src/scheduler/plugins/node-resources-fit.ts";
import { prioritySort } from "../../src/scheduler/plugins/priority-sort.ts";
import { startScheduler } from "../../src/scheduler/start.ts";
import { Node, Pod, startCluster } from "../../src/testing/index.ts";

/** A cluster with one node of two processors, and a scheduler with the plugin beside the least that it needs. */
async function setUp(plugin: (waiting: WaitingPods) => Plugin, binds = true) {
  const clock = new VirtualClock(Date.parse("2026-11-21T12:00:00Z"));
  const cluster = await startCluster({
    clock,
    seed: 3,
    scheduler: false,
    controllers: ["serviceaccount-controller"],
  });
  const { client } = cluster;
  await client.resource(Node).create({
    metadata: { name: "only" },
    spec: {},
    status: { allocatable: { cpu: "2", memory: "4Gi", pods: "10" } },
  });
  const informers = new Informers({ client, clock, random: () => 0 });
  const tested = definePlugin({ name: "Tested", start: ({ waiting }) => plugin(waiting) });
  const scheduler = startScheduler({
    client,
    informers,
    clock,
    random: () => 0,
    plugins: [prioritySort, nodeResourcesFit, tested, ...(binds ? [defaultBinder] : [])],
    log: () => {},
  });
  await scheduler.ready;
  const pods = client.resource(Pod, "default");
  return {
    cluster,
    clock,
    scheduler,
    async create(name: string, cpu = "1"): Promise<void> {
      const resources = { requests: { cpu } };
      await pods.create({
        metadata: { name },
        spec: { containers: [{ name: "main", image: "image", resources }] },
      });
      await cluster.settle();
    },
    /** The pod's node, or why it has none. */
    async told(name: string): Promise<string> {
      const { spec, status } = await pods.get(name);
      const condition = status?.conditions?.find(({ type }) => type === "PodScheduled");
      return spec?.nodeName ?? `${condition?.reason}: ${condition?.message}`;
    },
    nominated: async (name: string) => (await pods.get(name)).status?.nominatedNodeName,
    remove: (name: string) => pods.delete(name, { gracePeriodSeconds: 0 }),
    async [Symbol.asyncDispose]() {
      await scheduler.stop();
      await informers.stop();
      await cluster.stop();
    },
  };
}

test("a pod that a permit plugin lets wait is bound when it is allowed, and its room is taken meanwhile", async () => {
  let waiting: WaitingPods | undefined;
  const uids: string[] = [];
  await using on = await setUp((port) => {
    waiting = port;
    return {
      permit({ info }) {
        uids.push(info.uid);
        return { wait: 60_000 };
      },
    };
  });
  await on.create("first", "2");
  await on.create("second", "1");
  assert.equal(await on.told("first"), "undefined: undefined");
  assert.equal(await on.nominated("first"), "only", "where it is expected to go is told");
  assert.match(await on.told("second"), /^Unschedulable: 0\/1 nodes are available: 1 Insufficient cpu\./);
  waiting!.allow(uids[0]!, "Other");
  await on.cluster.settle();
  assert.equal(await on.told("first"), "undefined: undefined");
  waiting!.allow(uids[0]!, "Tested");
  await on.cluster.settle();
  assert.equal(await on.told("first"), "only");
  assert.equal(await on.nominated("first"), undefined);
});

test("a pod that waits too long, or is refused, gives back what it took, and others get it", async () => {
  let waiting: WaitingPods | undefined;
  const steps: string[] = [];
  await using on = await setUp((port) => {
    waiting = port;
    return {
      reserve: ({ pod }) => void steps.push(`reserve ${pod.metadata.name}`),
      unreserve: ({ pod }) => void steps.push(`unreserve ${pod.metadata.name}`),
      permit: ({ pod }) => (pod.metadata.name === "late" ? { wait: 5000 } : undefined),
      requeue: [],
    };
  });
  await on.create("late", "2");
  assert.equal(await on.nominated("late"), "only");
  await on.create("next", "2");
  assert.match(await on.told("next"), /^Unschedulable/);
  await on.cluster.pass(5000);
  assert.equal(
    await on.told("late"),
    "Unschedulable: 0/1 nodes are available: 1 rejected due to timeout after waiting 5s at plugin Tested.",
  );
  assert.equal(await on.nominated("late"), undefined);
  await on.cluster.pass(1000);
  assert.equal(await on.told("next"), "only");
  assert.deepEqual(steps, ["reserve late", "unreserve late", "reserve next"]);
  assert.ok(waiting);
});

test("a binding that the server refuses is told, undone, and tried again after a while", async () => {
  let refusals = 2;
  const undone: string[] = [];
  await using on = await setUp(() => ({
    async bind() {
      if (refusals-- > 0) throw new Error("no binding today");
      return false;
    },
    unreserve: ({ pod }) => void undone.push(pod.metadata.name ?? ""),
  }));
  await on.create("web");
  assert.equal(
    await on.told("web"),
    'SchedulerError: binding rejected: running Bind plugin "Tested": no binding today',
  );
  await on.cluster.pass(999);
  assert.equal(refusals, 1);
  await on.cluster.pass(2001);
  assert.equal(await on.told("web"), "only");
  assert.deepEqual(undone, ["web", "web"]);
  const text = on.scheduler.metrics.exposition();
  for (const line of [
    'scheduler_schedule_attempts_total{profile="default-scheduler",result="error"} 2',
    'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 1',
    "scheduler_pod_scheduling_attempts_sum 3",
    'scheduler_pod_scheduling_sli_duration_seconds_count{attempts="3"} 1',
    'scheduler_queue_incoming_pods_total{event="PodAdd",queue="active"} 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
});

test("what a plugin throws fails the pod alone, and a refusal before binding gives the node back", async () => {
  await using on = await setUp(() => ({
    prepareFilter({ pod }) {
      if (pod.metadata.name === "broken") throw new Error("a bug");
      return undefined;
    },
    preBind: async ({ pod }) =>
      pod.metadata.name === "refused" ? reject("Tested", "unschedulable", "no volume") : undefined,
    requeue: [],
  }));
  await on.create("broken");
  await on.create("refused", "2");
  await on.create("well", "2");
  assert.equal(await on.told("broken"), "SchedulerError: a bug");
  assert.equal(await on.told("refused"), "Unschedulable: 0/1 nodes are available: 1 no volume.");
  assert.equal(await on.told("well"), "only");
});

test("a pod that is deleted while it waits to be bound leaves nothing behind", async () => {
  const undone: string[] = [];
  await using on = await setUp(() => ({
    permit: ({ pod }) => (pod.metadata.name === "gone" ? { wait: 60_000 } : undefined),
    unreserve: ({ pod }) => void undone.push(pod.metadata.name ?? ""),
  }));
  await on.create("gone", "2");
  await on.remove("gone");
  await on.create("next", "2");
  assert.equal(await on.told("next"), "only");
  assert.deepEqual(undone, ["gone"]);
  assert.deepEqual(on.scheduler.explain("namespaces/default/pods/gone")?.queue, undefined);
});

test("a scheduler that stops lets no pod hang", async () => {
  const on = await setUp(() => ({ permit: () => ({ wait: 60_000 }) }));
  await on.create("waiting");
  await on[Symbol.asyncDispose]();
  assert.equal(on.clock.pending, 0);
});
