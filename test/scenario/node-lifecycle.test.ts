import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../src/base/clock.ts";
import { formatMicroTime, formatTime } from "../../src/machinery/time/time.ts";
import { Lease, Node, Pod, startCluster, type VirtualCluster } from "../../src/testing/index.ts";

const GRACE = 50_000;

async function addNode(cluster: VirtualCluster, name: string, zone = "a"): Promise<void> {
  const nodes = cluster.client.resource(Node);
  const labels = { "topology.kubernetes.io/zone": zone, "kubernetes.io/os": "linux" };
  const node = await nodes.create({ metadata: { name, labels } });
  await post(cluster, node);
}

async function post(cluster: VirtualCluster, node: Node): Promise<void> {
  const time = formatTime(cluster.clock.now());
  const conditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => ({
    type,
    status: type === "Ready" ? "True" : "False",
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  }));
  const patch = { status: { conditions } };
  await cluster.client
    .resource(Node)
    .patch(node.metadata.name!, patch, { type: "strategic", subresource: "status" });
}

/** Renews the leases of nodes for so long, every 10 seconds. */
async function beat(cluster: VirtualCluster, names: readonly string[], ms: number): Promise<void> {
  const leases = cluster.client.resource(Lease, "kube-node-lease");
  for (let left = ms; left > 0; left -= 10_000) {
    const renewTime = formatMicroTime({ seconds: Math.floor(cluster.clock.now() / 1000), nanos: 0 });
    for (const name of names) {
      const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime };
      await leases.patch(name, { spec }, { type: "merge" }).catch(async () => {
        await leases.create({ metadata: { name }, spec });
      });
    }
    await cluster.pass(Math.min(left, 10_000));
  }
}

async function runPod(cluster: VirtualCluster, name: string, nodeName: string): Promise<void> {
  const pods = cluster.client.resource(Pod, "default");
  await pods.create({ metadata: { name }, spec: { nodeName, containers: [{ name: "c", image: "c" }] } });
  const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  await pods.patch(name, { status }, { type: "strategic", subresource: "status" });
}

async function taintsOf({ client }: VirtualCluster, name: string): Promise<string[]> {
  const { spec } = await client.resource(Node).get(name);
  return (spec?.taints ?? [])
    .map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`)
    .sort();
}

test("a node that stops posting becomes Unknown after 50 seconds, is tainted, and its pods leave service", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const { client } = cluster;
  await addNode(cluster, "lost");
  await addNode(cluster, "well", "b");
  await runPod(cluster, "p", "lost");
  await beat(cluster, ["lost", "well"], 200_000);
  assert.deepEqual(await taintsOf(cluster, "lost"), []);
  const { labels } = (await client.resource(Node).get("lost")).metadata;
  assert.equal(labels?.["beta.kubernetes.io/os"], "linux");

  await beat(cluster, ["well"], GRACE - 11_000);
  assert.deepEqual(await taintsOf(cluster, "lost"), []);
  await beat(cluster, ["well"], 3_000);
  const node = await client.resource(Node).get("lost");
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  assert.deepEqual([ready?.status, ready?.reason], ["Unknown", "NodeStatusUnknown"]);
  assert.equal(ready?.message, "Kubelet stopped posting node status.");
  assert.deepEqual(await taintsOf(cluster, "lost"), ["unreachable:NoExecute", "unreachable:NoSchedule"]);
  const pod = await client.resource(Pod, "default").get("p");
  assert.equal(pod.status?.conditions?.find(({ type }) => type === "Ready")?.status, "False");
  assert.equal(pod.metadata.deletionTimestamp, undefined, "it bears the taint for 300 seconds");

  await post(cluster, node);
  await beat(cluster, ["lost", "well"], 10_000);
  assert.deepEqual(await taintsOf(cluster, "lost"), []);
});

test("when all nodes are lost none is tainted NoExecute, and taints come back in turn when one returns", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const names = ["n1", "n2", "n3", "n4"];
  for (const name of names) await addNode(cluster, name);
  await beat(cluster, names, 20_000);
  await cluster.pass(GRACE + 20_000);
  for (const name of names) assert.deepEqual(await taintsOf(cluster, name), ["unreachable:NoSchedule"]);

  const { client } = cluster;
  await post(cluster, await client.resource(Node).get("n1"));
  await post(cluster, await client.resource(Node).get("n2"));
  await beat(cluster, ["n1", "n2"], 5_000);
  const tainted = async (): Promise<number> => {
    const all = await Promise.all(names.map((name) => taintsOf(cluster, name)));
    return all.filter((taints) => taints.includes("unreachable:NoExecute")).length;
  };
  assert.equal(await tainted(), 1, "the first at once");
  await beat(cluster, ["n1", "n2"], 12_000);
  assert.equal(await tainted(), 2, "the second 10 seconds later");
});

test("a node that never posts is lost 60 seconds after it was made, and cordoning it taints it", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const { client } = cluster;
  const nodes = client.resource(Node);
  await nodes.create({ metadata: { name: "silent" } });
  await cluster.pass(59_000);
  assert.deepEqual((await nodes.get("silent")).status?.conditions ?? [], []);
  await cluster.pass(3_000);
  const { status } = await nodes.get("silent");
  assert.deepEqual(
    status?.conditions?.map(({ type, reason }) => `${type}:${reason}`),
    ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map(
      (type) => `${type}:NodeStatusNeverUpdated`,
    ),
  );
  await nodes.patch("silent", { spec: { unschedulable: true } }, { type: "strategic" });
  await cluster.settle();
  assert.ok((await taintsOf(cluster, "silent")).includes("unschedulable:NoSchedule"));
  await nodes.patch("silent", { spec: { unschedulable: false } }, { type: "strategic" });
  await cluster.settle();
  assert.ok(!(await taintsOf(cluster, "silent")).includes("unschedulable:NoSchedule"));
});
