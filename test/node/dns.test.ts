/** Pods ask a node's DNS as programs do: by the C library, by busybox, over UDP and TCP. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { allowNodesToReadNetwork } from "../../src/network/node-access.ts";
import { Namespace, Node, Service, startCluster } from "../../src/testing/index.ts";
import { until } from "../scenario/until.ts";
import { addToNetwork } from "./harness/cni.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { type Machine, networkNamespaces } from "./harness/network-namespaces.ts";
import type { NodeNetworkRun } from "./harness/node-network.ts";
import { relay } from "./harness/relay.ts";
import { endProcess, startNodeNetwork } from "./harness/start-node-network.ts";

const CLUSTER_DNS = ["10.96.0.10", "fd00:10:96::a"];
const POD_CIDRS = ["10.244.1.0/24", "fd00:10:244:1::/64"];

/** A resolver of the internet: knows one name, answers to all else that there is no such name. */
const RESOLVER = `
  const socket = require("dgram").createSocket("udp4");
  socket.on("message", (query, from) => {
    const end = query.indexOf(0, 12) + 5, known = query.toString("latin1", 12, end - 5) === "\\x07example\\x03com";
    const isA = query[end - 3] === 1, answer = known && isA ? "c00c00010001000000780004c0000207" : "";
    const head = Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, known ? 0x80 : 0x83, 0, 1, 0, answer ? 1 : 0, 0, 0, 0, 0])]);
    socket.send(Buffer.concat([head, query.subarray(12, end), Buffer.from(answer, "hex")]), from.port, from.address);
  });
  socket.bind(53, "0.0.0.0", () => console.log("listening"));`;

/** Asks for A of a name, and prints the code and the addresses; "silence" where nothing comes. */
const ASK = `
  const [protocol, server, port, name, patience] = process.argv.slice(1);
  const labels = name.split(".").map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)]));
  const query = Buffer.concat([Buffer.from("000101000001000000000000", "hex"), ...labels, Buffer.from("0000010001", "hex")]);
  const print = (m) => {
    const found = [];
    for (let i = query.length; i + 16 <= m.length; i += 16) found.push([...m.subarray(i + 12, i + 16)].join("."));
    console.log(m[3] & 15, m.readUInt16BE(6) ? found.join(" ") : "");
    process.exit();
  };
  setTimeout(() => { console.log("silence"); process.exit(); }, Number(patience));
  if (protocol === "udp") {
    const socket = require("dgram").createSocket(server.includes(":") ? "udp6" : "udp4");
    socket.on("error", () => {});
    socket.on("message", print);
    socket.connect(Number(port), server, () => socket.send(query));
  } else {
    const socket = require("net").connect(Number(port), server, () => socket.write(Buffer.concat([Buffer.from([0, query.length]), query])));
    socket.on("error", () => {});
    socket.on("data", (chunk) => chunk.length > 2 && print(chunk.subarray(2)));
  }`;

/** Milliseconds after which nothing comes any more: for who expects an answer, and for who does not. */
const PATIENCE = 20_000;
const SHORT = 700;

async function ask(
  from: Machine,
  protocol: "udp" | "tcp",
  name: string,
  server = CLUSTER_DNS[0]!,
  port = 53,
  patience = PATIENCE,
): Promise<string> {
  const words = [protocol, server, String(port), name, String(patience)];
  return (await from.run(process.execPath, ["-e", ASK, "--", ...words])).trim();
}

/** Asks until the node's DNS has seen what was written a moment ago; for ever where it does not. */
async function asked(from: Machine, name: string, wanted: string): Promise<void> {
  while ((await ask(from, "udp", name)) !== wanted);
}

async function startNode(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), "kybern-dns-"));
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
  const machines = await networkNamespaces(t, {
    node: ["192.168.50.1/24", "fd50::1/64"],
    resolver: ["192.168.50.53/24"],
    stranger: ["192.168.50.99/24"],
  });
  const resolver = machines.resolver.spawn(process.execPath, ["-e", RESOLVER], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(resolver.stdout!, "data");
  await machines.stranger.run("ip", ["route", "add", "10.96.0.0/12", "via", "192.168.50.1"]);
  const resolvConf = join(directory, "resolv.conf");
  await writeFile(resolvConf, "nameserver 192.168.50.53\n");
  const shared = {
    nodeName: "one",
    nodeIPs: ["192.168.50.1", "fd50::1"],
    clusterCIDRs: ["10.244.0.0/16", "fd00:10:244::/56"],
  };
  const run: NodeNetworkRun = {
    socket,
    kubeconfig: cluster.kubeconfig,
    overlay: { ...shared, cniConfDir: join(directory, "net.d"), runDir: join(directory, "run") },
    dns: { ...shared, clusterDNS: CLUSTER_DNS, clusterDomain: "cluster.local", resolvConf },
  };
  const nodes = cluster.client.resource(Node);
  await nodes.create({
    metadata: { name: "one" },
    spec: { podCIDR: POD_CIDRS[0], podCIDRs: POD_CIDRS },
  });
  return { ...machines, cluster, directory, run };
}

test("a node's DNS answers its pods at the address of the Service", {
  skip: cannotRunContainers,
}, async (t) => {
  const { node, stranger, cluster, directory, run } = await startNode(t);
  const before = await node.run("ip", ["address", "show", "dev", "lo"]);
  let process_ = await startNodeNetwork(node, run);
  const pod = await node.addPod("a");
  const [podIP] = await addToNetwork(node, pod, join(directory, "net.d", "10-kybern.conflist"));
  const services = cluster.client.resource(Service, "default");
  const spec = { clusterIP: "10.96.7.7", ports: [{ name: "http", port: 80 }] };
  await services.create({ metadata: { name: "web" }, spec });
  await asked(pod, "web.default.svc.cluster.local", "0 10.96.7.7");

  await t.test("over UDP and TCP, of the cluster and of the world", async () => {
    for (const protocol of ["udp", "tcp"] as const) {
      assert.equal(await ask(pod, protocol, "web.default.svc.cluster.local"), "0 10.96.7.7");
      assert.equal(await ask(pod, protocol, "nope.default.svc.cluster.local"), "3");
      assert.equal(await ask(pod, protocol, "example.com"), "0 192.0.2.7");
    }
    assert.equal(await ask(node, "udp", "web.default.svc.cluster.local"), "0 10.96.7.7");
    for (const [server, port] of [
      [CLUSTER_DNS[1]!, 53],
      ["fd50::1", 10053],
    ] as const) {
      for (const protocol of ["udp", "tcp"] as const) {
        assert.equal(await ask(pod, protocol, "web.default.svc.cluster.local", server, port), "0 10.96.7.7");
      }
    }
  });

  await t.test("to the C library and to busybox, by search domains", async () => {
    const file = join(directory, "pod-resolv.conf");
    await writeFile(
      file,
      "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
    );
    const inPod = (command: string) =>
      pod.run("unshare", ["-m", "sh", "-c", `mount --bind ${file} /etc/resolv.conf && ${command}`]);
    for (const name of ["web", "web.default", "web.default.svc", "web.default.svc.cluster.local"]) {
      assert.match(await inPod(`getent ahostsv4 ${name}`), /^10\.96\.7\.7 /, name);
    }
    assert.match(await inPod("getent ahostsv4 example.com"), /^192\.0\.2\.7 /);
    assert.match(await inPod("getent hosts 10.96.7.7"), /web\.default\.svc\.cluster\.local/);
    assert.match(await inPod("busybox nslookup web.default.svc.cluster.local"), /Address: 10\.96\.7\.7\n/);
    await assert.rejects(inPod("getent ahostsv4 nope"));
  });

  await t.test("whatever the rules of Services do to its address, and without tracking", async () => {
    const proxy = `table ip proxy { chain c { type nat hook prerouting priority dstnat;
      ip daddr 10.96.0.10 udp dport 53 dnat to 192.168.50.222;
      }
    }`;
    await node.run("nft", ["-f", "-"], { input: proxy });
    assert.equal(await ask(pod, "udp", "web.default.svc.cluster.local"), "0 10.96.7.7");
    const tracked = await node.run("conntrack", ["-L"]);
    assert.doesNotMatch(tracked, /dst=10\.96\.0\.10 .*dport=53/);
    await node.run("nft", ["delete", "table", "ip", "proxy"]);
  });

  await t.test("at the node's own address too, but not to strangers", async () => {
    assert.equal(
      await ask(pod, "udp", "web.default.svc.cluster.local", "192.168.50.1", 10053),
      "0 10.96.7.7",
    );
    for (const [server, port] of [
      ["192.168.50.1", 10053],
      ["10.96.0.10", 53],
    ] as const) {
      for (const protocol of ["udp", "tcp"] as const) {
        assert.equal(
          await ask(stranger, protocol, "web.default.svc.cluster.local", server, port, SHORT),
          "silence",
        );
      }
    }
    const told = (one: Node | undefined) => one?.metadata.annotations?.["network.kybern.dev/dns-port"];
    const one = await until(cluster.client.resource(Node), "one", (node) => told(node) !== undefined);
    assert.equal(told(one), "10053");
  });

  await t.test("of what is new, and figures show it", async () => {
    const namespaces = cluster.client.resource(Namespace);
    await namespaces.create({ metadata: { name: "fresh" } });
    await asked(pod, `${podIP!.replaceAll(".", "-")}.fresh.pod.cluster.local`, `0 ${podIP}`);
    const figures = await pod.run("busybox", ["wget", "-qO-", "http://192.168.50.1:9153/metrics"]);
    assert.match(
      figures,
      /coredns_dns_requests_total\{server="dns:\/\/:53",zone="cluster\.local\.",view="",proto="udp",family="1",type="A"\} \d/,
    );
    assert.match(figures, /coredns_dns_responses_total\{.*rcode="NXDOMAIN",plugin="kubernetes"\} \d/);
    assert.match(figures, /coredns_cache_hits_total\{.*type="success".*\} \d/);
  });

  await t.test("again after it was killed, and nothing is left after it ended", async () => {
    await endProcess(process_, "SIGKILL");
    // What it had started ends with it, a moment later.
    while ((await node.run("ip", ["netns", "pids", node.name])).trim().split("\n").length > 1);
    process_ = await startNodeNetwork(node, run);
    assert.equal(await ask(pod, "udp", "web.default.svc.cluster.local"), "0 10.96.7.7");
    await endProcess(process_);
    assert.equal(await node.run("ip", ["address", "show", "dev", "lo"]), before);
    assert.doesNotMatch(await node.run("nft", ["list", "tables"]), /kybern-dns/);
  });

  await t.test("by the Service's rules alone where another program has port 53", async () => {
    const blocker = `require("net").createServer().listen(53, "0.0.0.0", () => console.log("listening"))`;
    const other = node.spawn(process.execPath, ["-e", blocker], { stdio: ["ignore", "pipe", "inherit"] });
    await once(createInterface(other.stdout!), "line");
    process_ = await startNodeNetwork(node, run);
    assert.equal(await node.run("ip", ["address", "show", "dev", "lo"]), before);
    assert.equal(
      await ask(pod, "udp", "web.default.svc.cluster.local", "192.168.50.1", 10053),
      "0 10.96.7.7",
    );
    await endProcess(process_, "SIGKILL");
    for (let time = 0; time < 2; time++)
      await endProcess(await startNodeNetwork(node, { ...run, cleanUp: true }));
    assert.doesNotMatch(await node.run("nft", ["list", "tables"]), /kybern/);
  });
});
