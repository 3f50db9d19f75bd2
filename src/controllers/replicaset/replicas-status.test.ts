import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/core/pods.ts";
import { concernsReplicas, type Replicated, replicasStatus, sameStatus } from "./replicas-status.ts";

const NOW = Date.parse("2030-01-01T12:00:00Z");

function pod(readySeconds?: number, labels: Record<string, string> = { app: "web", extra: "1" }): Pod {
  const lastTransitionTime = new Date(NOW - (readySeconds ?? 0) * 1000).toISOString();
  const status = readySeconds === undefined ? "False" : "True";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", uid: "p", labels },
    status: { phase: "Running", conditions: [{ type: "Ready", status, lastTransitionTime }] },
  };
}

function owner(minReadySeconds: number, status?: Replicated["status"]): Replicated {
  const template = { metadata: { labels: { app: "web", extra: "1" } }, spec: { containers: [] } };
  const metadata = { name: "web", generation: 3 };
  return { apiVersion: "apps/v1", kind: "ReplicaSet", metadata, spec: { minReadySeconds, template }, status };
}

test("a status counts what is ready, available, and labelled as the template says", () => {
  const active = [pod(), pod(5), pod(20), pod(30, { app: "web" })];
  const { status, changesAt } = replicasStatus(owner(10), { active, terminating: 2 }, undefined, NOW);
  assert.deepEqual(status, {
    replicas: 4,
    fullyLabeledReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 2,
    terminatingReplicas: 2,
    observedGeneration: 3,
  });
  assert.equal(changesAt, NOW + 5000);
});

test("a status changes at the first of the moments at which a pod becomes available", () => {
  const { changesAt } = replicasStatus(owner(60), { active: [pod(10), pod(50), pod(20)] }, undefined, NOW);
  assert.equal(changesAt, NOW + 10_000);
  assert.equal(replicasStatus(owner(0), { active: [pod(0)] }, undefined, NOW).changesAt, undefined);
});

test("a failure is told once, kept as it was first told, and taken back when it is over", () => {
  const foreign = { type: "Other", status: "True" };
  const first = { reason: "FailedCreate", message: "quota" } as const;
  const told = replicasStatus(
    owner(0, { replicas: 0, conditions: [foreign] }),
    { active: [] },
    first,
    NOW,
  ).status;
  const failure = {
    type: "ReplicaFailure",
    status: "True",
    lastTransitionTime: "2030-01-01T12:00:00Z",
    ...first,
  };
  assert.deepEqual(told.conditions, [foreign, failure]);
  const later = { reason: "FailedCreate", message: "webhook" } as const;
  const again = replicasStatus(owner(0, told), { active: [] }, later, NOW + 5000).status;
  assert.ok(sameStatus(told, again));
  const over = replicasStatus(owner(0, told), { active: [] }, undefined, NOW).status;
  assert.deepEqual(over.conditions, [foreign]);
  assert.ok(!sameStatus(told, over));
});

test("statuses are the same when what one leaves out is zero in the other", () => {
  const zeros = { replicas: 1, readyReplicas: 0, availableReplicas: 0, conditions: [] };
  assert.ok(sameStatus(zeros, { replicas: 1 }));
  assert.ok(!sameStatus(zeros, { replicas: 1, readyReplicas: 1 }));
  assert.ok(!sameStatus(undefined, { replicas: 1 }));
});

test("a change of a pod concerns its owner only when it may change a count", () => {
  const was = pod(5);
  assert.ok(!concernsReplicas({ ...was, spec: { containers: [], nodeName: "n1" } }, was));
  assert.ok(concernsReplicas(was, undefined));
  assert.ok(concernsReplicas(undefined, was));
  assert.ok(concernsReplicas(pod(), was));
  assert.ok(concernsReplicas(pod(4), was));
  assert.ok(concernsReplicas({ ...was, status: { ...was.status, phase: "Failed" } }, was));
  assert.ok(concernsReplicas({ ...was, metadata: { ...was.metadata, labels: {} } }, was));
  assert.ok(concernsReplicas({ ...was, metadata: { ...was.metadata, deletionTimestamp: "now" } }, was));
});
