import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from "../../api/schema/policy.v1.generated.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import { BudgetPods } from "./budget-pods.ts";
import { budgetView, failedStatus, staleAfter } from "./budget-status.ts";
import { expectedPods, type ScaleOf } from "./expected-pods.ts";

const NOW = Date.parse("2026-01-01T00:10:00Z");

function podOf(name: string, more: { ready?: boolean; owner?: string; leaving?: boolean } = {}): Pod {
  const { ready = true, owner, leaving } = more;
  const reference = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: owner!, controller: true };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "ns",
      labels: { app: "web" },
      ...(owner && { ownerReferences: [reference] }),
      ...(leaving && { deletionTimestamp: "2026-01-01T00:09:00Z" }),
    },
    status: { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

function budgetOf(
  spec: PodDisruptionBudgetSpec,
  status?: PodDisruptionBudget["status"],
): PodDisruptionBudget {
  const metadata = { name: "b", namespace: "ns", generation: 3 };
  return { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata, spec, status };
}

const scales: ScaleOf = async ({ uid }) => {
  if (uid === "gone") return undefined;
  // Two replica sets of one deployment.
  return { uid: uid.startsWith("d") ? "deployment" : uid, replicas: 10 };
};

test("a number is asked of the pods there are, a share of what their managers want", async () => {
  const pods = [
    podOf("a", { owner: "d1" }),
    podOf("b", { owner: "d2" }),
    podOf("c", { owner: "r" }),
    podOf("d"),
  ];
  const ask = async (spec: PodDisruptionBudgetSpec) => {
    const { pods: total, desiredHealthy } = await expectedPods(budgetOf(spec), pods, scales);
    return [total, desiredHealthy];
  };
  assert.deepEqual(await ask({ minAvailable: 2 }), [4, 2]);
  assert.deepEqual(await ask({ minAvailable: "33%" }), [20, 7]);
  assert.deepEqual(await ask({ maxUnavailable: 5 }), [20, 15]);
  assert.deepEqual(await ask({ maxUnavailable: "33%" }), [20, 13]);
  assert.deepEqual(await ask({ maxUnavailable: 50 }), [20, 0]);
  assert.deepEqual(await ask({}), [0, 0]);
  const { unmanaged } = await expectedPods(budgetOf({ maxUnavailable: 1 }), pods, scales);
  assert.deepEqual(unmanaged, ["d"]);
});

test("a pod whose manager is gone leaves the count unknown", async () => {
  const counted = expectedPods(budgetOf({ maxUnavailable: 1 }), [podOf("p", { owner: "gone" })], scales);
  await assert.rejects(counted, { message: 'found no controllers for pod "p"' });
});

test("healthy are the pods that are ready and neither going nor let go", () => {
  const pods = [
    podOf("a"),
    podOf("b"),
    podOf("c", { ready: false }),
    podOf("d", { leaving: true }),
    podOf("e"),
  ];
  const since = "2026-01-01T00:09:30Z";
  const before = { disruptedPods: { b: since, d: since, gone: since } };
  const expected = { pods: 5, desiredHealthy: 1, unmanaged: [] };
  const { status, lookAgain, notDeleted } = budgetView(budgetOf({}, before), pods, expected, NOW);
  assert.deepEqual(status.disruptedPods, { b: since });
  assert.deepEqual([status.currentHealthy, status.disruptionsAllowed, status.observedGeneration], [2, 1, 3]);
  assert.equal(lookAgain, Date.parse(since) + 120_000);
  assert.deepEqual(notDeleted, []);
  assert.deepEqual(status.conditions, [
    {
      type: "DisruptionAllowed",
      status: "True",
      reason: "SufficientPods",
      message: "",
      observedGeneration: 3,
      lastTransitionTime: "2026-01-01T00:10:00Z",
    },
  ]);
});

test("a pod that was let go and stayed for two minutes counts again", () => {
  const before = { disruptedPods: { a: "2026-01-01T00:07:59Z" } };
  const expected = { pods: 1, desiredHealthy: 0, unmanaged: [] };
  const view = budgetView(budgetOf({}, before), [podOf("a")], expected, NOW);
  assert.equal(view.status.disruptedPods, undefined);
  assert.equal(view.status.currentHealthy, 1);
  assert.deepEqual(
    view.notDeleted.map(({ metadata }) => metadata.name),
    ["a"],
  );
});

test("nothing is allowed where no pods are expected, or where they could not be counted", () => {
  const expected = { pods: 0, desiredHealthy: 0, unmanaged: [] };
  const { status } = budgetView(budgetOf({}), [podOf("a")], expected, NOW);
  assert.equal(status.disruptionsAllowed, 0);
  const allowed = budgetView(budgetOf({}), [podOf("a")], { ...expected, pods: 1 }, NOW).status;
  const failed = failedStatus(budgetOf({}, allowed), new Error("why"), NOW + 60_000);
  assert.equal(failed.disruptionsAllowed, 0);
  const [condition] = failed.conditions ?? [];
  assert.deepEqual(
    [condition?.status, condition?.reason, condition?.message],
    ["False", "SyncFailed", "why"],
  );
  assert.equal(condition?.lastTransitionTime, "2026-01-01T00:11:00Z");
});

test("being about to go is untrue after two minutes, unless a kubelet said it or the pod has ended", () => {
  const lastTransitionTime = "2026-01-01T00:09:00Z";
  const target = (reason: string, phase = "Running"): Pod => ({
    ...podOf("p"),
    status: { phase, conditions: [{ type: "DisruptionTarget", status: "True", reason, lastTransitionTime }] },
  });
  assert.equal(staleAfter(target("PreemptionByScheduler"), NOW), 60_000);
  assert.equal(staleAfter(target("PreemptionByScheduler"), NOW + 120_000), 0);
  assert.equal(staleAfter(target("TerminationByKubelet"), NOW), undefined);
  assert.equal(staleAfter(target("PreemptionByScheduler", "Failed"), NOW), undefined);
  assert.equal(staleAfter(podOf("p"), NOW), undefined);
});

test("a budget's pods follow their labels and its selector", () => {
  const all = [podOf("a"), podOf("b")];
  const lister = { list: () => all } as unknown as Lister<Pod>;
  const selected = new BudgetPods(lister);
  const now = budgetOf({ selector: { matchLabels: { app: "web" } } });
  selected.budgetChanged({ key: "ns/b", now });
  const names = () => selected.of("ns", "ns/b").map(({ metadata }) => metadata.name);
  assert.deepEqual(names(), ["a", "b"]);
  const touched: string[] = [];
  const other = { ...podOf("a"), metadata: { name: "a", namespace: "ns", labels: { app: "other" } } };
  selected.podChanged({ key: "ns/a", now: other, was: all[0] }, (key) => touched.push(key));
  selected.podChanged({ key: "ns/a", now: other, was: other }, (key) => touched.push(key));
  assert.deepEqual([touched, names()], [["ns/b"], ["b"]]);
  assert.deepEqual([...selected.selecting("ns", { app: "web" })], ["ns/b"]);
  selected.budgetChanged({
    key: "ns/b",
    now: budgetOf({ selector: { matchLabels: { app: "no" } } }),
    was: now,
  });
  assert.deepEqual(names(), []);
  selected.budgetChanged({ key: "ns/b", was: now });
  assert.deepEqual([...selected.selecting("ns", { app: "no" })], []);
});
