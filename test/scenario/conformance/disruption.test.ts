import assert from "node:assert/strict";
import { Pod } from "../../../src/api/core/pods.ts";
import { PodDisruptionBudget } from "../../../src/api/policy/pod-disruption-budget.ts";
import { behaviour, makeNamespace, maybe, names, type World } from "./behaviour.ts";
import { NODES, podsOf, templateOf, untilReady } from "./workload.ts";

function budgetsOf({ client, namespace }: World) {
  return client.resource(PodDisruptionBudget, namespace);
}

function budgetOf(name: string, minAvailable: number | string, labels: Record<string, string> = {}) {
  return { metadata: { name, labels }, spec: { minAvailable, selector: { matchLabels: { app: "web" } } } };
}

async function untilObserved(world: World, name: string): Promise<PodDisruptionBudget> {
  let budget: PodDisruptionBudget | undefined;
  await world.until(async () => {
    budget = await budgetsOf(world).get(name);
    return budget.status?.observedGeneration === budget.metadata.generation;
  });
  return budget!;
}

async function makePods(world: World, count: number): Promise<Pod[]> {
  for (let i = 0; i < count; i++) {
    const pod = { ...templateOf("web"), metadata: { name: `web-${i}`, labels: { app: "web" } } };
    await world.client.resource(Pod, world.namespace).create(pod);
  }
  return untilReady(world, "web", count);
}

behaviour(
  "[sig-apps] DisruptionController should create a PodDisruptionBudget [Conformance]",
  async (world) => {
    const budgets = budgetsOf(world);
    await budgets.create(budgetOf("budget", "1%"));
    await untilObserved(world, "budget");
    const now = await budgets.get("budget");
    await budgets.update({ ...now, spec: { ...now.spec, minAvailable: "2%" } });
    assert.equal((await untilObserved(world, "budget")).spec?.minAvailable, "2%");
    await budgets.patch("budget", { spec: { minAvailable: "3%" } }, { type: "strategic" });
    assert.equal((await untilObserved(world, "budget")).spec?.minAvailable, "3%");
    await budgets.delete("budget");
    await world.until(async () => (await maybe(budgets, "budget")) === undefined);
  },
  NODES,
);

behaviour(
  "[sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets [Conformance]",
  async (world) => {
    const { client, until } = world;
    await makeNamespace(client, until, "elsewhere");
    const labels = { special: "yes" };
    await budgetsOf(world).create(budgetOf("one", 2, labels));
    await budgetsOf(world).create(budgetOf("two", "50%", labels));
    await client.resource(PodDisruptionBudget, "elsewhere").create(budgetOf("three", 2, labels));
    assert.equal((await names(client.resource(PodDisruptionBudget), "special=yes")).length, 3);
    assert.equal((await names(budgetsOf(world), "special=yes")).length, 2);
    await budgetsOf(world).deleteCollection({ labelSelector: "special=yes" });
    await until(async () => (await names(budgetsOf(world))).length === 0);
    assert.deepEqual(await names(client.resource(PodDisruptionBudget, "elsewhere")), ["three"]);
  },
  NODES,
);

behaviour(
  "[sig-apps] DisruptionController should observe PodDisruptionBudget status updated [Conformance]",
  async (world) => {
    await budgetsOf(world).create(budgetOf("budget", 1));
    await untilObserved(world, "budget");
    await makePods(world, 3);
    await world.until(async () => (await budgetsOf(world).get("budget")).status?.disruptionsAllowed === 2);
    const { status } = await budgetsOf(world).get("budget");
    assert.deepEqual([status?.currentHealthy, status?.desiredHealthy, status?.expectedPods], [3, 1, 3]);
  },
  NODES,
);

behaviour(
  "[sig-apps] DisruptionController should update/patch PodDisruptionBudget status [Conformance]",
  async (world) => {
    const budgets = budgetsOf(world);
    await budgets.create(budgetOf("budget", 1));
    const [pod] = await makePods(world, 1);
    await untilObserved(world, "budget");
    const name = pod?.metadata.name ?? "";
    const time = new Date(world.cluster.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const now = await budgets.get("budget");
    const told = { ...now.status!, disruptedPods: { [name]: time } };
    const updated = await budgets.updateStatus({ ...now, status: told });
    assert.ok(updated.status?.disruptedPods?.[name]);
    // Its controller forgets a disruption that never came.
    const patch = { metadata: { annotations: { patched: "yes" } }, status: { disruptedPods: null } };
    const patched = await budgets.patch("budget", patch, { type: "merge", subresource: "status" });
    assert.equal(patched.status?.disruptedPods, undefined);
  },
  NODES,
);

behaviour(
  "[sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it [Conformance]",
  async (world) => {
    const pods = world.client.resource(Pod, world.namespace);
    const evict = (name: string) =>
      pods.createSubresource(name, "eviction", {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name, namespace: world.namespace },
      });
    const [pod] = await makePods(world, 3);
    const name = pod?.metadata.name ?? "";
    await budgetsOf(world).create(budgetOf("budget", 3));
    await untilObserved(world, "budget");
    await assert.rejects(evict(name), {
      reason: "TooManyRequests",
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
    });
    await budgetsOf(world).patch("budget", { spec: { minAvailable: 2 } }, { type: "strategic" });
    await world.until(async () => (await budgetsOf(world).get("budget")).status?.disruptionsAllowed === 1);
    await evict(name);
    await world.until(async () =>
      (await podsOf(world, "web")).every(({ metadata }) => metadata.name !== name),
    );
    await budgetsOf(world).delete("budget");
    const [other] = await podsOf(world, "web");
    await evict(other?.metadata.name ?? "");
  },
  NODES,
);
