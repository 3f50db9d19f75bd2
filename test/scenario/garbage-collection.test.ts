import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployment } from "../../src/api/apps/deployment.ts";
import { ReplicaSet } from "../../src/api/apps/replica-set.ts";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Namespace } from "../../src/api/core/namespace.ts";
import { Pod, ReplicationController } from "../../src/api/core/pods.ts";
import { Event } from "../../src/api/events/event.ts";
import type { KubeObject, OwnerReference } from "../../src/api/object.ts";
import { PriorityClass } from "../../src/api/scheduling/priority-class.ts";
import type { Client } from "../../src/client/client.ts";
import { startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";
import { untilAll } from "./until-all.ts";

const SPACE = "default";
const spec = { containers: [{ name: "web", image: "web:1" }] };
const NOWHERE = "00000000-0000-4000-8000-000000000000";

function workload(name: string, replicas: number) {
  const template = { metadata: { labels: { app: name } }, spec };
  return { metadata: { name }, spec: { replicas, selector: { matchLabels: { app: name } }, template } };
}

function controller(name: string, replicas: number) {
  const { metadata, spec } = workload(name, replicas);
  return { metadata, spec: { ...spec, selector: { app: name } } };
}

function podsOf(client: Client, app: string, count: number): Promise<Pod[]> {
  return untilAll(client.resource(Pod, SPACE), `app=${app}`, ({ length }) => length === count);
}

function referenceTo({ apiVersion, kind, metadata }: KubeObject, more: object = {}): OwnerReference {
  return { apiVersion, kind, name: metadata.name!, uid: metadata.uid!, ...more };
}

async function makeMap(client: Client, name: string, owners: OwnerReference[] = [], namespace = SPACE) {
  const metadata = { name, ownerReferences: owners };
  return client.resource(ConfigMap, namespace).create({ metadata });
}

function gone(client: Client, name: string, namespace = SPACE): Promise<unknown> {
  return until(client.resource(ConfigMap, namespace), name, (map) => map === undefined);
}

test("what a deployment made goes with it, when it is deleted in the background", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(Deployment, SPACE).create(workload("web", 2));
  await podsOf(client, "web", 2);
  await client.resource(Deployment, SPACE).delete("web", { propagationPolicy: "Background" });
  await podsOf(client, "web", 0);
  assert.deepEqual((await client.resource(ReplicaSet, SPACE).list()).items, []);
});

test("an owner deleted in the foreground stays until the last that blocks it has gone", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const controllers = client.resource(ReplicationController, SPACE);
  await controllers.create(controller("web", 3));
  const [held] = await podsOf(client, "web", 3);
  const pods = client.resource(Pod, SPACE);
  const { name = "" } = held!.metadata;
  await pods.patch(name, { metadata: { finalizers: ["example.com/keep"] } }, { type: "merge" });
  await controllers.delete("web", { propagationPolicy: "Foreground" });
  const [left] = await podsOf(client, "web", 1);
  assert.equal(left!.metadata.name, name);
  const waiting = await controllers.get("web");
  assert.deepEqual(waiting.metadata.finalizers, ["foregroundDeletion"]);
  assert.ok(waiting.metadata.deletionTimestamp);
  await pods.patch(name, { metadata: { finalizers: null } }, { type: "merge" });
  await until(controllers, "web", (found) => found === undefined);
  await podsOf(client, "web", 0);
});

test("a deployment deleted in the foreground goes last, after its replica sets", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(Deployment, SPACE).create(workload("web", 2));
  await podsOf(client, "web", 2);
  await client.resource(Deployment, SPACE).delete("web", { propagationPolicy: "Foreground" });
  await until(client.resource(Deployment, SPACE), "web", (found) => found === undefined);
  assert.deepEqual((await client.resource(ReplicaSet, SPACE).list()).items, []);
  assert.deepEqual((await client.resource(Pod, SPACE).list()).items, []);
});

test("an orphaning deletion leaves what there is, and takes only the references to the owner away", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(Deployment, SPACE).create(workload("web", 2));
  const before = await podsOf(client, "web", 2);
  await client.resource(Deployment, SPACE).delete("web", { propagationPolicy: "Orphan" });
  await until(client.resource(Deployment, SPACE), "web", (found) => found === undefined);
  const [set, ...others] = (await client.resource(ReplicaSet, SPACE).list()).items;
  assert.deepEqual(others, []);
  assert.equal(set!.metadata.ownerReferences, undefined);
  const after = (await client.resource(Pod, SPACE).list()).items;
  const uids = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.uid).sort();
  assert.deepEqual(uids(after), uids(before));
  await client.resource(ReplicaSet, SPACE).delete(set!.metadata.name!, { propagationPolicy: "Orphan" });
  await until(client.resource(ReplicaSet, SPACE), set!.metadata.name!, (found) => found === undefined);
  for (const pod of (await client.resource(Pod, SPACE).list()).items) {
    assert.equal(pod.metadata.ownerReferences, undefined);
    assert.equal(pod.metadata.deletionTimestamp, undefined);
  }
});

test("what has another owner that stays is kept, and rid of the one that waits for it", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const controllers = client.resource(ReplicationController, SPACE);
  await controllers.create(controller("going", 4));
  const pods = await podsOf(client, "going", 4);
  const staying = await controllers.create(controller("staying", 0));
  const shared = pods.slice(0, 2).map(({ metadata }) => metadata.name!);
  for (const name of shared) {
    const ownerReferences = [referenceTo(staying)];
    await client.resource(Pod, SPACE).patch(name, { metadata: { ownerReferences } }, { type: "strategic" });
  }
  await controllers.delete("going", { propagationPolicy: "Foreground" });
  await until(controllers, "going", (found) => found === undefined);
  const left = await podsOf(client, "going", 2);
  assert.deepEqual(left.map(({ metadata }) => metadata.name).sort(), shared.sort());
  for (const { metadata } of left) {
    assert.equal(metadata.deletionTimestamp, undefined);
    assert.deepEqual(
      metadata.ownerReferences?.map(({ name }) => name),
      ["staying"],
    );
  }
});

for (const propagationPolicy of ["Background", "Foreground"] as const) {
  test(`objects that own each other in a circle all go when one is deleted (${propagationPolicy})`, async () => {
    await using cluster = await startCluster();
    const { client } = cluster;
    const maps = client.resource(ConfigMap, SPACE);
    const made = [];
    for (const name of ["a", "b", "c"]) made.push(await makeMap(client, name));
    for (const [i, owner] of made.entries()) {
      const ownerReferences = [referenceTo(owner, { blockOwnerDeletion: true })];
      const dependent = made[(i + 1) % 3]!.metadata.name!;
      await maps.patch(dependent, { metadata: { ownerReferences } }, { type: "merge" });
    }
    await maps.delete("a", { propagationPolicy });
    for (const name of ["a", "b", "c"]) await gone(client, name);
  });
}

test("what names an owner that never was, or that is another by now, goes", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const owner = await makeMap(client, "owner");
  await makeMap(client, "kept", [referenceTo(owner)]);
  await makeMap(client, "of-nobody", [{ ...referenceTo(owner), name: "nobody" }]);
  await makeMap(client, "of-another", [{ ...referenceTo(owner), uid: NOWHERE }]);
  await makeMap(client, "half", [referenceTo(owner), { ...referenceTo(owner), name: "x", uid: NOWHERE }]);
  await gone(client, "of-nobody");
  await gone(client, "of-another");
  const half = await until(
    client.resource(ConfigMap, SPACE),
    "half",
    (map) => map?.metadata.ownerReferences?.length === 1,
  );
  assert.deepEqual(half?.metadata.ownerReferences, [referenceTo(owner)]);
  assert.ok(await client.resource(ConfigMap, SPACE).get("kept"));
  await client.resource(ConfigMap, SPACE).delete("owner");
  await gone(client, "kept");
  await gone(client, "half");
});

test("what names an owner of a kind that is not served is kept", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const owner = await makeMap(client, "owner");
  const unknown = { apiVersion: "example.com/v1", kind: "Unknown", name: "some", uid: NOWHERE };
  await makeMap(client, "kept", [unknown]);
  await makeMap(client, "goes", [{ ...referenceTo(owner), name: "nobody", uid: NOWHERE }]);
  await gone(client, "goes");
  assert.equal((await client.resource(ConfigMap, SPACE).get("kept")).metadata.deletionTimestamp, undefined);
});

test("an owner in another namespace counts as absent, and an event tells so", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(Namespace).create({ metadata: { name: "away" } });
  const owner = await makeMap(client, "owner", [], "away");
  const map = await makeMap(client, "lost", [referenceTo(owner)]);
  await gone(client, "lost");
  const events = await untilAll(client.resource(Event, SPACE), "", (all) =>
    all.some(({ reason }) => reason === "OwnerRefInvalidNamespace"),
  );
  const event = events.find(({ reason }) => reason === "OwnerRefInvalidNamespace");
  assert.equal(event?.involvedObject?.uid, map.metadata.uid);
  assert.equal(
    event?.message,
    `ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: ${owner.metadata.uid}] does not exist in namespace "default"`,
  );
  assert.ok(await client.resource(ConfigMap, "away").get("owner"));
});

test("an object outside of namespaces that names an owner of one is kept, and an event tells so", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const owner = await makeMap(client, "owner");
  const classes = client.resource(PriorityClass);
  await classes.create({ metadata: { name: "high", ownerReferences: [referenceTo(owner)] }, value: 5 });
  await untilAll(client.resource(Event, SPACE), "", (all) =>
    all.some(({ reason }) => reason === "OwnerRefInvalidNamespace"),
  );
  assert.equal((await classes.get("high")).metadata.deletionTimestamp, undefined);
});
