import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import type { StatefulSet, StatefulSetSpec } from "../../api/schema/apps.v1.generated.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { asPod, isStale, ownersAfter } from "./claim-owners.ts";
import { claimsOf, newPod, parentAndOrdinal, repaired } from "./identity.ts";
import { planSet, type Seen, type Step } from "./plan.ts";
import { statusOf } from "./status.ts";

const NOW = Date.parse("2026-01-01T00:01:00Z");
const old = { name: "web-old", template: { spec: { containers: [{ name: "c", image: "old" }] } } };
const latest = { name: "web-new", template: { spec: { containers: [{ name: "c", image: "new" }] } } };

type PodState = "ready" | "unready" | "leaving" | "failed" | "pending";

function setOf(spec: Partial<StatefulSetSpec> = {}): StatefulSet {
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 0 } };
  const given = { selector: {}, template: latest.template, serviceName: "s", replicas: 3, updateStrategy };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "web", namespace: "ns", uid: "set", generation: 4 },
    spec: { ...given, ...spec },
  };
}

function podOf(set: StatefulSet, ordinal: number, state: PodState, revision = latest, since = 60): Pod {
  const made = newPod(set, revision.template, ordinal, revision.name);
  const lastTransitionTime = new Date(NOW - since * 1000).toISOString();
  const isReady = state === "ready" || state === "leaving" ? "True" : "False";
  const phase = state === "failed" ? "Failed" : state === "pending" ? "Pending" : "Running";
  const leaving = state === "leaving" && { deletionTimestamp: "2026-01-01T00:00:59Z" };
  return {
    ...made,
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...made.metadata, uid: `pod-${ordinal}`, ...leaving },
    status: { phase, conditions: [{ type: "Ready", status: isReady, lastTransitionTime }] },
  };
}

function plan(set: StatefulSet, pods: readonly Pod[], more: Partial<Seen> = {}) {
  return planSet({ set, pods, current: latest, update: latest, claim: () => undefined, now: NOW, ...more });
}

function shown({ phases }: { phases: Step[][] }): string[] {
  return phases.flat().map((step) => `${step.does} ${step.pod.metadata.name}`);
}

function steps(set: StatefulSet, states: Record<number, PodState>, more: Partial<Seen> = {}): string[] {
  const pods = Object.entries(states).map(([ordinal, state]) => podOf(set, Number(ordinal), state));
  return shown(plan(set, pods, more));
}

test("in order, only the first pod that is missing is made, once all before it are available", () => {
  const set = setOf();
  assert.deepEqual(steps(set, {}), ["create web-0"]);
  assert.deepEqual(steps(set, { 0: "unready" }), []);
  assert.deepEqual(steps(set, { 0: "leaving" }), []);
  assert.deepEqual(steps(set, { 0: "ready" }), ["create web-1"]);
  assert.deepEqual(steps(set, { 0: "ready", 2: "ready" }), ["create web-1"]);
  assert.deepEqual(steps(set, { 0: "ready", 1: "ready", 2: "ready" }), []);
});

test("in parallel, all are made at once and all that are too many go at once", () => {
  const set = setOf({ podManagementPolicy: "Parallel" });
  assert.deepEqual(steps(set, { 0: "unready" }), ["create web-1", "create web-2"]);
  assert.deepEqual(
    steps(set, { 0: "unready", 1: "ready", 2: "pending", 3: "ready", 4: "unready", 5: "leaving" }),
    ["delete web-4", "delete web-3"],
  );
});

test("ordinals begin where the set says", () => {
  const set = setOf({ ordinals: { start: 7 }, replicas: 2 });
  assert.deepEqual(steps(set, {}), ["create web-7"]);
  assert.deepEqual(steps(set, { 7: "ready", 8: "ready", 0: "ready" }), ["delete web-0"]);
});

test("a pod that has ended is deleted, and made anew once it is gone", () => {
  assert.deepEqual(steps(setOf(), { 0: "failed", 1: "ready", 2: "ready" }), ["delete web-0"]);
  assert.deepEqual(steps(setOf({ podManagementPolicy: "Parallel" }), { 0: "failed", 1: "failed" }), [
    "delete web-0",
    "delete web-1",
    "create web-2",
  ]);
});

test("in order, pods beyond the range go from the last, one at a time, and wait for one that is not available", () => {
  const set = setOf({ replicas: 1 });
  assert.deepEqual(steps(set, { 0: "ready", 1: "ready", 2: "ready" }), ["delete web-2"]);
  assert.deepEqual(steps(set, { 0: "ready", 1: "ready", 2: "leaving" }), []);
  assert.deepEqual(steps(set, { 0: "unready", 1: "ready" }), []);
  assert.deepEqual(steps(set, { 0: "ready", 1: "unready", 2: "ready" }), ["delete web-2"]);
  assert.deepEqual(steps(set, { 0: "ready", 1: "unready", 2: "unready" }), []);
  assert.deepEqual(steps(set, { 0: "ready", 1: "ready", 2: "unready" }), ["delete web-2"]);
});

test("a set on its way out does nothing", () => {
  const set = setOf();
  set.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  assert.deepEqual(steps(set, { 0: "failed" }), []);
});

test("an update replaces the last pod of an old revision once all are available", () => {
  const set = setOf();
  const seen = { current: old };
  const pods = [0, 1, 2].map((ordinal) => podOf(set, ordinal, "ready", old));
  assert.deepEqual(shown(plan(set, pods, seen)), ["delete web-2"]);
  assert.equal(plan(set, pods, seen).updating, 1);
  const [zero, one] = pods as [Pod, Pod, Pod];
  assert.deepEqual(shown(plan(set, [zero, one, podOf(set, 2, "ready")], seen)), ["delete web-1"]);
  assert.deepEqual(shown(plan(set, [zero, one, podOf(set, 2, "unready")], seen)), []);
});

test("an update leaves pods below the partition, and makes what is missing there from the old revision", () => {
  const set = setOf({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } });
  const pods = [podOf(set, 0, "ready", old), podOf(set, 1, "ready", old), podOf(set, 2, "ready")];
  assert.deepEqual(shown(plan(set, pods, { current: old })), []);
  const [[missing] = []] = plan(set, pods.slice(0, 1), { current: old }).phases;
  assert.equal(missing?.pod.metadata.labels?.["controller-revision-hash"], "web-old");
  const [[last] = []] = plan(set, pods.slice(0, 2), { current: old }).phases;
  assert.equal(last?.pod.metadata.labels?.["controller-revision-hash"], "web-new");
});

test("an update takes as many away at once as may be unavailable, those that are already counted", () => {
  const set = setOf({
    replicas: 5,
    podManagementPolicy: "Parallel",
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1, maxUnavailable: "50%" } },
  });
  const pods = [0, 1, 2, 3, 4].map((ordinal) => podOf(set, ordinal, "ready", old));
  assert.deepEqual(shown(plan(set, pods, { current: old })), ["delete web-4", "delete web-3"]);
  const less = [...pods.slice(0, 4), podOf(set, 4, "unready")];
  assert.deepEqual(shown(plan(set, less, { current: old })), ["delete web-3"]);
  // Two away are all that may be, and an old one of them goes since nobody misses it.
  const broken = [podOf(set, 0, "unready", old), podOf(set, 1, "unready", old), ...pods.slice(2)];
  assert.deepEqual(shown(plan(set, broken, { current: old })), ["delete web-1"]);
});

test("an update replaces old pods that never worked in their turn, though they serve nobody", () => {
  const set = setOf({ podManagementPolicy: "Parallel" });
  const broken = [0, 1, 2].map((ordinal) => podOf(set, ordinal, "unready", old));
  assert.deepEqual(shown(plan(set, broken, { current: old })), ["delete web-2"]);
  const mended = [...broken.slice(0, 2), podOf(set, 2, "ready")];
  assert.deepEqual(shown(plan(set, mended, { current: old })), ["delete web-1"]);
  const waiting = [...broken.slice(0, 2), podOf(set, 2, "unready")];
  assert.deepEqual(shown(plan(set, waiting, { current: old })), []);
});

test("OnDelete updates nothing by itself", () => {
  const set = setOf({ replicas: 1, updateStrategy: { type: "OnDelete" } });
  assert.deepEqual(shown(plan(set, [podOf(set, 0, "ready", old)], { current: old })), []);
  const [[made] = []] = plan(set, [], { current: old }).phases;
  assert.equal(made?.pod.metadata.labels?.["controller-revision-hash"], "web-new");
});

test("a pod is available only after minReadySeconds, and the plan says when to look again", () => {
  const set = setOf({ minReadySeconds: 30 });
  const fresh = plan(set, [podOf(set, 0, "ready", latest, 10)]);
  assert.deepEqual(shown(fresh), []);
  assert.equal(fresh.lookAgain, NOW + 20_000);
  const settled = plan(set, [podOf(set, 0, "ready", latest, 31)]);
  assert.deepEqual(shown(settled), ["create web-1"]);
  assert.equal(settled.lookAgain, undefined);
});

const claimTemplate = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data" },
  spec: {},
};

function claimOf(name: string, ownerReferences?: PersistentVolumeClaim["metadata"]["ownerReferences"]) {
  return { ...claimTemplate, metadata: { name, ownerReferences } };
}

test("a pending pod gets the claims it lacks", () => {
  const set = setOf({ replicas: 1, volumeClaimTemplates: [claimTemplate] });
  assert.deepEqual(steps(set, { 0: "pending" }), ["claims web-0"]);
  assert.deepEqual(steps(set, { 0: "pending" }, { claim: (name) => claimOf(name) }), []);
  assert.deepEqual(
    claimsOf(set, 3).map(({ metadata }) => metadata.name),
    ["data-web-3"],
  );
});

test("a pod waits for the claim of an earlier pod of its name to be gone", () => {
  const set = setOf({ replicas: 1, volumeClaimTemplates: [claimTemplate] });
  const reference = { apiVersion: "v1", kind: "Pod", name: "web-0", uid: "earlier", controller: true };
  assert.deepEqual(steps(set, {}, { claim: (name) => claimOf(name, [reference]) }), []);
  assert.equal(isStale([reference], asPod({ metadata: { name: "web-0", uid: "earlier" } })), false);
});

test("claims get the owners that the policy names", () => {
  const pod = { metadata: { name: "web-2", uid: "pod-2" } };
  const kinds = (whenScaled: string, whenDeleted: string, isWanted: boolean) => {
    const set = setOf({ persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted } });
    const other = { apiVersion: "v1", kind: "Other", name: "o", uid: "o" };
    return ownersAfter([other], set, pod, isWanted)?.map(({ kind }) => kind);
  };
  assert.equal(kinds("Retain", "Retain", true), undefined);
  assert.deepEqual(kinds("Retain", "Delete", true), ["Other", "StatefulSet"]);
  assert.deepEqual(kinds("Retain", "Delete", false), ["Other", "StatefulSet"]);
  assert.equal(kinds("Delete", "Retain", true), undefined);
  assert.deepEqual(kinds("Delete", "Retain", false), ["Other", "Pod"]);
  assert.deepEqual(kinds("Delete", "Delete", true), ["Other", "StatefulSet"]);
  assert.deepEqual(kinds("Delete", "Delete", false), ["Other", "Pod"]);
});

test("claims under another controller, or of an earlier set, are left alone", () => {
  const set = setOf({
    persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Delete" },
  });
  const pod = { metadata: { name: "web-0", uid: "pod-0" } };
  const foreign = { apiVersion: "v1", kind: "Other", name: "o", uid: "o", controller: true };
  assert.equal(ownersAfter([foreign], set, pod, true), undefined);
  const ours = { apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "set", controller: true };
  assert.deepEqual(ownersAfter([foreign, ours], set, pod, true), [foreign]);
  assert.equal(ownersAfter([{ ...ours, uid: "earlier" }], set, pod, true), undefined);
  assert.deepEqual(ownersAfter([{ ...ours, controller: false }], set, pod, true)?.[0]?.controller, true);
});

test("a pod that lost the labels of its identity is repaired", () => {
  const set = setOf({ replicas: 1 });
  const pod = podOf(set, 0, "ready");
  assert.equal(repaired(set, pod), undefined);
  const lost = { ...pod, metadata: { ...pod.metadata, labels: { "controller-revision-hash": "web-new" } } };
  assert.deepEqual(repaired(set, lost)?.metadata.labels, pod.metadata.labels);
  assert.deepEqual(shown(plan(set, [lost])), ["repair web-0"]);
});

test("a pod's claims stand in for volumes of the template that have their names", () => {
  const set = setOf({ volumeClaimTemplates: [claimTemplate] });
  const volumes = [
    { name: "data", emptyDir: {} },
    { name: "tmp", emptyDir: {} },
  ];
  const pod = newPod(set, { spec: { containers: [], volumes } }, 1, "r");
  assert.deepEqual(pod.spec?.volumes, [
    { name: "data", persistentVolumeClaim: { claimName: "data-web-1" } },
    { name: "tmp", emptyDir: {} },
  ]);
});

test("names are read as parent and ordinal", () => {
  assert.deepEqual(parentAndOrdinal("a-b-12"), { parent: "a-b", ordinal: 12 });
  for (const name of ["a", "a-", "a-b", "a-1b", "12"]) assert.equal(parentAndOrdinal(name), undefined);
});

test("a status counts pods by readiness and revision, and completes an update", () => {
  const set = setOf({ minReadySeconds: 30 });
  const seen = { set, current: old, update: latest, collisions: 0, updating: 0, now: NOW };
  const pods = [
    podOf(set, 0, "ready", old),
    podOf(set, 1, "ready", latest, 5),
    podOf(set, 2, "leaving", old),
  ];
  assert.deepEqual(statusOf({ ...seen, pods }), {
    observedGeneration: 4,
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 2,
    currentReplicas: 1,
    updatedReplicas: 1,
    currentRevision: "web-old",
    updateRevision: "web-new",
    collisionCount: 0,
  });
  const done = statusOf({ ...seen, pods: [0, 1, 2].map((ordinal) => podOf(set, ordinal, "ready")) });
  assert.deepEqual([done.currentRevision, done.currentReplicas], ["web-new", 3]);
});
