import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../../machinery/status/status-error.ts";
import type { KubeObject } from "../../object.ts";
import type { ActionSubresource, RequestContext } from "../../resource.ts";
import type { Pod as PodObject } from "../../schema/core.v1.generated.ts";
import { Pod } from "./pod.ts";

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "a", uid: "u", labels: { app: "web" } },
  spec: { containers: [] },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
};

/** A server with one pod and one budget; tells what became of them. */
function server(disruptionsAllowed: number) {
  const budget = {
    metadata: { name: "budget", generation: 1 },
    spec: { selector: { matchLabels: { app: "web" } } },
    status: { disruptionsAllowed, observedGeneration: 1, desiredHealthy: 1, currentHealthy: 1 },
  };
  const deleted: unknown[] = [];
  const evicted: PodObject = structuredClone(pod);
  const reader = { get: () => pod, list: () => [budget] };
  const writer = {
    update: async (
      { kind }: { kind: string },
      _ns: string,
      _name: string,
      change: (copy: unknown) => void,
    ) => {
      const copy = kind === "Pod" ? evicted : budget;
      change(copy);
      return copy;
    },
    delete: async (_r: unknown, ns: string, name: string, options: unknown) =>
      deleted.push({ ns, name, options }),
  };
  const context = { ports: { reader, writer }, now: "2026-01-01T00:00:00Z", dryRun: false };
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "web" } } as KubeObject;
  const evict = () =>
    (Pod.subresources.eviction as ActionSubresource).create(
      { namespace: "a", name: "web" },
      eviction,
      context as unknown as RequestContext,
    );
  return { evict, budget, deleted, evicted };
}

test("eviction spends one disruption and deletes that very pod", async () => {
  const { evict, budget, deleted, evicted } = server(1);
  await evict();
  assert.deepEqual(budget.status, {
    disruptionsAllowed: 0,
    observedGeneration: 1,
    desiredHealthy: 1,
    currentHealthy: 1,
    disruptedPods: { web: "2026-01-01T00:00:00Z" },
    conditions: [
      {
        type: "DisruptionAllowed",
        status: "False",
        reason: "InsufficientPods",
        message: "",
        observedGeneration: 1,
        lastTransitionTime: "2026-01-01T00:00:00Z",
      },
    ],
  });
  assert.deepEqual(evicted.status?.conditions?.at(-1), {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });
  assert.deepEqual(deleted, [
    { ns: "a", name: "web", options: { dryRun: false, preconditions: { uid: "u" } } },
  ]);
});

test("eviction is refused with 429 when the budget is spent", async () => {
  const { evict, deleted } = server(0);
  await assert.rejects(evict(), (error: unknown) => {
    assert.ok(error instanceof StatusError);
    assert.equal(error.code, 429);
    assert.equal(error.message, "Cannot evict pod as it would violate the pod's disruption budget.");
    const message = "The disruption budget budget needs 1 healthy pods and has 1 currently";
    assert.deepEqual(error.details, { causes: [{ reason: "DisruptionBudget", message }] });
    return true;
  });
  assert.deepEqual(deleted, []);
});

test("eviction says why a budget lets no pod go though enough are healthy", async () => {
  const { evict, budget } = server(0);
  const refused = (why: string) =>
    assert.rejects(evict(), (error: unknown) => {
      assert.equal((error as StatusError).details?.causes?.[0]?.message, why);
      return true;
    });
  const status = { ...budget.status, currentHealthy: 2 };
  budget.status = status;
  const text = "The disruption budget budget does not allow evicting pods currently";
  await refused(text);
  const failed = {
    type: "DisruptionAllowed",
    status: "False",
    reason: "SyncFailed",
    message: "no controllers",
  };
  budget.status = Object.assign(status, { conditions: [failed] });
  await refused(`${text} (SyncFailed): no controllers`);
  budget.status = { ...status, disruptionsAllowed: -1 };
  await assert.rejects(evict(), {
    reason: "Forbidden",
    message: 'poddisruptionbudget.policy "budget" is forbidden: pdb disruptions allowed is negative',
  });
});
