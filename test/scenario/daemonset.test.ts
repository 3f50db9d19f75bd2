import assert from "node:assert/strict";
import { test } from "node:test";
import { ControllerRevision } from "../../src/api/apps/controller-revision.ts";
import { DaemonSet } from "../../src/api/apps/daemon-set.ts";
import { Node } from "../../src/api/core/node.ts";
import { Pod } from "../../src/api/core/pod/pod.ts";
import type { DaemonSetSpec } from "../../src/api/schema/apps.v1.generated.ts";
import type { Client } from "../../src/client/client.ts";
import { startCluster } from "../../src/testing/index.ts";
import { setPhase, setReady } from "./pod-status.ts";
import { runPods } from "./run-pods.ts";
import { until } from "./until.ts";
import { untilAll } from "./until-all.ts";

const NS = "default";
const labels = { app: "agent" };
const SELECTOR = "app=agent";

function template(image: string, more: object = {}) {
  return { metadata: { labels }, spec: { containers: [{ name: "c", image }], ...more } };
}

function setOf(spec: Partial<DaemonSetSpec> = {}) {
  const selector = { matchLabels: labels };
  return { metadata: { name: "agent" }, spec: { selector, template: template("a"), ...spec } };
}

function addNode(client: Client, name: string, more: Record<string, string> = {}) {
  return client.resource(Node).create({ metadata: { name, labels: more } });
}

function sets(client: Client) {
  return client.resource(DaemonSet, NS);
}

function status(client: Client, wanted: Partial<NonNullable<DaemonSet["status"]>>) {
  return until(sets(client), "agent", (set) =>
    Object.entries(wanted).every(([name, value]) => set?.status?.[name as keyof typeof wanted] === value),
  );
}

function nodeOf(pod: Pod): string | undefined {
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0];
}

async function nodes(client: Client): Promise<(string | undefined)[]> {
  const { items } = await client.resource(Pod, NS).list({ labelSelector: SELECTOR });
  return items.map(nodeOf).sort();
}

test("a daemon set runs a pod on each node, also on one that comes later, and makes a deleted one anew", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, SELECTOR);
  await addNode(client, "one");
  await addNode(client, "two");
  await sets(client).create(setOf());
  await status(client, { desiredNumberScheduled: 2, numberAvailable: 2, updatedNumberScheduled: 2 });
  assert.deepEqual(await nodes(client), ["one", "two"]);
  await addNode(client, "three");
  await status(client, { desiredNumberScheduled: 3, numberReady: 3 });
  const pods = client.resource(Pod, NS);
  const [victim] = (await pods.list({ labelSelector: SELECTOR })).items;
  assert.ok(victim);
  assert.ok(victim.spec?.tolerations?.some(({ key }) => key === "node.kubernetes.io/unschedulable"));
  await pods.delete(victim.metadata.name!);
  await untilAll(
    pods,
    SELECTOR,
    (all) => all.length === 3 && all.every(({ metadata }) => metadata.uid !== victim.metadata.uid),
  );
  assert.deepEqual(await nodes(client), ["one", "three", "two"]);
});

test("a daemon set follows the labels and taints of nodes, and its own node selector", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, SELECTOR);
  await addNode(client, "one");
  await addNode(client, "two", { colour: "green" });
  await sets(client).create(setOf({ template: template("a", { nodeSelector: { colour: "blue" } }) }));
  await status(client, { observedGeneration: 1, desiredNumberScheduled: 0 });
  assert.deepEqual(await nodes(client), []);
  await client.resource(Node).patch("one", { metadata: { labels: { colour: "blue" } } }, { type: "merge" });
  await status(client, { desiredNumberScheduled: 1, numberReady: 1 });
  assert.deepEqual(await nodes(client), ["one"]);
  await client.resource(Node).patch("one", { metadata: { labels: { colour: "green" } } }, { type: "merge" });
  await status(client, { desiredNumberScheduled: 0, currentNumberScheduled: 0, numberMisscheduled: 0 });
  assert.deepEqual(await nodes(client), []);
  const green = { spec: { template: { spec: { nodeSelector: { colour: "green" } } } } };
  await sets(client).patch("agent", green, { type: "merge" });
  await status(client, { desiredNumberScheduled: 2, numberReady: 2 });
  const taints = [{ key: "k", effect: "NoExecute" }];
  await client.resource(Node).patch("one", { spec: { taints } }, { type: "merge" });
  await status(client, { desiredNumberScheduled: 1 });
  await untilAll(client.resource(Pod, NS), SELECTOR, (all) => all.length === 1);
  assert.deepEqual(await nodes(client), ["two"]);
});

test("a daemon set makes a failed pod anew", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, SELECTOR);
  await addNode(client, "one");
  await sets(client).create(setOf());
  await status(client, { numberReady: 1 });
  const pods = client.resource(Pod, NS);
  const [failed] = (await pods.list({ labelSelector: SELECTOR })).items;
  await setPhase(client, failed!, "Failed");
  await untilAll(pods, SELECTOR, ([pod]) => pod !== undefined && pod.metadata.uid !== failed!.metadata.uid);
});

test("a daemon set updates its pods within maxUnavailable, keeps a revision each, and can be undone", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, SELECTOR);
  for (const name of ["one", "two", "three"]) await addNode(client, name);
  await sets(client).create(setOf());
  await status(client, { numberAvailable: 3 });
  const revisions = client.resource(ControllerRevision, NS);
  const [first] = (await revisions.list({ labelSelector: SELECTOR })).items;
  assert.equal(first?.revision, 1);
  await sets(client).patch("agent", { spec: { template: template("b") } }, { type: "merge" });
  await status(client, { observedGeneration: 2, updatedNumberScheduled: 3, numberAvailable: 3 });
  const pods = await client.resource(Pod, NS).list({ labelSelector: SELECTOR });
  assert.deepEqual(
    pods.items.map(({ spec }) => spec?.containers[0]?.image),
    ["b", "b", "b"],
  );
  const [last] = (await revisions.list({ labelSelector: SELECTOR })).items.filter(
    ({ revision }) => revision === 2,
  );
  const hash = last?.metadata.labels?.["controller-revision-hash"];
  assert.equal(pods.items[0]?.metadata.labels?.["controller-revision-hash"], hash);
  assert.equal(pods.items[0]?.metadata.labels?.["pod-template-generation"], "2");
  const { data } = first!;
  await sets(client).patch("agent", data, { type: "strategic" });
  await status(client, { observedGeneration: 3, updatedNumberScheduled: 3, numberAvailable: 3 });
  const { items } = await revisions.list({ labelSelector: SELECTOR });
  assert.deepEqual(items.map(({ revision }) => revision).sort(), [2, 3]);
});

test("a daemon set that surges puts a new pod beside the old one before that goes", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, SELECTOR);
  await addNode(client, "one");
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  await sets(client).create(setOf({ updateStrategy }));
  await status(client, { numberAvailable: 1 });
  const order: string[] = [];
  const watching = (async () => {
    for await (const { type, object } of client.resource(Pod, NS).watch({ labelSelector: SELECTOR })) {
      if (type === "MODIFIED") continue;
      if (order.push(`${type} ${object.spec?.containers[0]?.image}`) === 3) return;
    }
  })();
  await sets(client).patch("agent", { spec: { template: template("b") } }, { type: "merge" });
  await watching;
  assert.deepEqual(order, ["ADDED a", "ADDED b", "DELETED a"]);
});

test("of revisions alike only the latest stays, and the pods become its own", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, SELECTOR);
  await addNode(client, "one");
  await sets(client).create(setOf());
  await status(client, { numberAvailable: 1 });
  const revisions = client.resource(ControllerRevision, NS);
  const [first] = (await revisions.list({ labelSelector: SELECTOR })).items;
  await revisions.create({
    metadata: { generateName: "agent-", labels, ownerReferences: first!.metadata.ownerReferences },
    data: first!.data,
    revision: 2,
  });
  const [only] = await untilAll(
    revisions,
    SELECTOR,
    (all) => all.length === 1 && all[0]!.metadata.uid !== first!.metadata.uid,
  );
  const hash = only!.metadata.labels?.["controller-revision-hash"];
  assert.equal(hash, only!.metadata.name);
  const [pod] = await untilAll(
    client.resource(Pod, NS),
    SELECTOR,
    ([each]) => each?.metadata.labels?.["controller-revision-hash"] === hash,
  );
  assert.equal(pod?.spec?.containers[0]?.image, "a");
});

test("an update that is taken back leaves alone the pods that it had not reached", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const pods = client.resource(Pod, NS);
  for (const name of ["one", "two", "three"]) await addNode(client, name);
  await sets(client).create(setOf());
  const made = await untilAll(pods, SELECTOR, (all) => all.length === 3);
  for (const pod of made) await setReady(client, pod, true);
  await status(client, { numberAvailable: 3 });
  await sets(client).patch("agent", { spec: { template: template("broken") } }, { type: "merge" });
  const halfway = await untilAll(pods, SELECTOR, (all) => all.length === 3 && all.some(isBroken));
  const spared = halfway.filter((pod) => !isBroken(pod)).map(({ metadata }) => metadata.uid);
  assert.equal(spared.length, 2);
  await sets(client).patch("agent", { spec: { template: template("a") } }, { type: "merge" });
  const back = await untilAll(pods, SELECTOR, (all) => all.length === 3 && !all.some(isBroken));
  assert.deepEqual(
    back
      .map(({ metadata }) => metadata.uid)
      .filter((uid) => spared.includes(uid))
      .sort(),
    spared.sort(),
  );
});

function isBroken({ spec }: Pod): boolean {
  return spec?.containers[0]?.image === "broken";
}

test("a daemon set of many pods follows each of them, and what befalls its nodes", {
  timeout: 240_000,
}, async () => {
  const many = 230;
  await using cluster = await startCluster({
    controllers: ["serviceaccount-controller", "daemonset-controller"],
    scheduler: false,
  });
  const { client } = cluster;
  const [sets, pods, nodes] = [
    client.resource(DaemonSet, "default"),
    client.resource(Pod, "default"),
    client.resource(Node),
  ];
  const names = Array.from({ length: many }, (_, i) => `n${i}`);
  await Promise.all(names.map((name) => nodes.create({ metadata: { name }, spec: {} })));
  const containers = [{ name: "main", image: "main:1" }];
  // Nobody says that these nodes are ready.
  const tolerations = [{ key: "node.kubernetes.io/not-ready", operator: "Exists" }];
  const template = { metadata: { labels: { app: "many" } }, spec: { containers, tolerations } };
  const selector = { matchLabels: { app: "many" } };
  await sets.create({ metadata: { name: "many" }, spec: { selector, template } });
  const counts = (current: number, ready: number) =>
    until(sets, "many", (set) => {
      const { currentNumberScheduled, numberReady } = set?.status ?? {};
      return currentNumberScheduled === current && numberReady === ready;
    });
  await counts(many, 0);
  const all = (await pods.list()).items.map(({ metadata }) => metadata.name!);
  const set = (name: string, phase: string, status = "True") => {
    const conditions = [{ type: "Ready", status, lastTransitionTime: "2026-01-01T00:00:00Z" }];
    return pods.patch(name, { status: { phase, conditions } }, { type: "strategic", subresource: "status" });
  };
  await Promise.all(all.map((name) => set(name, "Running")));
  await counts(many, many);
  await set(all[0]!, "Running", "False");
  await counts(many, many - 1);
  await pods.delete(all[1]!, { gracePeriodSeconds: 0 });
  await counts(many, many - 2);
  await set(all[2]!, "Failed", "False");
  await until(pods, all[2]!, (pod) => pod === undefined || pod.metadata.deletionTimestamp !== undefined);
  await counts(many, many - 3);
  await nodes.patch("n9", { spec: { taints: [{ key: "k", effect: "NoExecute" }] } }, { type: "merge" });
  await until(sets, "many", (set) => set?.status?.desiredNumberScheduled === many - 1);
  await nodes.create({ metadata: { name: "late" }, spec: {} });
  await until(sets, "many", (set) => set?.status?.currentNumberScheduled === many);
  // Somebody else's word about its pods does not stand.
  await sets.patch(
    "many",
    { status: { numberReady: 1 } },
    { type: "merge", subresource: "status", fieldManager: "other" },
  );
  await until(sets, "many", (set) => (set?.status?.numberReady ?? 0) > many - 10);
});
