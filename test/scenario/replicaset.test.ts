import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplicaSet } from "../../src/api/apps/replica-set.ts";
import { Pod, ReplicationController } from "../../src/api/core/pods.ts";
import { ResourceQuota } from "../../src/api/core/resource-quota.ts";
import { Event } from "../../src/api/events/event.ts";
import type { Client } from "../../src/client/client.ts";
import { startCluster, VirtualClock } from "../../src/testing/index.ts";
import { setPhase, setReady } from "./pod-status.ts";
import { until } from "./until.ts";
import { untilAll } from "./until-all.ts";

const SPACE = "default";
const template = (labels: Record<string, string>) => ({
  metadata: { labels },
  spec: { containers: [{ name: "web", image: "web:1" }] },
});

function replicaSet(name: string, replicas: number, spec: object = {}) {
  const labels = { app: name };
  return {
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: template(labels), ...spec },
  };
}

function replicationController(name: string, replicas: number) {
  return {
    metadata: { name },
    spec: { replicas, selector: { app: name }, template: template({ app: name }) },
  };
}

const isActive = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded";

function activePods(client: Client, app: string, count: number): Promise<Pod[]> {
  return untilAll(
    client.resource(Pod, SPACE),
    `app=${app}`,
    (pods) => pods.filter(isActive).length === count,
  );
}

function statusOf(client: Client, name: string, is: (status: NonNullable<ReplicaSet["status"]>) => boolean) {
  return until(client.resource(ReplicaSet, SPACE), name, (found) => {
    const { status, metadata } = found ?? {};
    return status !== undefined && status.observedGeneration === metadata?.generation && is(status);
  });
}

test("a replica set makes its pods, owns them and tells how many there are", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const made = await client.resource(ReplicaSet, SPACE).create(replicaSet("web", 3));
  const told = await statusOf(client, "web", ({ replicas }) => replicas === 3);
  assert.deepEqual(told?.status, {
    replicas: 3,
    fullyLabeledReplicas: 3,
    terminatingReplicas: 0,
    observedGeneration: 1,
  });
  const pods = await activePods(client, "web", 3);
  for (const { metadata } of pods) {
    assert.match(metadata.name!, /^web-[a-z0-9]{5}$/);
    const { uid } = made.metadata;
    const reference = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid };
    assert.deepEqual(metadata.ownerReferences, [
      { ...reference, controller: true, blockOwnerDeletion: true },
    ]);
  }
  const event = await untilAll(client.resource(Event, SPACE), "", (events) =>
    events.some(({ reason }) => reason === "SuccessfulCreate"),
  );
  assert.match(event.find(({ reason }) => reason === "SuccessfulCreate")!.message!, /^Created pod: web-/);
});

test("a replica set puts another in the place of a pod that failed or is deleted", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(ReplicaSet, SPACE).create(replicaSet("web", 2));
  const [first, second] = await activePods(client, "web", 2);
  await setPhase(client, first!, "Failed");
  await client.resource(Pod, SPACE).delete(second!.metadata.name!);
  const pods = await untilAll(client.resource(Pod, SPACE), "app=web", (now) => {
    const active = now.filter(isActive);
    return active.length === 2 && active.every(({ metadata }) => metadata.uid !== second!.metadata.uid);
  });
  assert.equal(pods.length, 3, "the failed pod stays to be looked at");
});

test("a replica set follows its scale, and lets those go first that are not ready", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const sets = client.resource(ReplicaSet, SPACE);
  await sets.create(replicaSet("web", 4));
  const pods = await activePods(client, "web", 4);
  const kept = pods.slice(0, 2);
  for (const pod of kept) await setReady(client, pod, true);
  const ready = await statusOf(client, "web", ({ readyReplicas }) => readyReplicas === 2);
  assert.equal(ready?.status?.availableReplicas, 2);
  await sets.patch("web", { spec: { replicas: 2 } }, { type: "merge", subresource: "scale" });
  const left = await activePods(client, "web", 2);
  assert.deepEqual(
    left.map(({ metadata }) => metadata.name).sort(),
    kept.map(({ metadata }) => metadata.name).sort(),
  );
  await sets.patch("web", { spec: { replicas: 3 } }, { type: "merge", subresource: "scale" });
  await statusOf(client, "web", ({ replicas, readyReplicas }) => replicas === 3 && readyReplicas === 2);
});

test("a replica set counts a pod as available once it was ready for minReadySeconds, and not before", async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ clock });
  const { client } = cluster;
  await client.resource(ReplicaSet, SPACE).create(replicaSet("web", 2, { minReadySeconds: 30 }));
  const [first, second] = await activePods(client, "web", 2);
  await setReady(client, first!, true, clock.now());
  await setReady(client, second!, true, clock.now() + 10_000);
  const ready = await statusOf(client, "web", ({ readyReplicas }) => readyReplicas === 2);
  assert.equal(ready?.status?.availableReplicas, undefined);
  clock.advance(30_000);
  const half = await statusOf(client, "web", ({ availableReplicas = 0 }) => availableReplicas > 0);
  assert.equal(half?.status?.availableReplicas, 1);
  clock.advance(10_000);
  await statusOf(client, "web", ({ availableReplicas }) => availableReplicas === 2);
});

for (const { resource, object } of [
  { resource: ReplicaSet, object: replicaSet("web", 1) },
  { resource: ReplicationController, object: replicationController("web", 1) },
]) {
  test(`a ${resource.kind} adopts a pod that it selects, and lets go of one that it selects no more`, async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    const pods = client.resource(Pod, SPACE);
    await pods.create({ metadata: { name: "mine", labels: { app: "web" } }, spec: template({}).spec });
    await pods.create({ metadata: { name: "other", labels: { app: "db" } }, spec: template({}).spec });
    await client.resource<ReplicaSet>(resource as never, SPACE).create(object as never);
    const adopted = await until(pods, "mine", (pod) => pod?.metadata.ownerReferences !== undefined);
    assert.deepEqual(
      adopted?.metadata.ownerReferences?.map(({ kind, name, controller }) => ({ kind, name, controller })),
      [{ kind: resource.kind, name: "web", controller: true }],
    );
    await pods.patch("mine", { metadata: { labels: { app: "debugged" } } }, { type: "merge" });
    const released = await until(pods, "mine", (pod) => pod?.metadata.ownerReferences?.length !== 1);
    assert.ok(released);
    const [successor] = await activePods(client, "web", 1);
    assert.match(successor!.metadata.name!, /^web-/);
    assert.equal((await pods.get("other")).metadata.ownerReferences, undefined);
    await pods.patch("other", { metadata: { labels: { app: "web" } } }, { type: "merge" });
    // One of the two is too many then, and it may well be this one.
    await until(pods, "other", (pod) => !pod || pod.metadata.ownerReferences !== undefined);
    await activePods(client, "web", 1);
  });

  test(`a ${resource.kind} tells of a quota that stops it, and takes it back when it fits`, async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    const quotas = client.resource(ResourceQuota, SPACE);
    await quotas.create({ metadata: { name: "two" }, spec: { hard: { pods: "2" } } });
    await until(quotas, "two", (quota) => quota?.status?.hard?.pods === "2");
    const owners = client.resource<ReplicaSet>(resource as never, SPACE);
    await owners.create({ ...object, spec: { ...object.spec, replicas: 3 } } as never);
    const failing = await until(owners, "web", (owner) => owner?.status?.conditions?.length === 1);
    const [condition] = failing?.status?.conditions ?? [];
    assert.equal(condition?.type, "ReplicaFailure");
    assert.equal(condition?.status, "True");
    assert.equal(condition?.reason, "FailedCreate");
    assert.match(
      condition?.message ?? "",
      /^pods "web-[a-z0-9]+" is forbidden: exceeded quota: two, requested: pods=1, used: pods=2, limited: pods=2$/,
    );
    await owners.patch("web", { spec: { replicas: 2 } }, { type: "merge" });
    const well = await until(owners, "web", (owner) => !owner?.status?.conditions?.length);
    assert.equal(well?.status?.replicas, 2);
  });
}

test("a replica set's status keeps the conditions of others, and counts are put right", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const sets = client.resource(ReplicaSet, SPACE);
  await sets.create(replicaSet("web", 1));
  await statusOf(client, "web", ({ replicas }) => replicas === 1);
  const condition = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from a test" };
  const status = { replicas: 7, conditions: [condition] };
  await sets.patch("web", { status }, { type: "merge", subresource: "status" });
  const right = await statusOf(client, "web", ({ replicas }) => replicas === 1);
  assert.deepEqual(right?.status?.conditions, [condition]);
});
