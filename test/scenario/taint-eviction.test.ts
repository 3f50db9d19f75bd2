import assert from "node:assert/strict";
import { test } from "node:test";
import type { Toleration } from "../../src/api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { Event, Node, Pod, startCluster, type VirtualCluster } from "../../src/testing/index.ts";

const TAINT = { key: "kybern.dev/evict", value: "yes", effect: "NoExecute" };

async function runPod(
  { client }: VirtualCluster,
  name: string,
  nodeName: string,
  seconds?: number | "always",
): Promise<void> {
  const toleration: Toleration = {
    key: TAINT.key,
    operator: "Equal",
    value: TAINT.value,
    effect: "NoExecute",
  };
  if (typeof seconds === "number") toleration.tolerationSeconds = seconds;
  const tolerations = seconds === undefined ? [] : [toleration];
  const spec = {
    nodeName,
    tolerations,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "c", image: "c" }],
  };
  await client.resource(Pod, "default").create({ metadata: { name }, spec });
}

async function taint({ client }: VirtualCluster, node: string, taints: object[]): Promise<void> {
  await client.resource(Node).patch(node, { spec: { taints } }, { type: "strategic" });
}

async function podNames({ client }: VirtualCluster): Promise<string[]> {
  const { items } = await client.resource(Pod, "default").list();
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name!)
    .sort();
}

async function startWithNode(): Promise<VirtualCluster> {
  const cluster = await startCluster({
    clock: new VirtualClock(),
    controllers: ["*", "-node-lifecycle-controller"],
  });
  await cluster.client.resource(Node).create({ metadata: { name: "n" } });
  return cluster;
}

test("a NoExecute taint evicts who does not bear it, who bears it for a while later, and nobody else", async () => {
  await using cluster = await startWithNode();
  const { client } = cluster;
  await runPod(cluster, "never", "n");
  await runPod(cluster, "short", "n", 5);
  await runPod(cluster, "long", "n", 20);
  await runPod(cluster, "always", "n", "always");
  await cluster.settle();
  const watched = client.resource(Pod, "default").watch({ fieldSelector: "metadata.name=never" });
  const told = (async () => {
    for await (const { type, object } of watched) if (type === "DELETED") return object;
    return undefined;
  })();
  await taint(cluster, "n", [TAINT]);
  await cluster.settle();
  assert.deepEqual(await podNames(cluster), ["always", "long", "short"]);
  const condition = (await told)?.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  assert.equal(condition?.reason, "DeletionByTaintManager");
  assert.equal(condition?.message, "Taint manager: deleting due to NoExecute taint");
  await cluster.pass(4_900);
  assert.deepEqual(await podNames(cluster), ["always", "long", "short"]);
  await cluster.pass(200);
  assert.deepEqual(await podNames(cluster), ["always", "long"]);
  await runPod(cluster, "late", "n", 5);
  await cluster.pass(14_500);
  assert.deepEqual(await podNames(cluster), ["always", "long"]);
  await cluster.pass(1_000);
  assert.deepEqual(await podNames(cluster), ["always"]);
});

test("taking the taint away cancels the eviction", async () => {
  await using cluster = await startWithNode();
  await runPod(cluster, "p", "n", 10);
  await taint(cluster, "n", [TAINT]);
  await cluster.pass(5_000);
  await taint(cluster, "n", []);
  await cluster.pass(60_000);
  assert.deepEqual(await podNames(cluster), ["p"]);
  const { items } = await cluster.client.resource(Event, "default").list();
  const notes = items.filter(({ reason }) => reason === "TaintManagerEviction").map(({ message }) => message);
  assert.deepEqual(notes, ["Cancelling deletion of Pod default/p"]);
});

test("swapping one taint for another leaves the moment of the eviction as it was", async () => {
  await using cluster = await startWithNode();
  const pods = cluster.client.resource(Pod, "default");
  // Admission lets every pod bear these two for 300 seconds.
  await pods.create({
    metadata: { name: "p" },
    spec: { nodeName: "n", containers: [{ name: "c", image: "c" }] },
  });
  await taint(cluster, "n", [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute" }]);
  await cluster.pass(200_000);
  await taint(cluster, "n", [{ key: "node.kubernetes.io/not-ready", effect: "NoExecute" }]);
  await cluster.pass(99_000);
  assert.deepEqual(await podNames(cluster), ["p"]);
  await cluster.pass(2_000);
  assert.deepEqual(await podNames(cluster), []);
});
