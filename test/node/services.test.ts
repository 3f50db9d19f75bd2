/** Services as their clients find them: real connections through the kernel of a node, in network namespaces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLIENT_IP, cannotMakeNetworks, NODE_IP, podIP } from "./harness/network.ts";
import { answers, ELSEWHERE, NODE, proxiedNetwork } from "./harness/proxied-network.ts";

const options = { skip: cannotMakeNetworks, timeout: 300_000 };
const CLUSTER_IP = "10.96.0.20";

test(
  "a cluster IP leads pods, the node and clients outside to its endpoints, each seen as it should be",
  options,
  async (t) => {
    const { network, service, endpoints, warnings } = await proxiedNetwork(t);
    const [one, two, client] = await Promise.all([network.pod(11), network.pod(12), network.pod(13)]);
    await Promise.all([one.serve("tcp", 8080, "one"), two.serve("tcp", 8080, "two")]);
    await service({ name: "web", clusterIP: CLUSTER_IP });
    assert.equal(await client.ask(CLUSTER_IP, 80), "refused", "no endpoints");
    await endpoints("web", [{ addresses: [podIP(11)] }, { addresses: [podIP(12)], nodeName: ELSEWHERE }]);
    const both = [`one ${podIP(13)}`, `two ${podIP(13)}`];
    assert.deepEqual(await answers(24, () => client.ask(CLUSTER_IP, 80)), both, "pods keep their address");
    const fromNode = await answers(24, () => network.node.ask(CLUSTER_IP, 80));
    assert.deepEqual(fromNode, [`one ${podIP(1)}`, `two ${podIP(1)}`]);
    await network.client.ask(NODE_IP, 1);
    const fromClient = await answers(24, () => network.client.ask(CLUSTER_IP, 80));
    assert.deepEqual(
      fromClient,
      [`one ${podIP(1)}`, `two ${podIP(1)}`],
      "what is from outside is masqueraded",
    );
    assert.equal(await client.ask(CLUSTER_IP, 81), "refused", "a port that nobody has");
    await endpoints("web", [{ addresses: [podIP(12)] }]);
    assert.deepEqual(await answers(12, () => client.ask(CLUSTER_IP, 80)), [`two ${podIP(13)}`]);
    await endpoints("web", [{ addresses: [podIP(12)], conditions: { ready: false } }]);
    assert.equal(await client.ask(CLUSTER_IP, 80), "refused", "none is ready");
    assert.deepEqual(warnings, []);
  },
);

test("a pod reaches itself through its service, and is seen as the node", options, async (t) => {
  const { network, service, endpoints } = await proxiedNetwork(t, { clusterCIDRs: [] });
  const one = await network.pod(11);
  await one.serve("tcp", 8080, "one");
  await service({ name: "web", clusterIP: CLUSTER_IP });
  await endpoints("web", [{ addresses: [podIP(11)] }]);
  assert.equal(await one.ask(CLUSTER_IP, 80), `one ${podIP(1)}`);
});

test(
  "node ports are served at the node's own address to all, and at its loopback to itself",
  options,
  async (t) => {
    const { network, service, endpoints, removeService } = await proxiedNetwork(t);
    const one = await network.pod(11);
    await one.serve("tcp", 8080, "one");
    await service({
      name: "web",
      type: "NodePort",
      clusterIP: CLUSTER_IP,
      ports: [{ port: 80, nodePort: 30080 }],
    });
    assert.equal(await network.client.ask(NODE_IP, 30080), "refused", "no endpoints");
    await endpoints("web", [{ addresses: [podIP(11)] }]);
    assert.equal(await network.client.ask(NODE_IP, 30080), `one ${podIP(1)}`);
    assert.equal(await network.node.ask(NODE_IP, 30080), `one ${podIP(1)}`);
    assert.equal(await network.node.ask("127.0.0.1", 30080), `one ${podIP(1)}`);
    assert.equal(await network.client.ask(podIP(1), 30080), "refused", "another address of the node");
    await service({ name: "web", clusterIP: CLUSTER_IP });
    assert.equal(await network.client.ask(NODE_IP, 30080), "refused", "it is a ClusterIP now");
    assert.equal(await network.node.ask("127.0.0.1", 30080), "refused");
    assert.equal(await network.client.ask(CLUSTER_IP, 80), `one ${podIP(1)}`);
    await removeService("web");
    assert.equal(
      await network.node.askInVain(CLUSTER_IP, 80),
      "silence",
      "an address of the range that nobody has",
    );
  },
);

test(
  "the external policy Local keeps the client's address, and drops what has no endpoint here",
  options,
  async (t) => {
    const { network, service, endpoints } = await proxiedNetwork(t);
    const [one, two] = await Promise.all([network.pod(11), network.pod(12)]);
    await Promise.all([one.serve("tcp", 8080, "one"), two.serve("tcp", 8080, "two")]);
    const given = {
      name: "web",
      type: "LoadBalancer",
      clusterIP: CLUSTER_IP,
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 30999,
      ports: [{ port: 80, nodePort: 30080 }],
      ingress: [{ ip: "198.51.100.7" }, { ip: "198.51.100.8", ipMode: "Proxy" }],
    };
    await service(given);
    await endpoints("web", [{ addresses: [podIP(11)] }, { addresses: [podIP(12)], nodeName: ELSEWHERE }]);
    for (const [host, port] of [
      [NODE_IP, 30080],
      ["198.51.100.7", 80],
    ] as const) {
      assert.deepEqual(await answers(12, () => network.client.ask(host, port)), [`one ${CLIENT_IP}`]);
    }
    assert.notEqual(
      await network.client.askInVain("198.51.100.8", 80),
      `one ${CLIENT_IP}`,
      "its load balancer is a proxy",
    );
    // From inside the cluster the address is one more name of the service.
    assert.deepEqual(await answers(24, () => one.ask("198.51.100.7", 80)), [
      `one ${podIP(1)}`,
      `two ${podIP(11)}`,
    ]);
    assert.deepEqual(await answers(24, () => network.node.ask("198.51.100.7", 80)), [
      `one ${podIP(1)}`,
      `two ${podIP(1)}`,
    ]);
    await endpoints("web", [{ addresses: [podIP(12)], nodeName: ELSEWHERE }]);
    assert.equal(await network.client.askInVain(NODE_IP, 30080), "silence");
    assert.equal(await network.client.askInVain("198.51.100.7", 80), "silence");
    assert.equal(await one.ask("198.51.100.7", 80), `two ${podIP(11)}`);
    await endpoints("web", []);
    assert.equal(await network.client.ask(NODE_IP, 30080), "refused");
  },
);

test(
  "the internal policy Local leads to endpoints of the node, and drops where there is none",
  options,
  async (t) => {
    const { network, service, endpoints } = await proxiedNetwork(t);
    const [one, two, client] = await Promise.all([network.pod(11), network.pod(12), network.pod(13)]);
    await Promise.all([one.serve("tcp", 8080, "one"), two.serve("tcp", 8080, "two")]);
    await service({ name: "web", clusterIP: CLUSTER_IP, internalTrafficPolicy: "Local" });
    await endpoints("web", [{ addresses: [podIP(11)] }, { addresses: [podIP(12)], nodeName: ELSEWHERE }]);
    assert.deepEqual(await answers(12, () => client.ask(CLUSTER_IP, 80)), [`one ${podIP(13)}`]);
    await endpoints("web", [{ addresses: [podIP(12)], nodeName: ELSEWHERE }]);
    assert.equal(await client.askInVain(CLUSTER_IP, 80), "silence");
  },
);

test("only allowed sources get to load balancers that name ranges", options, async (t) => {
  const { network, service, endpoints } = await proxiedNetwork(t);
  const [one, client] = await Promise.all([network.pod(11), network.pod(12)]);
  await one.serve("tcp", 8080, "one");
  const base = {
    name: "web",
    type: "LoadBalancer",
    clusterIP: CLUSTER_IP,
    ports: [{ port: 80, nodePort: 30080 }],
    ingress: [{ ip: "198.51.100.7" }],
  };
  await service({ ...base, loadBalancerSourceRanges: ["10.244.0.0/24", "203.0.113.0/24"] });
  await endpoints("web", [{ addresses: [podIP(11)] }]);
  assert.equal(await network.client.askInVain("198.51.100.7", 80), "silence");
  assert.equal(await client.ask("198.51.100.7", 80), `one ${podIP(1)}`);
  await service({ ...base, loadBalancerSourceRanges: ["192.0.2.0/24"] });
  assert.equal(await network.client.ask("198.51.100.7", 80), `one ${podIP(1)}`);
  assert.equal(await client.askInVain("198.51.100.7", 80), "silence");
  assert.equal(await network.node.ask("198.51.100.7", 80), `one ${podIP(1)}`);
});

test(
  "session affinity keeps a client at its endpoint while it lasts, at every address of the service",
  options,
  async (t) => {
    const { network, service, endpoints } = await proxiedNetwork(t);
    const pods = await Promise.all([11, 12, 13].map((number) => network.pod(number)));
    await Promise.all(pods.map((pod, i) => pod.serve("tcp", 8080, `pod${i}`)));
    const client = await network.pod(14);
    const sticky = {
      name: "web",
      type: "NodePort",
      clusterIP: CLUSTER_IP,
      ports: [{ port: 80, nodePort: 30080 }],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 1000 } },
    };
    await service(sticky);
    await endpoints(
      "web",
      [11, 12, 13].map((number) => ({ addresses: [podIP(number)] })),
    );
    const [kept, ...others] = await answers(15, () => client.ask(CLUSTER_IP, 80));
    assert.deepEqual(others, []);
    const number = Number(kept![3]) + 11;
    const outside = await answers(15, () => network.client.ask(NODE_IP, 30080));
    assert.equal(outside.length, 1);
    assert.deepEqual(await answers(5, () => network.client.ask(CLUSTER_IP, 80)), outside);
    await endpoints(
      "web",
      [11, 12, 13].filter((other) => other !== number).map((other) => ({ addresses: [podIP(other)] })),
    );
    const moved = await answers(10, () => client.ask(CLUSTER_IP, 80));
    assert.equal(moved.length, 1);
    assert.notEqual(moved[0], kept);
    await service({ ...sticky, sessionAffinity: "None", sessionAffinityConfig: undefined });
    assert.equal((await answers(30, () => client.ask(CLUSTER_IP, 80))).length, 2);
  },
);

test(
  "topology hints keep traffic near, and endpoints that leave are used while no other is ready",
  options,
  async (t) => {
    const { network, service, endpoints } = await proxiedNetwork(t);
    const [one, two, client] = await Promise.all([network.pod(11), network.pod(12), network.pod(13)]);
    await Promise.all([one.serve("tcp", 8080, "one"), two.serve("tcp", 8080, "two")]);
    const ask = () => client.ask(CLUSTER_IP, 80);
    const both = [`one ${podIP(13)}`, `two ${podIP(13)}`];
    await service({ name: "web", clusterIP: CLUSTER_IP, trafficDistribution: "PreferSameZone" });
    const zones = (zone: string) => ({ hints: { forZones: [{ name: zone }] } });
    await endpoints("web", [
      { addresses: [podIP(11)], ...zones("zone-a") },
      { addresses: [podIP(12)], ...zones("zone-b") },
    ]);
    assert.deepEqual(await answers(12, ask), [both[0]]);
    await endpoints("web", [{ addresses: [podIP(11)], ...zones("zone-a") }, { addresses: [podIP(12)] }]);
    assert.deepEqual(await answers(24, ask), both, "hints hold only where all have them");
    const nodes = (name: string, zone: string) => ({
      hints: { forNodes: [{ name }], forZones: [{ name: zone }] },
    });
    await endpoints("web", [
      { addresses: [podIP(11)], ...nodes("n-9", "zone-a") },
      { addresses: [podIP(12)], ...nodes(NODE, "zone-b") },
    ]);
    assert.deepEqual(await answers(12, ask), [both[1]], "its own node comes before its zone");
    const leaving = { conditions: { ready: false, serving: true, terminating: true } };
    await endpoints("web", [
      { addresses: [podIP(11)], ...leaving },
      { addresses: [podIP(12)], conditions: { ready: false } },
    ]);
    assert.deepEqual(await answers(12, ask), [both[0]]);
  },
);

test("datagrams follow their service, whatever flows the kernel remembers", options, async (t) => {
  const { network, service, endpoints, proxy, warnings } = await proxiedNetwork(t);
  const [one, two, client] = await Promise.all([network.pod(11), network.pod(12), network.pod(13)]);
  await Promise.all([one.serve("udp", 5353, "one"), two.serve("udp", 5353, "two")]);
  const ports = [{ name: "dns", port: 5353, protocol: "UDP" }];
  await service({
    name: "dns",
    clusterIP: CLUSTER_IP,
    type: "NodePort",
    ports: [{ name: "dns", port: 53, protocol: "UDP", nodePort: 30053 }],
  });
  const inside = () => client.ask(CLUSTER_IP, 53, { protocol: "udp", from: 4000 });
  const outside = () => network.client.ask(NODE_IP, 30053, { protocol: "udp", from: 4000 });
  assert.deepEqual([await inside(), await outside()], ["refused", "refused"]);
  await endpoints("dns", [{ addresses: [podIP(11)] }], ports);
  assert.deepEqual([await inside(), await outside()], [`one ${podIP(13)}`, `one ${podIP(1)}`]);
  await endpoints("dns", [{ addresses: [podIP(12)] }], ports);
  assert.deepEqual([await inside(), await outside()], [`two ${podIP(13)}`, `two ${podIP(1)}`]);
  assert.match(
    proxy.metrics.exposition(),
    /conntrack_reconciler_deleted_entries_total\{ip_family="IPv4"\} [1-9]/,
  );
  assert.deepEqual(warnings, []);
});

test("services of several ports lead each where it should, named ports and all", options, async (t) => {
  const { network, service, endpoints } = await proxiedNetwork(t);
  const [one, two, client] = await Promise.all([network.pod(11), network.pod(12), network.pod(13)]);
  await Promise.all([
    one.serve("tcp", 8080, "web"),
    one.serve("tcp", 9090, "admin"),
    two.serve("udp", 8080, "datagram"),
  ]);
  await service({
    name: "web",
    clusterIP: CLUSTER_IP,
    ports: [
      { name: "http", port: 80 },
      { name: "admin", port: 90 },
      { name: "datagram", port: 80, protocol: "UDP" },
    ],
  });
  await endpoints(
    "web",
    [{ addresses: [podIP(11)] }],
    [
      { name: "http", port: 8080, protocol: "TCP" },
      { name: "admin", port: 9090, protocol: "TCP" },
    ],
  );
  assert.equal(await client.ask(CLUSTER_IP, 80), `web ${podIP(13)}`);
  assert.equal(await client.ask(CLUSTER_IP, 90), `admin ${podIP(13)}`);
  assert.equal(await client.ask(CLUSTER_IP, 80, { protocol: "udp" }), "refused");
  await endpoints("web", [{ addresses: [podIP(12)] }], [{ name: "datagram", port: 8080, protocol: "UDP" }]);
  assert.equal(await client.ask(CLUSTER_IP, 80), "refused");
  assert.equal(await client.ask(CLUSTER_IP, 80, { protocol: "udp" }), `datagram ${podIP(13)}`);
});

test("headless services, external names and those of other proxies are left alone", options, async (t) => {
  const { network, service, endpoints } = await proxiedNetwork(t);
  const [one, client] = await Promise.all([network.pod(11), network.pod(12)]);
  await one.serve("tcp", 8080, "one");
  await service({ name: "name", type: "ExternalName", externalName: "example.com" });
  await service({ name: "headless", clusterIP: "None" });
  await endpoints("headless", [{ addresses: [podIP(11)] }]);
  const labels = { "service.kubernetes.io/service-proxy-name": "other" };
  await service({ name: "web", clusterIP: CLUSTER_IP, labels });
  await endpoints("web", [{ addresses: [podIP(11)] }]);
  assert.notEqual(await client.askInVain(CLUSTER_IP, 80), `one ${podIP(12)}`);
  await service({ name: "web", clusterIP: CLUSTER_IP });
  assert.equal(await client.ask(CLUSTER_IP, 80), `one ${podIP(12)}`, "the label is gone");
  await service({ name: "name", clusterIP: "10.96.0.21" });
  await endpoints("name", [{ addresses: [podIP(11)] }]);
  assert.equal(
    await client.ask("10.96.0.21", 80),
    `one ${podIP(12)}`,
    "it was the name of something outside",
  );
});
