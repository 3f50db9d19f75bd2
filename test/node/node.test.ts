/** A machine registers with a cluster, as the user that kubelets are, with a runtime that the test speaks for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lease } from "../../src/api/coordination/lease.ts";
import { Node } from "../../src/api/core/node.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { readMachineFacts } from "../../src/host/machine/machine-facts.ts";
import { type NodeOptions, startNode } from "../../src/kubelet/node/kubelet-node.ts";
import { until } from "../scenario/until.ts";
import { asUser, clusterOfUsers } from "./harness/as-user.ts";

const NAME = "machine";
const NOT_READY = {
  type: "NetworkReady",
  status: false,
  reason: "NetworkPluginNotReady",
  message: "Network plugin returns error: cni plugin not initialized",
};

async function setUp(more: Partial<NodeOptions> = {}) {
  const clock = new VirtualClock();
  const { cluster, transport } = await clusterOfUsers(clock);
  const client = asUser(transport, `system:node:${NAME}`, "system:nodes");
  const state = { down: false, network: { ...NOT_READY }, addresses: ["192.0.2.1"], events: [] as string[] };
  const options: NodeOptions = {
    nodeName: NAME,
    hostname: NAME,
    client,
    runtime: {
      status: async () => {
        if (state.down) throw new Error("unavailable");
        const conditions = [{ type: "RuntimeReady", status: true, reason: "", message: "" }, state.network];
        return { status: { conditions }, info: new Map(), runtimeHandlers: [], features: undefined };
      },
      version: async () => ({
        version: "0.1.0",
        runtimeName: "containerd",
        runtimeVersion: "1.6.20",
        runtimeApiVersion: "v1",
      }),
    },
    machine: await readMachineFacts(),
    addresses: () => state.addresses,
    storageBytes: async () => 2 ** 30,
    kubeletVersion: "v1.36.2",
    port: () => 10250,
    events: { record: (_, type, reason) => state.events.push(`${type} ${reason}`) },
    clock,
    random: () => 0,
    ...more,
  };
  const nodes = cluster.client.resource(Node);
  return { cluster, clock, state, options, nodes };
}

function ready(node: Node | undefined): string | undefined {
  return node?.status?.conditions?.find(({ type }) => type === "Ready")?.message;
}

test("a machine registers as a node, says why it is not ready, and when it is", async () => {
  const more = { labels: { "example.com/disk": "fast" }, podsAreLimited: true };
  const { cluster, state, options, nodes } = await setUp(more);
  await using _ = cluster;
  const node = startNode(options);
  await node.registered;
  const made = await nodes.get(NAME);
  assert.equal(made.metadata.labels?.["kubernetes.io/hostname"], NAME);
  assert.equal(made.metadata.labels?.["example.com/disk"], "fast");
  assert.equal(made.status?.capacity?.pods, "110");
  assert.equal(made.status?.nodeInfo?.containerRuntimeVersion, "containerd://1.6.20");
  assert.equal(
    ready(made),
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady " +
      "message:Network plugin returns error: cni plugin not initialized",
  );
  state.network.status = true;
  await cluster.pass(6_000);
  assert.equal(ready(await nodes.get(NAME)), "kubelet is posting ready status");
  assert.deepEqual(state.events, [
    "Normal Starting",
    "Normal NodeAllocatableEnforced",
    "Normal NodeHasSufficientMemory",
    "Normal NodeHasNoDiskPressure",
    "Normal NodeHasSufficientPID",
    "Normal NodeReady",
  ]);

  const lease = await cluster.client.resource(Lease, "kube-node-lease").get(NAME);
  assert.equal(lease.metadata.ownerReferences?.[0]?.uid, made.metadata.uid);
  assert.equal(lease.spec?.leaseDurationSeconds, 40);
  const { resourceVersion } = (await nodes.get(NAME)).metadata;
  await cluster.pass(40_000);
  const renewed = await cluster.client.resource(Lease, "kube-node-lease").get(NAME);
  assert.ok(renewed.spec!.renewTime! > lease.spec!.renewTime!);
  // Nothing changed, so nothing was told; the control plane goes by the lease.
  assert.equal((await nodes.get(NAME)).metadata.resourceVersion, resourceVersion);
  await cluster.pass(5 * 60_000);
  assert.notEqual((await nodes.get(NAME)).metadata.resourceVersion, resourceVersion);
  await node.stop();
});

test("a node tells that its runtime is down, and that its address changed", async () => {
  const { cluster, state, options, nodes } = await setUp();
  await using _ = cluster;
  state.network.status = true;
  const node = startNode(options);
  await node.registered;
  assert.equal(ready(await nodes.get(NAME)), "kubelet is posting ready status");
  state.down = true;
  state.addresses = ["192.0.2.9", "2001:db8::9"];
  await cluster.pass(41_000);
  const now = await nodes.get(NAME);
  assert.equal(ready(now), "container runtime is down");
  assert.deepEqual(now.status?.addresses, [
    { type: "InternalIP", address: "192.0.2.9" },
    { type: "InternalIP", address: "2001:db8::9" },
    { type: "Hostname", address: NAME },
  ]);
  state.down = false;
  await cluster.pass(6_000);
  assert.equal(ready(await nodes.get(NAME)), "kubelet is posting ready status");
  await node.stop();
});

test("a node whose runtime hangs says so, and is ready again as soon as it answers", async () => {
  let hangs = false;
  const { cluster, clock, state, options, nodes } = await setUp({
    images: () => (hangs ? new Promise(() => {}) : Promise.resolve([{ names: ["a:1"], sizeBytes: 1 }])),
  });
  await using _ = cluster;
  state.network.status = true;
  const { status } = options.runtime;
  const problems: string[] = [];
  const node = startNode({
    ...options,
    problems: () => problems,
    runtime: {
      ...options.runtime,
      async status(request, timeoutMs = 0) {
        if (hangs) {
          await new Promise<void>((resolve) => clock.setTimer(timeoutMs, resolve));
          throw new Error("context deadline exceeded");
        }
        return status(request);
      },
    },
  });
  await node.registered;
  hangs = true;
  await cluster.pass(60_000);
  const silent = await nodes.get(NAME);
  assert.equal(ready(silent), "container runtime is down");
  assert.deepEqual(silent.status?.images, [{ names: ["a:1"], sizeBytes: 1 }]);
  problems.push("PLEG is not healthy: pleg was last seen active 3m1s ago; threshold is 3m0s");
  await cluster.pass(11_000);
  assert.equal(ready(await nodes.get(NAME)), `[container runtime is down, ${problems[0]}]`);
  assert.ok(state.events.includes("Normal NodeNotReady"));
  hangs = false;
  problems.length = 0;
  await cluster.pass(16_000);
  assert.equal(ready(await nodes.get(NAME)), "kubelet is posting ready status");
  await node.stop();
});

test("a node that comes back keeps what others said of it, and gives what they add to the pods", async () => {
  const { cluster, options, nodes, state } = await setUp();
  await using _ = cluster;
  state.network.status = true;
  const first = startNode({ ...options, taints: [{ key: "a", effect: "NoSchedule" }] });
  await first.registered;
  await first.stop();
  const patch = { metadata: { labels: { "example.com/kept": "yes", "kubernetes.io/os": "plan9" } } };
  await nodes.patch(NAME, patch, { type: "merge" });
  const second = startNode(options);
  await second.registered;
  const { metadata, spec } = await nodes.get(NAME);
  assert.equal(metadata.labels?.["example.com/kept"], "yes");
  assert.equal(metadata.labels?.["kubernetes.io/os"], "linux");
  assert.ok(spec?.taints?.some(({ key }) => key === "a"));

  const capacity = { status: { capacity: { "example.com/gpu": "4" } } };
  await nodes.patch(NAME, capacity, { type: "strategic", subresource: "status" });
  const node = await until(nodes, NAME, (now) => now?.status?.allocatable?.["example.com/gpu"] === "4");
  assert.equal(node?.status?.capacity?.["example.com/gpu"], "4");
  await second.stop();
});
