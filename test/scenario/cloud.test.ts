import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../src/base/clock.ts";
import type { CloudProvider, Instance, Route } from "../../src/controllers/runtime/cloud-provider.ts";
import { formatTime } from "../../src/machinery/time/time.ts";
import { Event, Node, startCluster } from "../../src/testing/index.ts";

/** A cloud of maps, which a test changes as it likes. */
function fakeCloud() {
  const machines = new Map<string, Instance>();
  let routes: Route[] = [];
  const provider: CloudProvider = {
    name: "fake",
    instances: { find: async (node) => machines.get(node.metadata.name!) },
    routes: {
      list: async () => [...routes],
      async create(route) {
        if (route.node === "unreachable") throw new Error("no way there");
        routes.push(route);
      },
      async delete(gone) {
        routes = routes.filter(({ cidr, node }) => cidr !== gone.cidr || node !== gone.node);
      },
    },
  };
  return { provider, machines, routes: () => routes };
}

const machine = (name: string): Instance => ({
  providerID: `fake://${name}`,
  instanceType: "large",
  zone: "z1",
  region: "r1",
  addresses: [{ type: "InternalIP", address: "192.0.2.10" }],
});

test("a new node of the cloud is told of its machine, and its taint goes", async () => {
  const { provider, machines } = fakeCloud();
  machines.set("n", machine("n"));
  await using cluster = await startCluster({ clock: new VirtualClock(), settings: { cloud: provider } });
  const nodes = cluster.client.resource(Node);
  const taints = [
    { key: "node.cloudprovider.kubernetes.io/uninitialized", value: "true", effect: "NoSchedule" },
  ];
  await nodes.create({ metadata: { name: "n" }, spec: { taints } });
  await cluster.pass(1_000);
  const { metadata, spec, status } = await nodes.get("n");
  assert.equal(spec?.providerID, "fake://n");
  assert.ok(!spec?.taints?.some(({ key }) => key.endsWith("uninitialized")));
  assert.equal(metadata.labels?.["topology.kubernetes.io/zone"], "z1");
  assert.equal(metadata.labels?.["node.kubernetes.io/instance-type"], "large");
  assert.deepEqual(status?.addresses, [{ type: "InternalIP", address: "192.0.2.10" }]);
});

test("a node that is not ready goes with its machine, and is tainted while that is switched off", async () => {
  const { provider, machines } = fakeCloud();
  machines.set("off", { ...machine("off"), shutdown: true });
  await using cluster = await startCluster({ clock: new VirtualClock(), settings: { cloud: provider } });
  const nodes = cluster.client.resource(Node);
  for (const [name, ready] of [
    ["off", "False"],
    ["gone", "False"],
    ["well", "True"],
  ] as const) {
    await nodes.create({ metadata: { name } });
    const time = formatTime(cluster.clock.now());
    const status = { conditions: [{ type: "Ready", status: ready, lastHeartbeatTime: time }] };
    await nodes.patch(name, { status }, { type: "strategic", subresource: "status" });
  }
  await cluster.pass(1_000);
  const { items } = await nodes.list();
  assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), ["off", "well"]);
  const events = (await cluster.client.resource(Event, "default").list()).items;
  assert.deepEqual(
    events.filter(({ reason }) => reason === "DeletingNode").map(({ message }) => message),
    ["Deleting node gone because it does not exist in the cloud provider"],
  );
  const isOff = async (): Promise<boolean> =>
    (await nodes.get("off")).spec?.taints?.some(({ key }) => key.endsWith("/shutdown")) ?? false;
  assert.ok(await isOff());
  const status = { conditions: [{ type: "Ready", status: "True" }] };
  await nodes.patch("off", { status }, { type: "strategic", subresource: "status" });
  await cluster.pass(1_000);
  assert.ok(!(await isOff()));
});

test("every node gets its routes, stale ones go, and a node without says that its network is unavailable", async () => {
  const { provider, machines, routes } = fakeCloud();
  await using cluster = await startCluster({ clock: new VirtualClock(), settings: { cloud: provider } });
  const nodes = cluster.client.resource(Node);
  for (const name of ["a", "unreachable"]) {
    machines.set(name, machine(name));
    await nodes.create({ metadata: { name } });
  }
  await cluster.pass(1_000);
  const { spec } = await nodes.get("a");
  assert.deepEqual(routes(), [{ node: "a", cidr: spec?.podCIDR }]);
  const condition = async (name: string) =>
    (await nodes.get(name)).status?.conditions?.find(({ type }) => type === "NetworkUnavailable");
  assert.equal((await condition("a"))?.reason, "RouteCreated");
  assert.equal((await condition("unreachable"))?.reason, "NoRouteCreated");
  const tainted = (await nodes.get("unreachable")).spec?.taints ?? [];
  assert.ok(tainted.some(({ key }) => key === "node.kubernetes.io/network-unavailable"));
  await nodes.delete("a");
  await cluster.pass(1_000);
  assert.deepEqual(routes(), []);
});
