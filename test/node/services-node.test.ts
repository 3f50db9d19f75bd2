/** The proxy as a part of its node: what a killed one leaves, its health, host ports, and a table that goes missing. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openNft } from "../../src/host/nftables/nft.ts";
import { openServer } from "../../src/network/proxy/small-server.ts";
import { Node, Pod, ServiceAccount } from "../../src/testing/index.ts";
import { kernelTable } from "./harness/kernel-table.ts";
import { cannotMakeNetworks, makeNetwork, NODE_IP, podIP } from "./harness/network.ts";
import { NODE, proxiedNetwork } from "./harness/proxied-network.ts";

const options = { skip: cannotMakeNetworks, timeout: 300_000 };
const CLUSTER_IP = "10.96.0.20";

test(
  "a proxy killed while it writes leaves rules that serve, and the next one leaves one set of its own",
  options,
  async (t) => {
    const network = await makeNetwork(t);
    const script = fileURLToPath(new URL("harness/proxy-process.ts", import.meta.url));
    const child = spawn(process.execPath, [script, network.node.namespace], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    t.after(() => child.kill("SIGKILL"));
    await once(child, "message");
    child.kill("SIGKILL");
    await once(child, "exit");
    const nft = openNft({ run: network.run });
    const left = await kernelTable(nft, "kybern-proxy");
    assert.ok(
      left.some((line) => line.includes("10.96.1.49")),
      "what it wrote is there",
    );

    const { service, endpoints } = await proxiedNetwork(t, { network });
    const [one, client] = await Promise.all([network.pod(11), network.pod(12)]);
    await one.serve("tcp", 8080, "one");
    await service({ name: "web", clusterIP: CLUSTER_IP });
    await endpoints("web", [{ addresses: [podIP(11)] }]);
    assert.equal(await client.ask(CLUSTER_IP, 80), `one ${podIP(12)}`);
    assert.equal(await network.run("nft", ["list", "tables"]), "table inet kybern-proxy\n");
    const now = await kernelTable(nft, "kybern-proxy");
    assert.ok(
      now.every((line) => !line.includes("10.96.1.")),
      "nothing of the first is left",
    );
  },
);

test("a table that somebody removes is made anew before long", options, async (t) => {
  const { network, service, endpoints, warnings } = await proxiedNetwork(t, { settings: { syncPeriod: 50 } });
  const [one, client] = await Promise.all([network.pod(11), network.pod(12)]);
  await one.serve("tcp", 8080, "one");
  await service({ name: "web", clusterIP: CLUSTER_IP });
  await endpoints("web", [{ addresses: [podIP(11)] }]);
  await network.run("nft", ["flush", "ruleset"]);
  while ((await network.run("nft", ["list", "tables"])) === "");
  assert.equal(await client.ask(CLUSTER_IP, 80), `one ${podIP(12)}`);
  assert.ok(warnings.some((text) => text.includes("removed by somebody else")));
});

test(
  "host ports lead to their pods, also from the node's loopback, each at its address",
  options,
  async (t) => {
    const { network, cluster, proxy } = await proxiedNetwork(t);
    const pods = await Promise.all([11, 12, 13].map((number) => network.pod(number)));
    await Promise.all(pods.slice(0, 2).map((pod, i) => pod.serve("tcp", 8080, `pod${i}`)));
    await pods[2]!.serve("udp", 8080, "pod2");
    cluster.watchedBy(Pod, { fieldSelector: `spec.nodeName=${NODE}` });
    await cluster.put(ServiceAccount, { metadata: { namespace: "default", name: "default" } });
    const publish = async (number: number, hostIP: string, protocol = "TCP"): Promise<void> => {
      const ports = [{ containerPort: 8080, hostPort: 54323, hostIP, protocol }];
      await cluster.put(Pod, {
        metadata: { namespace: "default", name: `pod-${number}` },
        spec: { nodeName: NODE, containers: [{ name: "main", image: "none", ports }] },
        status: { phase: "Running", podIP: podIP(number), podIPs: [{ ip: podIP(number) }] },
      });
      await proxy.settled();
    };
    await publish(11, "127.0.0.1");
    await publish(12, NODE_IP);
    await publish(13, NODE_IP, "UDP");
    assert.equal(await network.node.ask("127.0.0.1", 54323), `pod0 ${podIP(1)}`);
    assert.equal(await network.client.ask(NODE_IP, 54323), `pod1 ${network.client.address}`);
    assert.equal(await network.node.ask(NODE_IP, 54323), `pod1 ${NODE_IP}`);
    assert.equal(
      await network.client.ask(NODE_IP, 54323, { protocol: "udp" }),
      `pod2 ${network.client.address}`,
    );
    assert.equal(await pods[1]!.ask(NODE_IP, 54323), `pod1 ${podIP(1)}`, "itself");
    await cluster.remove(Pod, "pod-12");
    await proxy.settled();
    assert.equal(await network.client.ask(NODE_IP, 54323), "refused");
    await publish(14, "");
    await pods[0]!.serve("tcp", 9999, "unused");
    const late = await network.pod(14);
    await late.serve("tcp", 8080, "pod14");
    assert.equal(await network.client.ask(NODE_IP, 54323), `pod14 ${network.client.address}`, "any address");
  },
);

test("health tells of rules that are current and of a node that is about to go", options, async (t) => {
  const { cluster, proxy } = await proxiedNetwork(t);
  const server = await openServer(proxy.healthPages, { host: "127.0.0.1", port: 0 });
  t.after(() => server.close());
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { code: response.status, type: response.headers.get("content-type"), text: await response.text() };
  };
  const { code, type, text } = await ask("/healthz");
  assert.deepEqual([code, type], [200, "application/json"]);
  assert.equal(JSON.parse(text).nodeEligible, true);
  assert.equal((await ask("/else")).code, 404);
  const taints = [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }];
  await cluster.put(Node, { metadata: { name: NODE }, spec: { taints } });
  assert.equal((await ask("/healthz")).code, 503);
  assert.equal((await ask("/livez")).code, 200);
  const status = await openServer(proxy.statusPages, { host: "127.0.0.1", port: 0 });
  t.after(() => status.close());
  const page = async (path: string) => (await fetch(`http://127.0.0.1:${status.port}${path}`)).text();
  assert.equal(await page("/proxyMode"), "nftables");
  assert.equal(await page("/healthz"), "ok");
  assert.equal(await page("/else"), "404 page not found\n");
  const figures = await page("/metrics");
  assert.match(figures, /kubeproxy_proxy_healthz_total\{code="503"\} 1/);
  assert.match(figures, /kubeproxy_sync_proxy_rules_duration_seconds_count [1-9]/);
});
