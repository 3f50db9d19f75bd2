import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeShapes } from "../../src/simulate/node-shape.ts";
import { startSimulation } from "../../src/simulate/simulation.ts";
import {
  Deployment,
  Event,
  Lease,
  Node,
  Pod,
  type Stage,
  startCluster,
  VirtualClock,
} from "../../src/testing/index.ts";

const MINUTE = 60_000;

const bound = (name: string, nodeName: string, more: object = {}) => ({
  metadata: { name },
  spec: { nodeName, containers: [{ name: "web", image: "web:1" }], ...more },
});

function clusterOf(count: number, stages: readonly Stage[] = []) {
  return startCluster({ clock: new VirtualClock(), seed: 11, nodes: count, stages });
}

test("simulated nodes register, are ready, hold leases and get their part of the pod network", async () => {
  const clock = new VirtualClock();
  const nodes = {
    count: 4,
    zones: 2,
    capacity: { cpu: "16", "example.com/gpu": "2" },
    labels: { pool: "big" },
  };
  await using cluster = await startCluster({ clock, nodes });
  await cluster.settle();
  const { items } = await cluster.client.resource(Node).list();
  assert.deepEqual(
    items.map(({ metadata }) => metadata.labels?.["topology.kubernetes.io/zone"]),
    ["zone-a", "zone-b", "zone-a", "zone-b"],
  );
  const [node] = items;
  assert.equal(node?.metadata.labels?.["kubernetes.io/hostname"], "node-0");
  assert.equal(node.metadata.labels.pool, "big");
  assert.equal(node.status?.allocatable?.["example.com/gpu"], "2");
  assert.equal(node.status?.capacity?.cpu, "16");
  assert.equal(node.status?.capacity?.pods, "110");
  assert.deepEqual(node.spec?.taints, undefined);
  assert.equal(new Set(items.map(({ spec }) => spec?.podCIDR)).size, 4);
  const leases = cluster.client.resource(Lease, "kube-node-lease");
  const before = (await leases.list()).items.map(({ spec }) => spec?.renewTime);
  await cluster.pass(10_000);
  const after = await leases.list();
  assert.equal(after.items.length, 4);
  assert.equal(after.items[0]?.spec?.leaseDurationSeconds, 40);
  assert.equal(after.items[0].metadata.ownerReferences?.[0]?.kind, "Node");
  for (const [i, { spec }] of after.items.entries()) assert.ok(spec!.renewTime! > before[i]!);
});

test("a pod that is bound to a simulated node runs there with an address of its network, and no other does", async () => {
  await using cluster = await clusterOf(2);
  const pods = cluster.client.resource(Pod, "default");
  await cluster.settle();
  await pods.create(bound("here", "node-1"));
  await pods.create(bound("on-host", "node-1", { hostNetwork: true }));
  await pods.create(bound("elsewhere", "other-node"));
  await cluster.settle();
  const { status } = await pods.get("here");
  const node = await cluster.client.resource(Node).get("node-1");
  assert.equal(status?.phase, "Running");
  assert.equal(status.podIP, node.spec?.podCIDR?.replace("0/24", "2"));
  const onHost = await pods.get("on-host");
  assert.equal(onHost.status?.podIP, status.hostIP);
  assert.equal((await pods.get("elsewhere")).status?.phase, "Pending");
});

test("a pod that is deleted stops its containers within its grace, says so and is gone", async () => {
  await using cluster = await clusterOf(1, [{ terminate: 12_000 }]);
  const pods = cluster.client.resource(Pod, "default");
  await pods.create(bound("slow", "node-0"));
  await pods.create({
    ...bound("held", "node-0"),
    metadata: { name: "held", finalizers: ["example.com/hold"] },
  });
  await cluster.settle();
  await pods.delete("slow");
  await pods.delete("held", { gracePeriodSeconds: 5 });
  await cluster.pass(4000);
  assert.equal((await pods.get("held")).status?.phase, "Running");
  await cluster.pass(1000);
  const held = await pods.get("held");
  assert.equal(held.status?.phase, "Succeeded");
  assert.equal(held.metadata.deletionGracePeriodSeconds, 0);
  await cluster.pass(6000);
  assert.equal((await pods.get("slow")).status?.phase, "Running");
  const gone = async () => (await pods.list({ fieldSelector: "metadata.name=slow" })).items.length === 0;
  assert.equal(await cluster.run({ until: gone }), 1000);
  await pods.patch("held", { metadata: { finalizers: null } }, { type: "merge" });
  await cluster.settle();
  assert.deepEqual((await pods.list()).items, []);
});

test("a node that is halted is lost after its grace, its pods stay, and both come back with it", async () => {
  await using cluster = await clusterOf(2);
  const nodes = cluster.client.resource(Node);
  const pods = cluster.client.resource(Pod, "default");
  const ready = async () =>
    (await nodes.get("node-1")).status?.conditions?.find(({ type }) => type === "Ready")?.status;
  await cluster.pass(MINUTE);
  assert.equal(await ready(), "True");
  cluster.simulation.halt("node-1");
  await pods.create(bound("waiting", "node-1"));
  await cluster.pass(2 * MINUTE);
  assert.equal(await ready(), "Unknown");
  assert.equal((await pods.get("waiting")).status?.phase, "Pending");
  cluster.simulation.resume("node-1");
  await cluster.settle();
  assert.equal(await ready(), "True");
  assert.equal((await pods.get("waiting")).status?.phase, "Running");
});

test("another simulation takes over the nodes and pods that are there", async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ clock, seed: 3 });
  const { client } = cluster;
  const start = () =>
    startSimulation({
      client,
      clock,
      random: () => 0.5,
      nodes: nodeShapes({ count: 2 }),
      stages: [{ start: 5000 }],
    });
  const first = start();
  await first.ready;
  const pods = client.resource(Pod, "default");
  await pods.create(bound("web", "node-0"));
  await cluster.pass(6000);
  const before = await pods.get("web");
  assert.equal(before.status?.phase, "Running");
  await first.stop();
  await pods.delete("web", { gracePeriodSeconds: 0, preconditions: { uid: before.metadata.uid } });
  await pods.create(bound("other", "node-0"));
  await cluster.pass(MINUTE);
  assert.equal((await pods.get("other")).status?.phase, "Pending");
  const second = start();
  await second.ready;
  await cluster.pass(10_000);
  assert.equal((await pods.get("other")).status?.phase, "Running");
  await second.stop();
});

test("the same seed gives the same run of controllers, scheduler and nodes", async () => {
  const run = async (seed: number): Promise<string[]> => {
    const stages = [{ start: { ms: 500, jitter: 3000 } }];
    await using cluster = await startCluster({ clock: new VirtualClock(), seed, nodes: 3, stages });
    const { client } = cluster;
    const labels = { app: "web" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } };
    await client.resource(Deployment, "default").create({
      metadata: { name: "web" },
      spec: { replicas: 8, selector: { matchLabels: labels }, template },
    });
    await cluster.pass(2 * MINUTE);
    const pods = (await client.resource(Pod).list()).items.map(
      ({ metadata, spec, status }) =>
        `${metadata.name} ${metadata.uid} ${metadata.resourceVersion} ${spec?.nodeName} ${status?.podIP}`,
    );
    const events = (await client.resource(Event).list()).items;
    return [...pods, ...events.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)];
  };
  const first = await run(7);
  assert.ok(first.length > 16);
  assert.deepEqual(await run(7), first);
  assert.notDeepEqual(await run(8), first);
});
