import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplicaSet } from "../../src/api/apps/replica-set.ts";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { Event } from "../../src/api/events/event.ts";
import { PodDisruptionBudget } from "../../src/api/policy/pod-disruption-budget.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import type { Client } from "../../src/client/client.ts";
import { startCluster } from "../../src/testing/index.ts";
import { setReady } from "./pod-status.ts";
import { runPods } from "./run-pods.ts";
import { until } from "./until.ts";
import { untilAll } from "./until-all.ts";

const NS = "default";
const labels = { app: "web" };
const SELECTOR = "app=web";
const selector = { matchLabels: labels };

function budgets(client: Client) {
  return client.resource(PodDisruptionBudget, NS);
}

function status(client: Client, is: (status: NonNullable<PodDisruptionBudget["status"]>) => boolean) {
  return until(budgets(client), "b", (budget) => budget?.status !== undefined && is(budget.status));
}

function makeSet(client: Client, replicas: number) {
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  return client
    .resource(ReplicaSet, NS)
    .create({ metadata: { name: "web" }, spec: { replicas, selector, template } });
}

async function evict(client: Client, name: string): Promise<void> {
  await client.resource(Pod, NS).createSubresource(name, "eviction", { metadata: { name } });
}

function conditionOf(budget: PodDisruptionBudget | undefined) {
  const { type, status, reason } = budget?.status?.conditions?.[0] ?? {};
  return { type, status, reason };
}

test("a budget lets as many pods go as its application can spare, and no more", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, SELECTOR);
  await budgets(client).create({ metadata: { name: "b" }, spec: { selector, maxUnavailable: "25%" } });
  const empty = await status(client, ({ observedGeneration }) => observedGeneration === 1);
  assert.deepEqual(conditionOf(empty), {
    type: "DisruptionAllowed",
    status: "False",
    reason: "InsufficientPods",
  });
  await makeSet(client, 4);
  const full = await status(client, ({ disruptionsAllowed }) => disruptionsAllowed === 1);
  assert.deepEqual(conditionOf(full), {
    type: "DisruptionAllowed",
    status: "True",
    reason: "SufficientPods",
  });
  assert.deepEqual(
    [full?.status?.expectedPods, full?.status?.desiredHealthy, full?.status?.currentHealthy],
    [4, 3, 4],
  );
  const { items } = await client.resource(Pod, NS).list({ labelSelector: SELECTOR });
  const [first, second] = items.map(({ metadata }) => metadata.name!);
  await budgets(client).patch("b", { spec: { maxUnavailable: 0 } }, { type: "merge" });
  await status(
    client,
    ({ disruptionsAllowed, desiredHealthy }) => disruptionsAllowed === 0 && desiredHealthy === 4,
  );
  await assert.rejects(evict(client, first!), { reason: "TooManyRequests" });
  await budgets(client).patch("b", { spec: { maxUnavailable: 1 } }, { type: "merge" });
  await status(client, ({ disruptionsAllowed }) => disruptionsAllowed === 1);
  await evict(client, first!);
  await assert.rejects(client.resource(Pod, NS).get(first!), { reason: "NotFound" });
  // The replica set makes another; once that is ready, the next may go.
  await status(
    client,
    ({ disruptionsAllowed, currentHealthy }) => disruptionsAllowed === 1 && currentHealthy === 4,
  );
  await evict(client, second!);
});

test("a budget of a number needs no manager of its pods, one of a share tells that it does", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const pods = client.resource(Pod, NS);
  for (const name of ["one", "two"]) {
    const pod = await pods.create({
      metadata: { name, labels },
      spec: { containers: [{ name: "c", image: "i" }] },
    });
    await setReady(client, pod, true);
  }
  await budgets(client).create({ metadata: { name: "b" }, spec: { selector, minAvailable: 1 } });
  const number = await status(client, ({ disruptionsAllowed }) => disruptionsAllowed === 1);
  assert.equal(number?.status?.expectedPods, 2);
  await setReady(client, await pods.get("one"), false);
  await status(
    client,
    ({ disruptionsAllowed, currentHealthy }) => disruptionsAllowed === 0 && currentHealthy === 1,
  );
  await budgets(client).patch("b", { spec: { minAvailable: "50%" } }, { type: "merge" });
  const share = await status(client, ({ observedGeneration }) => observedGeneration === 2);
  assert.equal(share?.status?.expectedPods, 0);
  const events = await untilAll(client.resource(Event, NS), "", (all) =>
    all.some(({ reason }) => reason === "UnmanagedPods"),
  );
  const told = events.find(({ reason }) => reason === "UnmanagedPods");
  const text =
    "Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged.";
  assert.equal(told?.message?.slice(0, text.length), text);
});

test("a budget whose pods' manager cannot be scaled allows nothing, and says why", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const manager = await client.resource(ConfigMap, NS).create({ metadata: { name: "m" } });
  const { uid = "" } = manager.metadata;
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "m", uid, controller: true };
  await client.resource(Pod, NS).create({
    metadata: { name: "p", labels, ownerReferences: [owner] },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
  await budgets(client).create({ metadata: { name: "b" }, spec: { selector, maxUnavailable: 1 } });
  const budget = await status(client, ({ conditions }) => conditions?.[0]?.reason === "SyncFailed");
  assert.equal(
    budget?.status?.conditions?.[0]?.message,
    "configmaps does not implement the scale subresource",
  );
});

test("a pod that was about to go and stayed is told so no longer after two minutes", async () => {
  const clock = new VirtualClock(Date.now());
  await using cluster = await startCluster({ clock });
  const { client } = cluster;
  const pods = client.resource(Pod, NS);
  const pod = await pods.create({
    metadata: { name: "p", labels },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
  const lastTransitionTime = new Date(clock.now() - 3 * 60_000).toISOString();
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "PreemptionByScheduler",
    lastTransitionTime,
  };
  await pods.updateStatus({ ...pod, status: { ...pod.status, conditions: [condition] } });
  const [calm] = await untilAll(pods, SELECTOR, ([each]) => {
    return (
      each?.status?.conditions?.some(
        ({ type, status }) => type === "DisruptionTarget" && status === "False",
      ) === true
    );
  });
  assert.equal(calm?.status?.conditions?.[0]?.reason, undefined);
});
