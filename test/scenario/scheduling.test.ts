/** What the conformance suite asks of scheduling without preemption, and what users see of it. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { PodSpec } from "../../src/api/schema/core.v1.generated.ts";
import type { Explanation } from "../../src/scheduler/decisions/explanation.ts";
import {
  type Cluster,
  type KubeObject,
  Node,
  Pod,
  startCluster,
  VirtualClock,
} from "../../src/testing/index.ts";

type PodOptions = Partial<Omit<PodSpec, "containers">> & {
  labels?: Record<string, string>;
  requests?: Record<string, string>;
  ports?: NonNullable<PodSpec["containers"][number]["ports"]>;
};

const EVENTS = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  scope: "Namespaced",
} as const;

async function clusterOf(nodes: Record<string, Record<string, string>>, scheduler: boolean | string = true) {
  const cluster = await startCluster({
    clock: new VirtualClock(Date.parse("2026-11-21T12:00:00Z")),
    seed: 7,
    scheduler,
    // Nodes that nobody keeps alive would be tainted, and their pods evicted, as time passes.
    controllers: ["*", "-node-lifecycle-controller", "-taint-eviction-controller"],
  });
  for (const [name, labels] of Object.entries(nodes)) await addNode(cluster, name, labels);
  await cluster.settle();
  return cluster;
}

async function addNode(
  { client }: Cluster,
  name: string,
  labels: Record<string, string> = {},
): Promise<void> {
  const allocatable = { cpu: "2", memory: "4Gi", pods: "10" };
  await client.resource(Node).create({
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: {},
    status: { allocatable, capacity: allocatable, conditions: [{ type: "Ready", status: "True" }] },
  });
  await client.resource(Node).patch(name, { spec: { taints: null } }, { type: "merge" });
}

function create({ client }: Cluster, name: string, options: PodOptions = {}): Promise<Pod> {
  const { labels, requests, ports, ...spec } = options;
  return client.resource(Pod, "default").create({
    metadata: { name, labels },
    spec: { ...spec, containers: [{ name: "main", image: "image", ports, resources: { requests } }] },
  });
}

async function nodeOf({ client }: Cluster, name: string): Promise<string | undefined> {
  return (await client.resource(Pod, "default").get(name)).spec?.nodeName;
}

async function conditionOf({ client }: Cluster, name: string) {
  const { status } = await client.resource(Pod, "default").get(name);
  return status?.conditions?.find(({ type }) => type === "PodScheduled");
}

async function eventsOf({ client }: Cluster, name: string) {
  const { items } = await client.resource<KubeObject & Record<string, unknown>>(EVENTS, "default").list();
  return items.filter(({ regarding }) => (regarding as { name?: string }).name === name);
}

test("a pod that asks for more than any node has left waits, and says so as upstream does", async () => {
  await using cluster = await clusterOf({ first: {}, second: {} });
  for (const name of ["a", "b", "c"]) await create(cluster, name, { requests: { cpu: "1500m" } });
  await cluster.settle();
  const placed = await Promise.all(["a", "b", "c"].map((name) => nodeOf(cluster, name)));
  assert.deepEqual([...placed].sort(), ["first", "second", undefined]);
  const waiting = ["a", "b", "c"][placed.indexOf(undefined)]!;
  const condition = await conditionOf(cluster, waiting);
  assert.equal(condition?.status, "False");
  assert.equal(condition?.reason, "Unschedulable");
  assert.match(condition?.message ?? "", /^0\/2 nodes are available: 2 Insufficient cpu\./);
  assert.equal(condition?.observedGeneration, 1);
  const [event] = await eventsOf(cluster, waiting);
  assert.equal(event?.reason, "FailedScheduling");
  assert.equal(event?.action, "Scheduling");
  assert.equal(event?.type, "Warning");
  assert.equal(event?.reportingController, "default-scheduler");
  assert.equal(event?.note, condition?.message);
});

test("a waiting pod gets its node when room is made, with no time passing but its backoff", async () => {
  await using cluster = await clusterOf({ first: {} });
  await create(cluster, "a", { requests: { cpu: "2" } });
  await cluster.settle();
  await create(cluster, "b", { requests: { cpu: "2" } });
  await cluster.settle();
  assert.equal(await nodeOf(cluster, "b"), undefined);
  await cluster.client.resource(Pod, "default").delete("a", { gracePeriodSeconds: 0 });
  await cluster.pass(1000);
  assert.equal(await nodeOf(cluster, "b"), "first");
  assert.equal((await conditionOf(cluster, "b"))?.status, "True");
  const [failed, scheduled] = await eventsOf(cluster, "b");
  assert.equal(failed?.reason, "FailedScheduling");
  assert.equal(scheduled?.reason, "Scheduled");
  assert.equal(scheduled?.action, "Binding");
  assert.equal(scheduled?.note, "Successfully assigned default/b to first");
});

test("a pod with a node selector goes to a node that matches, and waits where none does", async () => {
  await using cluster = await clusterOf({ plain: {}, special: { color: "blue" } });
  await create(cluster, "blue", { nodeSelector: { color: "blue" } });
  await create(cluster, "red", { nodeSelector: { color: "red" } });
  await cluster.settle();
  assert.equal(await nodeOf(cluster, "blue"), "special");
  assert.match(
    (await conditionOf(cluster, "red"))?.message ?? "",
    /^0\/2 nodes are available: 2 node\(s\) didn't match Pod's node affinity\/selector\./,
  );
  await cluster.client
    .resource(Node)
    .patch("plain", { metadata: { labels: { color: "red" } } }, { type: "merge" });
  await cluster.pass(1000);
  assert.equal(await nodeOf(cluster, "red"), "plain");
});

test("pods with the same host port conflict on one node, unless protocol or address differ", async () => {
  await using cluster = await clusterOf({ only: {} });
  const port = (hostIP: string | undefined, protocol: string) => ({
    ports: [{ containerPort: 80, hostPort: 54321, hostIP, protocol }],
  });
  await create(cluster, "one", port("127.0.0.1", "TCP"));
  await create(cluster, "other-address", port("127.0.0.2", "TCP"));
  await create(cluster, "other-protocol", port("127.0.0.1", "UDP"));
  await create(cluster, "same", port("127.0.0.1", "TCP"));
  await cluster.settle();
  await create(cluster, "every-address", port(undefined, "TCP"));
  await cluster.settle();
  for (const name of ["one", "other-address", "other-protocol"])
    assert.equal(await nodeOf(cluster, name), "only");
  for (const name of ["same", "every-address"]) {
    assert.match(
      (await conditionOf(cluster, name))?.message ?? "",
      /^0\/1 nodes are available: 1 node\(s\) didn't have free ports for the requested pod ports\./,
    );
  }
});

test("pods keep off tainted and cordoned nodes, unless they tolerate the taint", async () => {
  await using cluster = await clusterOf({ cordoned: {}, tainted: {} });
  const nodes = cluster.client.resource(Node);
  await nodes.patch("cordoned", { spec: { unschedulable: true } }, { type: "merge" });
  const taints = [{ key: "dedicated", value: "db", effect: "NoSchedule" }];
  await nodes.patch("tainted", { spec: { taints } }, { type: "merge" });
  await cluster.settle();
  await create(cluster, "plain");
  const tolerations = [{ key: "dedicated", operator: "Exists" }];
  await create(cluster, "tolerant", { tolerations });
  await cluster.settle();
  assert.equal(await nodeOf(cluster, "plain"), undefined);
  assert.equal(await nodeOf(cluster, "tolerant"), "tainted");
  await nodes.patch("cordoned", { spec: { unschedulable: false } }, { type: "merge" });
  await cluster.pass(1000);
  assert.equal(await nodeOf(cluster, "plain"), "cordoned");
});

test("pods are spread over zones within their skew, and repel each other by anti-affinity", async () => {
  const zone = (name: string) => ({ "topology.kubernetes.io/zone": name });
  await using cluster = await clusterOf({ a1: zone("a"), a2: zone("a"), b1: zone("b") });
  const labels = { app: "spread" };
  const constraint = {
    maxSkew: 1,
    topologyKey: "topology.kubernetes.io/zone",
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: { matchLabels: labels },
  };
  for (let i = 0; i < 6; i++) {
    await create(cluster, `spread-${i}`, { labels, topologySpreadConstraints: [constraint] });
    await cluster.settle();
  }
  const placed = await Promise.all(Array.from({ length: 6 }, (_, i) => nodeOf(cluster, `spread-${i}`)));
  assert.equal(placed.filter((name) => name === "b1").length, 3);
  const onB = await cluster.client.resource(Pod, "default").get(`spread-${placed.indexOf("b1")}`);
  assert.deepEqual(onB.metadata.labels, { ...labels, ...zone("b") }, "a pod is told where its node is");
  const term = { labelSelector: { matchLabels: { app: "alone" } }, topologyKey: "kubernetes.io/hostname" };
  const podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [term] };
  for (let i = 0; i < 4; i++) {
    await create(cluster, `alone-${i}`, { labels: { app: "alone" }, affinity: { podAntiAffinity } });
  }
  await cluster.settle();
  const alone = await Promise.all(Array.from({ length: 4 }, (_, i) => nodeOf(cluster, `alone-${i}`)));
  assert.deepEqual(alone.map((name) => name ?? "none").sort(), ["a1", "a2", "b1", "none"]);
});

test("a gated pod waits until its last gate is taken away", async () => {
  await using cluster = await clusterOf({ first: {} });
  await create(cluster, "gated", { schedulingGates: [{ name: "example.com/a" }] });
  await cluster.pass(60_000);
  assert.equal((await conditionOf(cluster, "gated"))?.reason, "SchedulingGated");
  assert.equal(await nodeOf(cluster, "gated"), undefined);
  const pods = cluster.client.resource(Pod, "default");
  await pods.patch("gated", { spec: { schedulingGates: null } }, { type: "merge" });
  await cluster.settle();
  assert.equal(await nodeOf(cluster, "gated"), "first");
});

test("pods wait while there are no nodes, and take the first that comes", async () => {
  await using cluster = await clusterOf({});
  await create(cluster, "early");
  await cluster.pass(3_600_000);
  assert.equal((await conditionOf(cluster, "early"))?.message, "no nodes available to schedule pods");
  await addNode(cluster, "first");
  await cluster.pass(1000);
  assert.equal(await nodeOf(cluster, "early"), "first");
});

test("a pod of another scheduler is left alone, and a profile looks after its own", async () => {
  const configuration = `
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: careless
  plugins:
    filter:
      disabled: [{name: NodeResourcesFit}]`;
  await using cluster = await clusterOf({ first: {} }, configuration);
  const requests = { cpu: "100" };
  await create(cluster, "careful", { requests });
  await create(cluster, "careless", { requests, schedulerName: "careless" });
  await create(cluster, "foreign", { schedulerName: "other" });
  await cluster.settle();
  assert.equal(await nodeOf(cluster, "careful"), undefined);
  assert.equal(await nodeOf(cluster, "careless"), "first");
  assert.equal(await nodeOf(cluster, "foreign"), undefined);
  assert.equal(await conditionOf(cluster, "foreign"), undefined);
  const [event] = await eventsOf(cluster, "careless");
  assert.equal(event?.reportingController, "careless");
});

test("what was decided is served to administrators: per node and plugin why not, and how the best was chosen", async () => {
  await using cluster = await clusterOf({ first: {}, second: {}, third: { color: "blue" } });
  await create(cluster, "placed", { requests: { cpu: "100m" } });
  await create(cluster, "waiting", { requests: { cpu: "3" }, nodeSelector: { color: "blue" } });
  await cluster.settle();
  const read = async (name: string): Promise<Explanation> => {
    const path = `/kybern/v1/decisions/namespaces/default/pods/${name}`;
    const { body } = await cluster.client.request({ method: "GET", path });
    return JSON.parse(new TextDecoder().decode(body)) as Explanation;
  };
  const placed = await read("placed");
  assert.equal(placed.attempt?.result, "scheduled");
  assert.equal(placed.attempt?.top?.[0]?.node, await nodeOf(cluster, "placed"));
  assert.equal(placed.attempt?.top?.length, 3);
  assert.equal(placed.queue, undefined);
  const waiting = await read("waiting");
  assert.equal(waiting.queue?.state, "unschedulable");
  assert.deepEqual(
    waiting.attempt?.rejected.map(({ plugin, nodes, count }) => [plugin, count, [...nodes].sort()]),
    [
      ["NodeAffinity", 2, ["first", "second"]],
      ["NodeResourcesFit", 1, ["third"]],
    ],
  );
  assert.ok(waiting.attempt?.rejected.every(({ advice }) => advice));
  assert.equal((await read("unknown")).attempt, undefined);
  const path = "/kybern/v1/decisions/pods/waiting";
  await assert.rejects(cluster.client.request({ method: "GET", path }), { reason: "NotFound" });
});

test("an extender filters, scores and binds, and one that may be ignored does not hold pods up", async () => {
  const asked: string[] = [];
  const server = createServer((request, answer) => {
    let text = "";
    request.on("data", (part) => {
      text += part;
    });
    request.on("end", () => {
      asked.push(request.url ?? "");
      const { Pod: pod, NodeNames: names } = JSON.parse(text) as { Pod?: Pod; NodeNames: string[] };
      const kept = names.filter((name) => name !== "bad");
      if (request.url === "/broken/filter") answer.writeHead(500).end();
      else if (request.url === "/good/filter") {
        const refuse = pod?.metadata.name === "refused";
        const failedNodes = Object.fromEntries(
          names.filter((name) => refuse || name === "bad").map((name) => [name, "not this one"]),
        );
        answer.end(JSON.stringify({ nodenames: refuse ? [] : kept, failedNodes }));
      } else answer.end(JSON.stringify(kept.map((host) => ({ host, score: host === "best" ? 10 : 0 }))));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const configuration = `
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
extenders:
- {urlPrefix: "http://127.0.0.1:${port}/broken", filterVerb: filter, nodeCacheCapable: true, ignorable: true}
- {urlPrefix: "http://127.0.0.1:${port}/good/", filterVerb: filter, prioritizeVerb: rank, weight: 100, nodeCacheCapable: true}`;
  // A real clock: the extender's answers come in real time.
  await using cluster = await startCluster({ scheduler: configuration });
  for (const name of ["bad", "best", "middling"]) await addNode(cluster, name);
  const pods = cluster.client.resource(Pod, "default");
  const scheduled = async (name: string, is: (pod: Pod) => boolean): Promise<Pod> => {
    const options = { fieldSelector: `metadata.name=${name}`, resourceVersion: "0" };
    for await (const { object } of pods.watch(options)) if (is(object)) return object;
    throw new Error("the watch ended");
  };
  await create(cluster, "chosen");
  await create(cluster, "refused");
  assert.equal(
    (await scheduled("chosen", ({ spec }) => spec?.nodeName !== undefined)).spec?.nodeName,
    "best",
  );
  const refused = await scheduled("refused", ({ status }) => (status?.conditions ?? []).length > 0);
  assert.match(refused.status?.conditions?.[0]?.message ?? "", /^0\/3 nodes are available: 3 not this one\./);
  assert.ok(asked.includes("/broken/filter") && asked.includes("/good/rank"));
  await cluster.stop();
  await new Promise((resolve) => server.close(resolve));
});
