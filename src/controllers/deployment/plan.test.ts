import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import type { DeploymentCondition, DeploymentSpec } from "../../api/schema/apps.v1.generated.ts";
import { type Plan, plan } from "./plan.ts";

const NOW = Date.parse("2030-01-01T12:00:00Z");
const LABELS = { app: "web" };

function template(image: string, labels: Record<string, string> = LABELS) {
  return { metadata: { labels }, spec: { containers: [{ name: "web", image }] } };
}

interface DeploymentFacts {
  spec?: Partial<DeploymentSpec>;
  status?: Deployment["status"];
  annotations?: Record<string, string>;
  surge?: number | string;
  unavailable?: number | string;
}

function deployment(image: string, replicas: number, facts: DeploymentFacts = {}): Deployment {
  const { spec, status, annotations, surge = "25%", unavailable = "25%" } = facts;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default", uid: "web", generation: 4, annotations },
    spec: {
      replicas,
      selector: { matchLabels: LABELS },
      template: template(image),
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      ...spec,
    },
    status,
  };
}

interface SetFacts {
  replicas: number;
  available?: number;
  there?: number;
  revision?: number | bigint;
  desired?: number;
  max?: number;
  /** Minutes. */
  age?: number;
}

function replicaSet(image: string, facts: SetFacts): ReplicaSet {
  const { replicas, there = replicas, available = there, revision = 1, age = 10 } = facts;
  const { desired = 10, max = 13 } = facts;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: image,
      namespace: "default",
      uid: image,
      generation: 1,
      creationTimestamp: new Date(NOW - age * 60_000).toISOString(),
      annotations: {
        "deployment.kubernetes.io/revision": String(revision),
        "deployment.kubernetes.io/desired-replicas": String(desired),
        "deployment.kubernetes.io/max-replicas": String(max),
      },
    },
    spec: {
      replicas,
      selector: { matchLabels: LABELS },
      template: template(image, { ...LABELS, "pod-template-hash": image }),
    },
    status: {
      replicas: there,
      readyReplicas: available,
      availableReplicas: available,
      observedGeneration: 1,
    },
  };
}

function planOf(of: Deployment, replicaSets: ReplicaSet[], { running = false, now = NOW } = {}): Plan {
  return plan({ deployment: of, replicaSets, hasRunningPods: () => running, now });
}

function sizes({ updates }: Plan): Record<string, number | undefined> {
  return Object.fromEntries(updates.map(({ to }) => [to.metadata.name, to.spec?.replicas]));
}

function condition({ status }: Plan, wanted = "Progressing"): DeploymentCondition | undefined {
  return status.conditions?.find(({ type }) => type === wanted);
}

test("a first rollout makes a replica set of full size, as revision 1", () => {
  const planned = planOf(deployment("one", 10, { annotations: { note: "kept" } }), []);
  assert.equal(planned.create?.spec?.replicas, 10);
  assert.equal(planned.revision, "1");
  assert.deepEqual(planned.create?.metadata.annotations, {
    note: "kept",
    "deployment.kubernetes.io/revision": "1",
    "deployment.kubernetes.io/desired-replicas": "10",
    "deployment.kubernetes.io/max-replicas": "13",
  });
  assert.equal(condition(planned)?.reason, "NewReplicaSetCreated");
  assert.equal(condition(planned, "Available")?.reason, "MinimumReplicasUnavailable");
});

test("the new replica set begins as large as the surge allows", () => {
  const old = replicaSet("one", { replicas: 10 });
  assert.equal(planOf(deployment("two", 10), [old]).create?.spec?.replicas, 3);
  assert.equal(planOf(deployment("two", 10, { surge: 0 }), [old]).create?.spec?.replicas, 0);
  assert.equal(planOf(deployment("two", 10, { surge: "100%" }), [old]).create?.spec?.replicas, 10);
});

test("old replica sets shrink as far as enough pods stay available", () => {
  const old = replicaSet("one", { replicas: 10 });
  const shrink = (available: number, facts: DeploymentFacts = {}) =>
    sizes(
      planOf(deployment("two", 10, facts), [old, replicaSet("two", { replicas: 3, available, revision: 2 })]),
    );
  assert.deepEqual(shrink(0), { one: 8 });
  assert.deepEqual(shrink(3), { one: 5 });
  assert.deepEqual(shrink(1, { unavailable: 0, surge: 3 }), { one: 9 });
  assert.deepEqual(shrink(0, { unavailable: 0, surge: 3 }), {});
});

test("old pods that do not serve go first, and count for nothing", () => {
  const older = replicaSet("one", { replicas: 5, available: 0, age: 30 });
  const old = replicaSet("two", { replicas: 5, available: 5, revision: 2, age: 20 });
  const newest = replicaSet("three", { replicas: 3, available: 3, revision: 3 });
  // 13 pods, 8 of them available, and 8 must be: only those that are not may go.
  assert.deepEqual(sizes(planOf(deployment("three", 10), [older, old, newest])), { one: 0 });
});

test("percentages of a small size that come to nothing let one pod be unavailable", () => {
  const old = replicaSet("one", { replicas: 1, desired: 1, max: 1 });
  const newest = replicaSet("two", { replicas: 0, revision: 2, desired: 1, max: 1 });
  const planned = planOf(deployment("two", 1, { surge: "0%", unavailable: "25%" }), [old, newest]);
  assert.deepEqual(sizes(planned), { one: 0 });
});

test("recreating waits for the last old pod, also for those that no status counts", () => {
  const spec = { strategy: { type: "Recreate" } };
  const two = deployment("two", 10, { spec });
  assert.deepEqual(sizes(planOf(two, [replicaSet("one", { replicas: 10 })])), { one: 0 });
  const empty = replicaSet("one", { replicas: 0 });
  assert.equal(planOf(two, [replicaSet("one", { replicas: 0, there: 1 })]).create, undefined);
  assert.equal(planOf(two, [empty], { running: true }).create, undefined);
  assert.equal(planOf(two, [empty]).create?.spec?.replicas, 10);
});

test("a size that changes amid a rollout is shared out, and what is left over goes to the largest", () => {
  const sets = [
    replicaSet("one", { replicas: 8 }),
    replicaSet("two", { replicas: 5, available: 0, revision: 2 }),
  ];
  const scaled = (replicas: number) => sizes(planOf(deployment("two", replicas, { surge: 3 }), sets));
  assert.deepEqual(scaled(30), { one: 20, two: 13 });
  assert.deepEqual(scaled(11), { one: 9, two: 5 });
  assert.deepEqual(scaled(5), { one: 5, two: 3 });
  assert.deepEqual(scaled(0), { one: 0, two: 0 });
});

test("a deployment that recreates shares out no change of its size", () => {
  const spec = { strategy: { type: "Recreate" }, paused: true };
  const sets = [
    replicaSet("one", { replicas: 8 }),
    replicaSet("two", { replicas: 5, available: 0, revision: 2 }),
  ];
  assert.deepEqual(planOf(deployment("two", 30, { spec }), sets).updates, []);
});

test("one replica set alone takes the whole size, and is told of it", () => {
  const planned = planOf(deployment("one", 20), [replicaSet("one", { replicas: 10 })]);
  assert.deepEqual(sizes(planned), { one: 20 });
  const { annotations } = planned.updates[0]!.to.metadata;
  assert.equal(annotations?.["deployment.kubernetes.io/desired-replicas"], "20");
  assert.equal(annotations?.["deployment.kubernetes.io/max-replicas"], "25");
});

test("a paused rollout makes no new replica set, and tells that it is paused", () => {
  const planned = planOf(deployment("two", 10, { spec: { paused: true } }), [
    replicaSet("one", { replicas: 10 }),
  ]);
  assert.equal(planned.create, undefined);
  assert.deepEqual(planned.updates, []);
  assert.equal(condition(planned)?.reason, "DeploymentPaused");
  assert.equal(planned.at, undefined);
});

test("a template that returns gives its replica set the next revision and keeps the former in its history", () => {
  const back = replicaSet("one", { replicas: 0, revision: 1 });
  const planned = planOf(deployment("one", 10), [back, replicaSet("two", { replicas: 10, revision: 2 })]);
  assert.equal(planned.revision, "3");
  const { to } = planned.updates[0]!;
  assert.equal(to.metadata.annotations?.["deployment.kubernetes.io/revision"], "3");
  assert.equal(to.metadata.annotations?.["deployment.kubernetes.io/revision-history"], "1");
  assert.equal(to.spec?.replicas, 3);
});

test("revisions are counted exactly, however large a user made one", () => {
  const old = replicaSet("one", { replicas: 10, revision: 3546343826724305832n });
  assert.equal(planOf(deployment("two", 10), [old]).revision, "3546343826724305833");
});

test("the oldest revisions without pods go when a rollout is complete, and not before", () => {
  const old = [1, 2, 3].map((revision) =>
    replicaSet(`old-${revision}`, { replicas: 0, revision, age: 60 - revision }),
  );
  const spec = { revisionHistoryLimit: 1 };
  const newest = (available: number) => replicaSet("new", { replicas: 10, available, revision: 4 });
  const deleted = (available: number) =>
    planOf(deployment("new", 10, { spec }), [...old, newest(available)]).deletes.map(
      ({ metadata }) => metadata.name,
    );
  assert.deepEqual(deleted(10), ["old-1", "old-2"]);
  assert.deepEqual(deleted(9), []);
});

function progressing(reason: string, secondsAgo: number): DeploymentCondition {
  const time = new Date(NOW - secondsAgo * 1000).toISOString();
  return { type: "Progressing", status: "True", reason, lastUpdateTime: time, lastTransitionTime: time };
}

test("a rollout that does not move is looked at again when its deadline is over, and then told to have failed", () => {
  const set = replicaSet("one", { replicas: 10, available: 4 });
  const status = (ago: number) => ({
    replicas: 10,
    updatedReplicas: 10,
    readyReplicas: 4,
    availableReplicas: 4,
    conditions: [progressing("ReplicaSetUpdated", ago)],
  });
  const waiting = planOf(deployment("one", 10, { status: status(500) }), [set]);
  assert.equal(condition(waiting)?.reason, "ReplicaSetUpdated");
  assert.equal(waiting.at, NOW + 101_000);
  const late = planOf(deployment("one", 10, { status: status(601) }), [set]);
  assert.equal(condition(late)?.reason, "ProgressDeadlineExceeded");
  assert.equal(condition(late)?.status, "False");
  assert.equal(late.at, undefined);
});

test("a step forward begins the deadline anew without changing since when the rollout is under way", () => {
  const status = { replicas: 10, updatedReplicas: 10, conditions: [progressing("ReplicaSetUpdated", 599)] };
  const planned = planOf(deployment("one", 10, { status }), [
    replicaSet("one", { replicas: 10, available: 1 }),
  ]);
  assert.equal(condition(planned)?.lastUpdateTime, "2030-01-01T12:00:00Z");
  assert.equal(condition(planned)?.lastTransitionTime, status.conditions[0]!.lastTransitionTime);
  assert.equal(planned.at, NOW + 601_000);
});

test("a rollout that is complete says so, and stays so when pods are lost later", () => {
  const done = planOf(deployment("one", 10), [replicaSet("one", { replicas: 10 })]);
  assert.equal(condition(done)?.reason, "NewReplicaSetAvailable");
  assert.equal(condition(done)?.message, 'ReplicaSet "one" has successfully progressed.');
  const later = deployment("one", 10, { status: done.status });
  const lost = planOf(later, [replicaSet("one", { replicas: 10, available: 2 })], { now: NOW + 9e6 });
  assert.equal(condition(lost)?.reason, "NewReplicaSetAvailable");
  assert.equal(condition(lost, "Available")?.reason, "MinimumReplicasUnavailable");
});

test("what keeps a replica set from making pods is told of its deployment", () => {
  const set = replicaSet("one", { replicas: 10, there: 2 });
  const lastTransitionTime = "2030-01-01T11:00:00Z";
  const failure = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", lastTransitionTime };
  const conditions = [{ ...failure, message: "exceeded quota" }];
  const planned = planOf(deployment("one", 10), [{ ...set, status: { ...set.status!, conditions } }]);
  assert.equal(condition(planned, "ReplicaFailure")?.message, "exceeded quota");
  const well = planOf(deployment("one", 10, { status: planned.status }), [set]);
  assert.equal(condition(well, "ReplicaFailure"), undefined);
});

test("a deployment being deleted only counts", () => {
  const going = deployment("two", 10);
  going.metadata.deletionTimestamp = "2030-01-01T12:00:00Z";
  const planned = planOf(going, [replicaSet("one", { replicas: 10 })]);
  assert.deepEqual([planned.create, planned.updates, planned.deletes], [undefined, [], []]);
  assert.equal(planned.status.replicas, 10);
});
