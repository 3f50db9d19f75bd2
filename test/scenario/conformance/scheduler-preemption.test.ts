import assert from "node:assert/strict";
import { ReplicaSet } from "../../../src/api/apps/replica-set.ts";
import { Node } from "../../../src/api/core/node.ts";
import { podCondition } from "../../../src/api/core/pod/state.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { PriorityClass } from "../../../src/api/scheduling/priority-class.ts";
import { until } from "../until.ts";
import { behaviour, maybe, type World } from "./behaviour.ts";
import { podsOf } from "./workload.ts";

/** A resource that nothing else asks for. */
const FOO = "example.com/foo";

/** Every node gets so much of it, and there are classes of priority. */
async function prepare({ client }: World, amount: number): Promise<string[]> {
  const nodes = client.resource(Node);
  const { items } = await nodes.list();
  const amounts = { [FOO]: String(amount) };
  const status = { capacity: amounts, allocatable: amounts };
  for (const { metadata } of items) {
    await nodes.patch(metadata.name!, { status }, { type: "merge", subresource: "status" });
  }
  for (const [name, value] of Object.entries({ p1: 1, p2: 2, p3: 3, p4: 4 })) {
    await client.resource(PriorityClass).create({ metadata: { name }, value });
  }
  return items.map(({ metadata }) => metadata.name!);
}

function asking(amount: number, priorityClassName: string, more: object = {}) {
  const amounts = { [FOO]: String(amount) };
  const container = { name: "main", image: "web:1", resources: { requests: amounts, limits: amounts } };
  return { priorityClassName, containers: [container], ...more };
}

async function running(world: World, name: string, namespace = world.namespace): Promise<Pod> {
  let pod: Pod | undefined;
  await world.until(async () => {
    pod = await maybe(world.client.resource(Pod, namespace), name);
    return pod?.status?.phase === "Running";
  });
  return pod!;
}

/** On each node a pod of the lowest priority and one of the next, which leave 1 of 5 free. */
async function fill(world: World): Promise<string[]> {
  const nodes = await prepare(world, 5);
  const pods = world.client.resource(Pod, world.namespace);
  const named = (node: string) => ({ nodeSelector: { "kubernetes.io/hostname": node } });
  for (const [i, node] of nodes.entries()) {
    // Only the first node has a pod of the lowest priority.
    const lowest = i === 0 ? "p1" : "p2";
    await pods.create({ metadata: { name: `low-${node}` }, spec: asking(2, lowest, named(node)) });
    await pods.create({ metadata: { name: `mid-${node}` }, spec: asking(2, "p2", named(node)) });
    await running(world, `low-${node}`);
    await running(world, `mid-${node}`);
  }
  return nodes;
}

/** The pod of the lowest priority went for the new one, and nobody else. */
async function onlyLowestWent(world: World, nodes: readonly string[], name: string, namespace?: string) {
  const preemptor = await running(world, name, namespace);
  assert.equal(preemptor.spec?.nodeName, nodes[0]);
  const pods = world.client.resource(Pod, world.namespace);
  assert.equal(await maybe(pods, `low-${nodes[0]}`), undefined);
  const left = [`mid-${nodes[0]}`, ...nodes.slice(1).flatMap((node) => [`low-${node}`, `mid-${node}`])];
  for (const each of left) {
    const pod = await pods.get(each);
    assert.equal(pod.status?.phase, "Running");
    assert.equal(pod.metadata.deletionTimestamp, undefined);
  }
}

behaviour(
  "[sig-scheduling] SchedulerPreemption [Serial] validates basic preemption works [Conformance]",
  async (world) => {
    const nodes = await fill(world);
    const pods = world.client.resource(Pod, world.namespace);
    await pods.create({ metadata: { name: "high" }, spec: asking(3, "p4") });
    await onlyLowestWent(world, nodes, "high");
  },
  { nodes: 2 },
);

behaviour(
  "[sig-scheduling] SchedulerPreemption [Serial] validates lower priority pod preemption by critical pod [Conformance]",
  async (world) => {
    const nodes = await fill(world);
    const pods = world.client.resource(Pod, "kube-system");
    await pods.create({ metadata: { name: "critical" }, spec: asking(3, "system-cluster-critical") });
    await onlyLowestWent(world, nodes, "critical", "kube-system");
  },
  { nodes: 2 },
);

behaviour(
  "[sig-scheduling] SchedulerPreemption [Serial] validates pod disruption condition is added to the preempted pod [Conformance]",
  async (world) => {
    await prepare(world, 1);
    const pods = world.client.resource(Pod, world.namespace);
    const finalizers = ["example.com/test-finalizer"];
    await pods.create({ metadata: { name: "victim", finalizers }, spec: asking(1, "p1") });
    await running(world, "victim");
    const nominated = until(pods, "preemptor", (pod) => pod?.status?.nominatedNodeName !== undefined);
    await pods.create({ metadata: { name: "preemptor" }, spec: asking(1, "p4") });
    await world.until(async () => (await pods.get("victim")).metadata.deletionTimestamp !== undefined);
    const condition = podCondition(await pods.get("victim"), "DisruptionTarget");
    assert.equal(condition?.status, "True");
    assert.equal(condition?.reason, "PreemptionByScheduler");
    assert.equal(condition?.message, "default-scheduler: preempting to accommodate a higher priority pod");
    const [node] = (await world.client.resource(Node).list()).items;
    assert.equal((await nominated)?.status?.nominatedNodeName, node?.metadata.name);
    await pods.patch("victim", { metadata: { finalizers: null } }, { type: "merge" });
    await running(world, "preemptor");
  },
  { nodes: 1 },
);

behaviour(
  "[sig-scheduling] SchedulerPreemption [Serial] PreemptionExecutionPath runs ReplicaSets to verify preemption running path [Conformance]",
  async (world) => {
    await prepare(world, 10);
    const sets = world.client.resource(ReplicaSet, world.namespace);
    const phases = async (app: string) => {
      const pods = (await podsOf(world, app)).filter(({ metadata }) => !metadata.deletionTimestamp);
      return pods.map(({ status }) => status?.phase).sort();
    };
    const start = (app: string, replicas: number, amount: number) =>
      sets.create({
        metadata: { name: app },
        spec: {
          replicas,
          selector: { matchLabels: { app } },
          template: { metadata: { labels: { app } }, spec: asking(amount, app) },
        },
      });
    const lower = { p1: 5, p2: 4, p3: 1 };
    for (const [app, replicas] of Object.entries(lower)) await start(app, replicas, 1);
    const all = (count: number) => new Array<string>(count).fill("Running").join();
    const areRunning = async (app: string, count: number) => (await phases(app)).join() === all(count);
    for (const [app, count] of Object.entries(lower)) await world.until(() => areRunning(app, count));
    await start("p4", 1, 3);
    await world.until(() => areRunning("p4", 1));
    await world.until(async () => (await phases("p1")).join() === "Pending,Pending,Pending,Running,Running");
    assert.ok(await areRunning("p2", 4));
    assert.ok(await areRunning("p3", 1));
  },
  { nodes: 1 },
);
