/** Pods of two machines reach each other by the configuration and the tunnels that nodes make. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { allowNodesToReadNetwork } from "../../src/network/node-access.ts";
import { macOf } from "../../src/network/overlay/peer.ts";
import { Node, startCluster } from "../../src/testing/index.ts";
import { until } from "../scenario/until.ts";
import { addToNetwork, removeFromNetwork } from "./harness/cni.ts";
import { inReverse } from "./harness/in-reverse.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { type Machine, networkNamespaces } from "./harness/network-namespaces.ts";
import type { NodeNetworkRun } from "./harness/node-network.ts";
import { relay } from "./harness/relay.ts";
import { endProcess, startNodeNetwork } from "./harness/start-node-network.ts";

const CLUSTER_CIDRS = ["10.244.0.0/16", "fd00:10:244::/56"];

interface TestNode {
  name: string;
  machine: Machine;
  podCIDRs: string[];
  overlay: NonNullable<NodeNetworkRun["overlay"]>;
  configuration: string;
  start(more?: Partial<NodeNetworkRun>): Promise<ChildProcess>;
}

async function startNodes(test: TestContext, podCIDRs: Record<string, string[]>, isV6 = false) {
  const t = inReverse(test);
  const directory = await mkdtemp(join(tmpdir(), "kybern-overlay-"));
  const cluster = await startCluster({
    listen: true,
    controllers: ["*", "-node-ipam-controller"],
    heartbeats: false,
  });
  await allowNodesToReadNetwork(cluster.client);
  const socket = join(directory, "api.sock");
  const entrance = await relay(
    { path: socket },
    { host: "127.0.0.1", port: Number(new URL(cluster.url).port) },
  );
  t.after(async () => {
    entrance.close();
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  });
  const addresses = { one: ["192.168.50.1/24", "fd50::1/64"], two: ["192.168.50.2/24", "fd50::2/64"] };
  const machines = await networkNamespaces(t, addresses);
  const nodes: TestNode[] = [];
  for (const [index, [name, cidrs]] of Object.entries(podCIDRs).entries()) {
    const machine = Object.values(machines)[index]!;
    const overlay = {
      nodeName: name,
      nodeIPs: [isV6 ? `fd50::${index + 1}` : `192.168.50.${index + 1}`],
      clusterCIDRs: CLUSTER_CIDRS,
      cniConfDir: join(directory, name, "net.d"),
      runDir: join(directory, name, "run"),
    };
    await cluster.client
      .resource(Node)
      .create({ metadata: { name }, spec: { podCIDR: cidrs[0], podCIDRs: cidrs } });
    nodes.push({
      name,
      machine,
      podCIDRs: cidrs,
      overlay,
      configuration: join(overlay.cniConfDir, "10-kybern.conflist"),
      start: (more) =>
        startNodeNetwork(machine, { socket, kubeconfig: cluster.kubeconfig, overlay, ...more }),
    });
  }
  return { cluster, nodes, one: nodes[0]!, two: nodes[1]! };
}

/** Bytes are sent there and back over TCP; tells by which address the other end saw us. */
const ECHO_SERVER = `require("net").createServer((s) => { s.write(s.remoteAddress + "\\n"); s.pipe(s); })
  .listen(7000, "::", () => console.log("listening"))`;
const SEND = `
  const [host, size] = process.argv.slice(1), socket = require("net").connect(7000, host);
  let got = 0, from = "";
  socket.setTimeout(20000, () => { console.log("timeout"); process.exit(1); });
  socket.once("data", (line) => {
    from = String(line).trim();
    socket.on("data", (chunk) => { got += chunk.length; if (got === Number(size)) { console.log(from); process.exit(0); } });
    socket.write(Buffer.alloc(Number(size), 1));
  });`;

const RECEIVE = `const socket = require("dgram").createSocket("udp4", (message) => console.log(String(message)));
  socket.bind(7001, () => console.log("listening"));`;
const SEND_PACKET = `
  const [from, to, packet] = process.argv.slice(1), socket = require("dgram").createSocket("udp4");
  socket.bind(0, from, () => socket.send(Buffer.from(packet, "hex"), 8472, to, () => socket.close()));`;

/** A UDP packet to port 7001 in an Ethernet frame in VXLAN's network 1. */
function tunnelled(mac: string, from: string, to: string, text: string): Buffer {
  const vxlan = Buffer.from("0800000000000100", "hex");
  const ethernet = Buffer.from(`${mac.replaceAll(":", "")}0200000000090800`, "hex");
  const ip = Buffer.from("450000000000000040110000", "hex");
  const addresses = Buffer.from([from, to].flatMap((address) => address.split(".").map(Number)));
  const header = Buffer.concat([ip, addresses]);
  header.writeUInt16BE(28 + text.length, 2);
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  header.writeUInt16BE(~((sum & 0xffff) + (sum >>> 16)) & 0xffff, 10);
  const udp = Buffer.from("1b591b5900000000", "hex");
  udp.writeUInt16BE(8 + text.length, 4);
  return Buffer.concat([vxlan, ethernet, header, udp, Buffer.from(text)]);
}

async function listen(pod: Machine): Promise<void> {
  const child = pod.spawn(process.execPath, ["-e", ECHO_SERVER], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout!, "data");
}

/** Returns the address that we were seen by. */
async function send(from: Machine, to: string, bytes: number): Promise<string> {
  const seen = await from.run(process.execPath, ["-e", SEND, "--", to, String(bytes)]);
  return seen.trim().replace(/^::ffff:/, "");
}

/** What the kernel has of the pod network, told apart from what it had before. */
async function made(machine: Machine): Promise<string> {
  const links = await machine.run("ip", ["-o", "link", "show"]);
  const tables = await machine.run("nft", ["list", "ruleset"]);
  const forward = await machine.run("cat", [
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv6/conf/all/forwarding",
  ]);
  return [links.replace(/^\d+: /gm, ""), tables, forward].join("\n");
}

test("pods of two nodes reach each other in both families, and leave no trace", {
  skip: cannotRunContainers,
}, async (t) => {
  const { one, two, cluster } = await startNodes(t, {
    "node-1": ["10.244.1.0/24", "fd00:10:244:1::/64"],
    "node-2": ["10.244.2.0/24", "fd00:10:244:2::/64"],
  });
  // As Docker leaves it.
  await one.machine.run("iptables", ["-P", "FORWARD", "DROP"]).catch(() => {});
  const before = await made(one.machine);
  const [first, second] = await Promise.all([one.start(), two.start()]);
  const pods = await Promise.all([one.machine.addPod("a"), one.machine.addPod("b"), two.machine.addPod("c")]);
  const [a, b, c] = pods as [Machine, Machine, Machine];
  const [atA, atB, atC] = (await Promise.all([
    addToNetwork(one.machine, a, one.configuration),
    addToNetwork(one.machine, b, one.configuration),
    addToNetwork(two.machine, c, two.configuration),
  ])) as [string[], string[], string[]];
  assert.match(atA[0]!, /^10\.244\.1\./);
  assert.match(atC[1]!, /^fd00:10:244:2::/);
  for (const pod of pods) await listen(pod);
  const nodes = cluster.client.resource(Node);
  for (const { name } of [one, two]) {
    await until(
      nodes,
      name,
      (node) =>
        node?.status?.conditions?.some((c) => c.type === "NetworkUnavailable" && c.status === "False") ===
        true,
    );
  }
  await Promise.all([routed(one.machine, two.podCIDRs), routed(two.machine, one.podCIDRs)]);
  assert.equal(
    (await nodes.get("node-2")).metadata.annotations?.["network.kybern.dev/public-ip"],
    "192.168.50.2",
  );

  await t.test("pods of one node and of both see each other's own addresses", async () => {
    assert.equal(await send(a, atB[0]!, 100_000), atA[0]);
    assert.equal(await send(a, atC[0]!, 2_000_000), atA[0]);
    assert.equal(await send(c, atA[0]!, 2_000_000), atC[0]);
    assert.equal(await send(a, atB[1]!, 100_000), atA[1]);
    assert.equal(await send(a, atC[1]!, 2_000_000), atA[1]);
  });

  await t.test("a pod's link carries what a tunnel carries, and not a byte more", async () => {
    assert.match(await a.run("ip", ["link", "show", "dev", "eth0"]), /mtu 1450 /);
    // 28 bytes are the headers of IP and ICMP.
    await a.run("busybox", ["ping", "-c1", "-W30", "-s", String(1450 - 28), atC[0]!]);
  });

  await t.test("a node reaches pods of both nodes, and pods reach both nodes", async () => {
    assert.equal(await send(one.machine, atA[0]!, 1000), "10.244.1.1");
    assert.equal(await send(one.machine, atC[0]!, 1000), "10.244.1.0");
    await listen(two.machine);
    assert.equal(await send(a, "192.168.50.2", 1000), "192.168.50.1");
    assert.equal(await send(c, "192.168.50.2", 1000), atC[0]);
  });

  await t.test("the kernel routes, but loopback addresses stay on their machine", async () => {
    assert.equal((await one.machine.run("cat", ["/proc/sys/net/ipv4/ip_forward"])).trim(), "1");
    const settings = await one.machine.run("sh", ["-c", "cat /proc/sys/net/ipv4/conf/*/route_localnet"]);
    assert.deepEqual([...new Set(settings.trim().split("\n"))], ["0"]);
    assert.equal((await one.machine.run("cat", ["/proc/sys/net/ipv6/conf/kybern.1/accept_ra"])).trim(), "0");
  });

  await t.test("connections survive a new start, which changes nothing", async () => {
    const state = async () =>
      Promise.all([
        one.machine.run("ip", ["route", "show"]),
        one.machine.run("ip", ["-o", "link", "show", "dev", "kybern.1"]),
        one.machine.run("ip", ["neigh", "show", "dev", "kybern.1"]),
        one.machine.run("bridge", ["fdb", "show", "dev", "kybern.1"]),
        // Each process marks the table as its own.
        one.machine
          .run("nft", ["list", "table", "inet", "kybern-overlay"])
          .then((table) => table.replace(/"\w{12}"/, "")),
      ]);
    const there = await state();
    await endProcess(first);
    assert.equal(await send(a, atC[0]!, 1000), atA[0]);
    await one.start();
    assert.deepEqual(await state(), there);
    assert.equal(await send(a, atC[0]!, 1000), atA[0]);
  });

  await t.test("packets for tunnels are taken from nodes alone", async () => {
    await two.machine.run("ip", ["address", "add", "192.168.50.9/24", "dev", "eth0"]);
    const receiver = a.spawn(process.execPath, ["-e", RECEIVE], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface(receiver.stdout!)[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, "listening");
    for (const [source, text] of [
      ["192.168.50.9", "not from a node"],
      ["192.168.50.2", "from a node"],
    ] as const) {
      const packet = tunnelled(macOf("node-1"), "10.244.2.77", atA[0]!, text).toString("hex");
      await two.machine.run(process.execPath, ["-e", SEND_PACKET, "--", source, "192.168.50.1", packet]);
    }
    assert.equal((await lines.next()).value, "from a node");
  });

  await t.test("what somebody takes away comes back", async () => {
    await one.machine.run("ip", ["link", "delete", "dev", "kybern.1"]);
    await routed(one.machine, two.podCIDRs);
    await one.machine.run("ip", ["route", "delete", "10.244.2.0/24"]);
    await routed(one.machine, two.podCIDRs);
    assert.equal(await send(a, atC[0]!, 1000), atA[0]);
  });

  await t.test("what leads to a node goes with it, and comes back", async () => {
    await endProcess(second);
    await nodes.delete("node-2");
    const { run } = one.machine;
    await untilSaid(
      async () =>
        await Promise.all([
          ...two.podCIDRs.map((network) => routesTo(one.machine, network)),
          run("bridge", ["fdb", "show", "dev", "kybern.1"]),
          run("ip", ["neigh", "show", "dev", "kybern.1", "nud", "permanent"]),
        ]),
      (all) => all.every((text) => text === ""),
    );
    await nodes.create({
      metadata: { name: "node-2" },
      spec: { podCIDR: two.podCIDRs[0], podCIDRs: two.podCIDRs },
    });
    await two.start();
    await routed(one.machine, two.podCIDRs);
    assert.equal(await send(a, atC[0]!, 1000), atA[0]);
  });

  await t.test("cleaning up leaves the machine as it was, any number of times", async () => {
    for (const [pod, node] of [
      [a, one],
      [b, one],
    ] as const)
      await removeFromNetwork(node.machine, pod, node.configuration);
    for (let time = 0; time < 2; time++) {
      await endProcess(await one.start({ cleanUp: true }));
    }
    assert.equal(await made(one.machine), before);
    assert.deepEqual(await readdir(one.overlay.cniConfDir), []);
  });
});

test("a node that cannot be reached says so once there are others, and its own pods have their network", {
  skip: cannotRunContainers,
}, async (t) => {
  const { one, two, cluster } = await startNodes(t, {
    "node-1": ["10.244.1.0/24"],
    "node-2": ["10.244.2.0/24"],
  });
  const nodes = cluster.client.resource(Node);
  const wrong = { ...one.overlay, nodeIPs: ["192.168.50.77"] };
  const unavailable = (name: string, reason: string) =>
    until(nodes, name, (node) => {
      const condition = node?.status?.conditions?.find(({ type }) => type === "NetworkUnavailable");
      return condition?.reason === reason;
    });
  await one.start({ overlay: wrong });
  await unavailable("node-1", "KybernIsUp");
  const [a, b] = await Promise.all([one.machine.addPod("a"), one.machine.addPod("b")]);
  await addToNetwork(one.machine, a, one.configuration);
  const [atB] = await addToNetwork(one.machine, b, one.configuration);
  await listen(b);
  await send(a, atB!, 1000);
  await two.start();
  const told = await unavailable("node-1", "NoTunnel");
  const condition = told?.status?.conditions?.find(({ type }) => type === "NetworkUnavailable");
  assert.equal(condition?.status, "True");
  assert.match(condition?.message ?? "", /no link of this machine has the node's address 192\.168\.50\.77/);
  await one.machine.run("ip", ["address", "add", "192.168.50.77/24", "dev", "eth0"]);
  await unavailable("node-1", "KybernIsUp");
});

test("tunnels between nodes that reach each other by IPv6 carry both families", {
  skip: cannotRunContainers,
}, async (t) => {
  const podCIDRs = {
    "node-1": ["fd00:10:244:1::/64", "10.244.1.0/24"],
    "node-2": ["fd00:10:244:2::/64", "10.244.2.0/24"],
  };
  const { one, two } = await startNodes(t, podCIDRs, true);
  await Promise.all([one.start(), two.start()]);
  const [a, b] = await Promise.all([one.machine.addPod("a"), two.machine.addPod("b")]);
  const [atA, atB] = await Promise.all([
    addToNetwork(one.machine, a, one.configuration),
    addToNetwork(two.machine, b, two.configuration),
  ]);
  assert.match(await a.run("ip", ["link", "show", "dev", "eth0"]), /mtu 1430 /);
  await listen(b);
  await routed(one.machine, two.podCIDRs);
  await routed(two.machine, one.podCIDRs);
  for (const family of [0, 1]) assert.equal(await send(a, atB[family]!, 500_000), atA[family]);
});

/** Asks the kernel again and again: nothing tells from when on a monitor of it listens. */
async function untilSaid(ask: () => Promise<string[]>, is: (texts: string[]) => boolean): Promise<void> {
  while (!is(await ask()));
}

/** Resolves once the kernel leads to the networks of a node's pods. */
function routed(machine: Machine, networks: readonly string[]): Promise<void> {
  return untilSaid(
    () => Promise.all(networks.map((network) => routesTo(machine, network))),
    (routes) => routes.every((route) => route !== ""),
  );
}

function routesTo({ run }: Machine, network: string): Promise<string> {
  return run("ip", [network.includes(":") ? "-6" : "-4", "route", "show", network]);
}
