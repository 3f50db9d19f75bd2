import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../src/base/clock.ts";
import { nodeCloud } from "../../src/controllers/cloud/node-load-balancers.ts";
import { Event, Node, Service, startCluster, type VirtualCluster } from "../../src/testing/index.ts";

const FINALIZER = "service.kubernetes.io/load-balancer-cleanup";
const ports = [{ port: 80 }];

function start(...loadBalancerRanges: string[]): Promise<VirtualCluster> {
  return startCluster({ clock: new VirtualClock(), settings: { loadBalancerRanges } });
}

async function addressOf({ client }: VirtualCluster, name: string): Promise<string | undefined> {
  const { status } = await client.resource(Service, "default").get(name);
  return status?.loadBalancer?.ingress?.[0]?.ip;
}

async function reasons({ client }: VirtualCluster, name: string): Promise<string[]> {
  const { items } = await client.resource(Event, "default").list();
  return items.filter(({ involvedObject }) => involvedObject.name === name).map(({ reason = "" }) => reason);
}

test("a LoadBalancer Service gets an address, and gives it back when it becomes another type or goes", async () => {
  await using cluster = await start("192.0.2.1-192.0.2.1");
  const services = cluster.client.resource(Service, "default");
  await services.create({ metadata: { name: "a" }, spec: { type: "LoadBalancer", ports } });
  await cluster.pass(1_000);
  const a = await services.get("a");
  assert.deepEqual(a.status?.loadBalancer?.ingress, [{ ip: "192.0.2.1", ipMode: "VIP" }]);
  assert.deepEqual(a.metadata.finalizers, [FINALIZER]);
  assert.deepEqual((await reasons(cluster, "a")).sort(), [
    "EnsuredLoadBalancer",
    "EnsuringLoadBalancer",
    "UnAvailableLoadBalancer",
  ]);

  await services.create({ metadata: { name: "b" }, spec: { type: "LoadBalancer", ports } });
  await cluster.pass(1_000);
  assert.equal(await addressOf(cluster, "b"), undefined);
  assert.ok((await reasons(cluster, "b")).includes("SyncLoadBalancerFailed"));

  await services.patch("a", { spec: { type: "ClusterIP" } }, { type: "strategic" });
  await cluster.pass(1_000);
  assert.equal(await addressOf(cluster, "a"), undefined);
  assert.deepEqual((await services.get("a")).metadata.finalizers ?? [], []);
  assert.equal(await addressOf(cluster, "b"), "192.0.2.1", "who waited gets it at once");
  assert.ok((await reasons(cluster, "a")).includes("Type"), "the change is told");

  await services.patch("a", { spec: { type: "LoadBalancer" } }, { type: "strategic" });
  await services.delete("b");
  await cluster.pass(1_000);
  assert.equal(await addressOf(cluster, "a"), "192.0.2.1");
});

test("loadBalancerIP is honoured where it is free, and a loadBalancerClass is left to others", async () => {
  await using cluster = await start("192.0.2.0/28");
  const services = cluster.client.resource(Service, "default");
  const spec = { type: "LoadBalancer", ports, loadBalancerIP: "192.0.2.7" };
  await services.create({ metadata: { name: "asks" }, spec });
  await cluster.pass(1_000);
  await services.create({ metadata: { name: "asks-too" }, spec });
  const classed = { type: "LoadBalancer", ports, loadBalancerClass: "example.com/other" };
  await services.create({ metadata: { name: "classed" }, spec: classed });
  await services.create({ metadata: { name: "outside" }, spec: { ...spec, loadBalancerIP: "198.51.100.1" } });
  await cluster.pass(1_000);
  assert.equal(await addressOf(cluster, "asks"), "192.0.2.7");
  for (const name of ["asks-too", "classed", "outside"])
    assert.equal(await addressOf(cluster, name), undefined);
  assert.deepEqual(await reasons(cluster, "classed"), []);

  await services.patch("asks", { spec: { loadBalancerIP: "192.0.2.8" } }, { type: "strategic" });
  await cluster.pass(6_000);
  assert.equal(await addressOf(cluster, "asks"), "192.0.2.8");
  await cluster.pass(30_000);
  assert.equal(await addressOf(cluster, "asks-too"), "192.0.2.7");
});

test("many Services that come at once get an address each", async () => {
  await using cluster = await start("192.0.2.0/24");
  const services = cluster.client.resource(Service, "default");
  const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
  const spec = { type: "LoadBalancer", ports, allocateLoadBalancerNodePorts: false };
  await Promise.all(names.map((name) => services.create({ metadata: { name }, spec })));
  await cluster.pass(1_000);
  const addresses = await Promise.all(names.map((name) => addressOf(cluster, name)));
  assert.equal(new Set(addresses).size, 100);
  assert.ok(!addresses.includes(undefined));
});

test("without ranges a LoadBalancer Service stays pending and can be deleted", async () => {
  await using cluster = await start();
  const services = cluster.client.resource(Service, "default");
  await services.create({ metadata: { name: "a" }, spec: { type: "LoadBalancer", ports } });
  await cluster.pass(1_000);
  assert.equal(await addressOf(cluster, "a"), undefined);
  await services.delete("a");
  assert.deepEqual((await services.list({ fieldSelector: "metadata.name=a" })).items, []);
});

test("a LoadBalancer Service on the nodes' addresses follows them, and tells of a port that it cannot have", async () => {
  const cloud = nodeCloud({ reserved: new Set(["tcp/22"]), isTaken: async () => false });
  await using cluster = await startCluster({ clock: new VirtualClock(), settings: { cloud } });
  const { client } = cluster;
  const services = client.resource(Service, "default");
  const nodes = client.resource(Node);
  const shown = async (): Promise<string[]> =>
    ((await services.get("a")).status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
  const addressed = async (name: string, address: string): Promise<void> => {
    const status = { addresses: [{ type: "InternalIP", address }] };
    await nodes.patch(name, { status }, { type: "merge", subresource: "status" });
    await cluster.pass(1_000);
  };
  await services.create({ metadata: { name: "a" }, spec: { type: "LoadBalancer", ports } });
  await cluster.pass(1_000);
  assert.deepEqual(await shown(), []);
  await nodes.create({ metadata: { name: "n" } });
  await addressed("n", "192.0.2.1");
  assert.deepEqual(await shown(), ["192.0.2.1"]);
  await addressed("n", "192.0.2.7");
  assert.deepEqual(await shown(), ["192.0.2.7"]);
  await services.create({ metadata: { name: "b" }, spec: { type: "LoadBalancer", ports: [{ port: 22 }] } });
  await cluster.pass(1_000);
  assert.equal(await addressOf(cluster, "b"), undefined);
  const { items } = await client.resource(Event, "default").list();
  const why = items.find(({ reason }) => reason === "SyncLoadBalancerFailed")?.message;
  assert.equal(why, "Error syncing load balancer: port 22/TCP of the nodes is kept for the nodes themselves");
});
