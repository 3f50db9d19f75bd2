import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Service } from "../../api/core/services.ts";
import { nodeCloud } from "./node-load-balancers.ts";

const cloud = (taken: string[] = []) =>
  nodeCloud({
    reserved: new Set(["tcp/22"]),
    isTaken: async (protocol, port) => taken.includes(`${protocol}/${port}`),
  }).loadBalancers!;

const service = (name: string, spec: Partial<Service["spec"]> = {}, given: number[] = []): Service => {
  const ports = given.map((port) => ({ port, protocol: "TCP" }));
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name, uid: name },
    spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ port: 80, protocol: "TCP" }], ...spec },
    status: { loadBalancer: ports.length > 0 ? { ingress: [{ ip: "192.0.2.1", ports }] } : {} },
  };
};

const node = (name: string, ...addresses: [type: string, address: string][]): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name },
  status: { addresses: addresses.map(([type, address]) => ({ type, address })) },
});

const NODES = [
  node("b", ["InternalIP", "192.0.2.2"]),
  node("a", ["Hostname", "a"], ["InternalIP", "192.0.2.1"]),
];

test("a Service gets the addresses of all nodes, external ones where they have some, with its ports", async () => {
  const ports = [{ port: 80, protocol: "TCP" }];
  assert.deepEqual(await cloud().ensure(service("a"), NODES), {
    ingress: ["192.0.2.1", "192.0.2.2"].map((ip) => ({ ip, ipMode: "VIP", ports })),
  });
  const external = node("c", ["InternalIP", "192.0.2.3"], ["ExternalIP", "203.0.113.3"]);
  const { ingress } = await cloud().ensure(service("a"), [external]);
  assert.deepEqual(
    ingress?.map(({ ip }) => ip),
    ["203.0.113.3"],
  );
  assert.deepEqual(await cloud().ensure(service("a"), []), {}, "no node has come yet");
});

test("a dual-stack Service gets addresses of both families, its first first", async () => {
  const dual = node("a", ["InternalIP", "192.0.2.1"], ["InternalIP", "fd00::1"]);
  const { ingress } = await cloud().ensure(service("a", { ipFamilies: ["IPv6", "IPv4"] }), [dual]);
  assert.deepEqual(
    ingress?.map(({ ip }) => ip),
    ["fd00::1", "192.0.2.1"],
  );
});

test("a port is one Service's by each protocol, and free again when that goes or asks for another", async () => {
  const balancers = cloud();
  await balancers.ensure(service("a"), NODES);
  await assert.rejects(balancers.ensure(service("b"), NODES), {
    message: "port 80/TCP of the nodes is that of the load balancer of default/a",
  });
  await balancers.ensure(service("c", { ports: [{ port: 80, protocol: "UDP" }] }), NODES);
  await balancers.ensure(service("a", { ports: [{ port: 81, protocol: "TCP" }] }), NODES);
  await balancers.ensure(service("b"), NODES);
  await balancers.remove(service("b"));
  await balancers.ensure(service("d"), NODES);
});

test("a port that the nodes need, or where a program listens, is refused, and what the Service has it keeps", async () => {
  const balancers = cloud(["tcp/80"]);
  const refused = (port: number) =>
    balancers.ensure(service("a", { ports: [{ port, protocol: "TCP" }] }), NODES);
  await assert.rejects(refused(22), { message: "port 22/TCP of the nodes is kept for the nodes themselves" });
  await assert.rejects(refused(80), {
    message: "port 80/TCP of the nodes is taken by a program that listens there",
  });
  await refused(81);
  await assert.rejects(refused(22));
  assert.deepEqual(
    await balancers.update!(service("a", { ports: [{ port: 22, protocol: "TCP" }] }), NODES),
    {},
  );
  await assert.rejects(
    balancers.ensure(service("b", { ports: [{ port: 81, protocol: "TCP" }] }), NODES),
    /default\/a/,
  );
});

test("after a restart, ports are whose status shows them, whoever listens there by now", async () => {
  const balancers = cloud(["tcp/80"]);
  const old = service("old", {}, [80]);
  balancers.observe!("default/old", old);
  await assert.rejects(balancers.ensure(service("new"), NODES), /default\/old/);
  assert.equal((await balancers.ensure(old, NODES)).ingress?.length, 2);
  balancers.observe!("default/old", undefined);
  await assert.rejects(balancers.ensure(service("new"), NODES), /listens there/);
});

test("loadBalancerIP chooses among the nodes' addresses, and is refused where no node has it", async () => {
  const { ingress } = await cloud().ensure(service("a", { loadBalancerIP: "192.0.2.2" }), NODES);
  assert.deepEqual(
    ingress?.map(({ ip }) => ip),
    ["192.0.2.2"],
  );
  await assert.rejects(cloud().ensure(service("a", { loadBalancerIP: "192.0.2.9" }), NODES), {
    message: "no node has the load balancer IP 192.0.2.9",
  });
});
