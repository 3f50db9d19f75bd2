/** NetworkPolicies as pods meet them: real connections through the kernel of a node, allowed and not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pod } from "../../src/testing/index.ts";
import { CLIENT_IP, cannotMakeNetworks, podIP, podIP6 } from "./harness/network.ts";
import { ELSEWHERE, policedNetwork } from "./harness/policed-network.ts";

const options = { skip: cannotMakeNetworks, timeout: 300_000 };

const SELF = { podSelector: {} };
const app = (name: string) => ({ podSelector: { matchLabels: { app: name } } });

/** Pods 11 (app=web, serves 8080 and 9090), 12 (app=client) and 13 (app=other). */
async function threePods(t: Parameters<typeof policedNetwork>[0]) {
  const policed = await policedNetwork(t);
  const { network, pod } = policed;
  const [web, client, other] = await Promise.all([11, 12, 13].map((number) => network.pod(number)));
  await Promise.all([8080, 9090].map((port) => web!.serve("tcp", port, "web")));
  await web!.serve("udp", 8080, "web");
  await pod({ number: 11, labels: { app: "web" }, ports: [{ name: "http", containerPort: 8080 }] });
  await pod({ number: 12, labels: { app: "client" } });
  await pod({ number: 13, labels: { app: "other" } });
  return { ...policed, web: web!, client: client!, other: other! };
}

test("a pod that a policy is about takes what the policy allows, and nothing else", options, async (t) => {
  const { network, limit, unlimit, web, client, other, warnings } = await threePods(t);
  assert.equal(await other.ask(podIP(11), 8080), `web ${podIP(13)}`, "no policy");
  await limit("deny", { podSelector: {} });
  assert.equal(await client.askInVain(podIP(11), 8080), "silence");
  assert.equal(await network.client.askInVain(podIP(11), 8080), "silence");
  assert.equal(await network.node.ask(podIP(11), 8080), `web ${podIP(1)}`, "probes of the node itself");
  assert.equal(await web.ask(podIP(11), 8080), `web ${podIP(11)}`, "itself");
  await limit("allow", { ...app("web"), ingress: [{ from: [app("client")], ports: [{ port: 8080 }] }] });
  assert.equal(await client.ask(podIP(11), 8080), `web ${podIP(12)}`);
  assert.equal(await client.ask(podIP6(11), 8080), `web ${podIP6(12)}`);
  assert.equal(await client.askInVain(podIP(11), 9090), "silence");
  assert.equal(await client.askInVain(podIP(11), 8080, { protocol: "udp" }), "silence");
  assert.equal(await other.askInVain(podIP(11), 8080), "silence");
  await unlimit("allow");
  assert.equal(await client.askInVain(podIP(11), 8080), "silence");
  await unlimit("deny");
  assert.equal(await other.ask(podIP(11), 8080), `web ${podIP(13)}`);
  assert.deepEqual(warnings, []);
});

test("egress is allowed to peers and ports, and answers come back", options, async (t) => {
  const { network, limit, web, client, other } = await threePods(t);
  await Promise.all([network.client.serve("tcp", 8080, "outside"), other.serve("tcp", 8080, "other")]);
  await limit("egress", {
    ...app("client"),
    policyTypes: ["Egress"],
    egress: [{ to: [app("web")], ports: [{ port: "http" }] }],
  });
  assert.equal(await client.ask(podIP(11), 8080), `web ${podIP(12)}`, "the peer's port of that name");
  assert.equal(await client.ask(podIP6(11), 8080), `web ${podIP6(12)}`);
  assert.equal(await client.askInVain(podIP(11), 9090), "silence");
  assert.equal(await client.askInVain(podIP(13), 8080), "silence");
  assert.equal(await client.askInVain(CLIENT_IP, 8080), "silence");
  assert.equal(await web.ask(podIP(13), 8080), `other ${podIP(11)}`, "pods of no policy");
  await limit("egress", {
    ...app("client"),
    policyTypes: ["Egress"],
    egress: [{ to: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [{ port: 8000, endPort: 8100 }] }],
  });
  assert.equal(await client.ask(CLIENT_IP, 8080), `outside ${podIP(12)}`);
  assert.equal(await client.askInVain(podIP(11), 8080), "silence");
  await limit("egress", { ...app("client"), policyTypes: ["Egress"], egress: [] });
  assert.equal(await client.askInVain(CLIENT_IP, 8080), "silence");
  // What one end lets out the other may still keep out.
  await limit("egress", { ...app("client"), policyTypes: ["Egress"], egress: [{}] });
  await limit("ingress", { ...app("web"), policyTypes: ["Ingress"] });
  assert.equal(await client.ask(podIP(13), 8080), `other ${podIP(12)}`);
  assert.equal(await client.askInVain(podIP(11), 8080), "silence");
});

test(
  "peers are pods by their labels and those of their namespaces, whatever node they run on",
  options,
  async (t) => {
    const { network, pod, namespace, limit, client, other } = await threePods(t);
    const far = await network.pod(21);
    await namespace("team", { team: "blue" });
    await pod({ number: 21, namespace: "team", labels: { app: "client" }, nodeName: ELSEWHERE });
    const from = (
      ...peers: NonNullable<NonNullable<Parameters<typeof limit>[1]>["ingress"]>[number]["from"] & object[]
    ) => limit("web", { ...app("web"), ingress: [{ from: peers }] });
    /** The client, the other and the one far away get through, or do not. */
    const reach = async (expected: readonly boolean[], why = `wanted: ${expected}`) => {
      const places = [client, other, far];
      const answers = places.map((place, i) =>
        expected[i] ? place.ask(podIP(11), 8080) : place.askInVain(podIP(11), 8080),
      );
      const reached = (await Promise.all(answers)).map((answer) => answer !== "silence");
      assert.deepEqual(reached, expected, why);
    };
    await from(app("client"));
    await reach([true, false, false], "of the policy's own namespace");
    await from({ namespaceSelector: { matchLabels: { team: "blue" } } });
    await reach([false, false, true]);
    await from({ namespaceSelector: {}, ...app("client") });
    await reach([true, false, true]);
    await from({ namespaceSelector: { matchLabels: { team: "blue" } }, ...app("other") });
    await reach([false, false, false]);
    await pod({ number: 21, namespace: "team", labels: { app: "other" }, nodeName: ELSEWHERE });
    await reach([false, false, true], "its labels changed");
    await namespace("team", { team: "red" });
    await reach([false, false, false], "those of its namespace changed");
    await namespace("team", { team: "blue" });
    await reach([false, false, true]);
    await from({ ipBlock: { cidr: "10.244.0.0/24", except: ["10.244.0.12/31", "10.244.0.21/32"] } });
    await reach([false, false, false]);
    await from({ ipBlock: { cidr: "0.0.0.0/0", except: ["10.244.0.12/32"] } }, { ipBlock: { cidr: "::/0" } });
    await reach([false, true, true]);
    assert.equal(await client.ask(podIP6(11), 8080), `web ${podIP6(12)}`);
  },
);

test("ports are by number, range, name and protocol alone", options, async (t) => {
  const { pod, limit, client } = await threePods(t);
  const allow = (...ports: { port?: number | string; endPort?: number; protocol?: string }[]) =>
    limit("web", { ...app("web"), ingress: [{ ports }] });
  const reach = async (expected: readonly boolean[], why = `wanted: ${expected}`) => {
    const targets = [[8080], [9090], [8080, "udp"]] as const;
    const answers = targets.map(([port, protocol], i) =>
      expected[i]
        ? client.ask(podIP(11), port, { protocol })
        : client.askInVain(podIP(11), port, { protocol }),
    );
    const reached = (await Promise.all(answers)).map((answer) => answer !== "silence");
    assert.deepEqual(reached, expected, why);
  };
  await allow({ port: 8080 });
  await reach([true, false, false]);
  await allow({ port: 9000, endPort: 9100 }, { port: 9090, endPort: 9200 }, { port: 9090 });
  await reach([false, true, false]);
  await allow({ protocol: "UDP" });
  await reach([false, false, true]);
  await allow({ port: "http" });
  await reach([true, false, false]);
  await allow({ port: "http", protocol: "UDP" });
  await reach([false, false, false], "the name is that of a TCP port");
  await allow({ port: "http" }, { port: 8080, protocol: "UDP" });
  await reach([true, false, true]);
  await pod({ number: 11, labels: { app: "web" }, ports: [{ name: "http", containerPort: 8080 }] });
  await allow();
  await reach([true, true, true]);
});

test("several policies about a pod allow together what each allows", options, async (t) => {
  const { limit, unlimit, client, other } = await threePods(t);
  await limit("clients", { ...app("web"), ingress: [{ from: [app("client")], ports: [{ port: 8080 }] }] });
  await limit("others", { ...app("web"), ingress: [{ from: [app("other")], ports: [{ port: 9090 }] }] });
  assert.equal(await client.ask(podIP(11), 8080), `web ${podIP(12)}`);
  assert.equal(await client.askInVain(podIP(11), 9090), "silence");
  assert.equal(await other.ask(podIP(11), 9090), `web ${podIP(13)}`);
  await unlimit("others");
  assert.equal(await other.askInVain(podIP(11), 9090), "silence");
  assert.equal(await client.ask(podIP(11), 8080), `web ${podIP(12)}`);
});

test("connections that were allowed stay, and new ones follow the policy at once", options, async (t) => {
  const { limit, client } = await threePods(t);
  const say = await client.connect(podIP(11), 8080);
  assert.equal(await say(), `web ${podIP(12)}`);
  await limit("deny", SELF);
  assert.equal(await say(), `web ${podIP(12)}`);
  assert.equal(await client.askInVain(podIP(11), 8080), "silence");
});

test("pods that come, change and go are limited and are peers while they are there", options, async (t) => {
  const { network, pod, removePod, limit, client, policy, warnings } = await threePods(t);
  await limit("web", { ...app("web"), ingress: [{ from: [app("client")] }] });
  const late = await network.pod(14);
  await late.serve("tcp", 8080, "late");
  assert.equal(await late.askInVain(podIP(11), 8080), "silence");
  await pod({ number: 14, labels: { app: "client" } });
  assert.equal(await late.ask(podIP(11), 8080), `web ${podIP(14)}`);
  await pod({ number: 14, labels: { app: "web" } });
  assert.equal(await late.askInVain(podIP(11), 8080), "silence");
  await removePod(14);
  await pod({ number: 14, labels: { app: "client" }, phase: "Succeeded" });
  assert.equal(await late.askInVain(podIP(11), 8080), "silence", "its address may be another's by now");
  await removePod(14);
  assert.equal(await client.ask(podIP(14), 8080), `late ${podIP(12)}`);
  // The kubelet tells of addresses before the API server knows them.
  const early = { apiVersion: "v1", kind: "Pod", spec: { nodeName: "node-1", containers: [] } };
  const metadata = { namespace: "default", name: "pod-14", uid: "early", labels: { app: "web" } };
  await policy.admit({ ...early, metadata }, [podIP(14)]);
  assert.equal(await client.ask(podIP(14), 8080), `late ${podIP(12)}`);
  assert.equal(await network.client.askInVain(podIP(14), 8080), "silence");
  assert.deepEqual(warnings, []);
});

test(
  "pods of the host's network are subject to no policy, and not peers by their labels",
  options,
  async (t) => {
    const { pod, limit, removePod, client, other } = await threePods(t);
    await limit("web", { ...app("web"), ingress: [{ from: [app("other")] }] });
    await removePod(13);
    await pod({ number: 13, labels: { app: "other" }, hostNetwork: true });
    assert.equal(await other.askInVain(podIP(11), 8080), "silence");
    await removePod(11);
    await pod({ number: 11, labels: { app: "web" }, hostNetwork: true });
    assert.equal(await client.ask(podIP(11), 8080), `web ${podIP(12)}`);
  },
);

test(
  "pods are watched from the first policy on, and what is allowed then holds for those that were there",
  options,
  async (t) => {
    const { cluster, policy, limit, network } = await policedNetwork(t);
    const [web, client] = await Promise.all([network.pod(11), network.pod(12)]);
    await web.serve("tcp", 8080, "web");
    const pods = cluster.informers.of(Pod);
    await policy.admit({ apiVersion: "v1", kind: "Pod", metadata: { namespace: "default", name: "x" } }, [
      podIP(13),
    ]);
    assert.equal(pods.hasSynced, false);
    const written = await cluster.client.resource(Pod, "default").create({
      metadata: { name: "pod-11", labels: { app: "web" } },
      spec: { nodeName: "node-1", containers: [{ name: "main", image: "none" }] },
    });
    const status = { phase: "Running", podIP: podIP(11), podIPs: [{ ip: podIP(11) }] };
    await cluster.client.resource(Pod, "default").updateStatus({ ...written, status });
    await limit("deny", SELF);
    assert.equal(pods.hasSynced, true);
    assert.equal(await client.askInVain(podIP(11), 8080), "silence");
  },
);
