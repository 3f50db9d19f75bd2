import assert from "node:assert/strict";
import { test } from "node:test";
import { ControllerRevision } from "../../src/api/apps/controller-revision.ts";
import { StatefulSet } from "../../src/api/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { Pod } from "../../src/api/core/pod/pod.ts";
import type { StatefulSetSpec } from "../../src/api/schema/apps.v1.generated.ts";
import type { Event } from "../../src/api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import type { Client } from "../../src/client/client.ts";
import { startCluster } from "../../src/testing/index.ts";
import { setPhase, setReady } from "./pod-status.ts";
import { runPods } from "./run-pods.ts";
import { until } from "./until.ts";

const NS = "default";
const labels = { app: "web" };
const selector = { matchLabels: labels };

function template(image: string) {
  return { metadata: { labels }, spec: { containers: [{ name: "c", image }] } };
}

function setOf(spec: Partial<StatefulSetSpec>) {
  return {
    metadata: { name: "web" },
    spec: { serviceName: "s", selector, template: template("a"), ...spec },
  };
}

function sets(client: Client) {
  return client.resource(StatefulSet, NS);
}

function ready(client: Client, replicas: number) {
  return until(
    sets(client),
    "web",
    (set) => set?.status?.readyReplicas === replicas && set.status.replicas === replicas,
  );
}

/** Every pod of the set, in the order they were made. */
async function names(client: Client): Promise<string[]> {
  const { items } = await client.resource(Pod, NS).list({ labelSelector: "app=web" });
  return items
    .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
    .map(({ metadata }) => metadata.name!);
}

async function watchNames(client: Client, type: string, count: number): Promise<string[]> {
  const seen: string[] = [];
  const pods = client.resource(Pod, NS);
  for await (const event of pods.watch({ labelSelector: "app=web" })) {
    if (event.type === type && seen.push(event.object.metadata.name!) === count) break;
  }
  return seen;
}

test("a stateful set makes its pods one after the other, each once those before it are ready", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await sets(client).create(setOf({ replicas: 2 }));
  const pods = client.resource(Pod, NS);
  const first = await until(pods, "web-0", (pod) => pod !== undefined);
  assert.equal(first?.spec?.hostname, "web-0");
  assert.equal(first?.spec?.subdomain, "s");
  await until(sets(client), "web", (set) => set?.status?.replicas === 1);
  assert.deepEqual(await names(client), ["web-0"]);
  await setReady(client, first!, true);
  const second = await until(pods, "web-1", (pod) => pod !== undefined);
  const found = second?.metadata.labels;
  assert.equal(found?.["statefulset.kubernetes.io/pod-name"], "web-1");
  assert.equal(found?.["apps.kubernetes.io/pod-index"], "1");
  const set = await sets(client).get("web");
  assert.equal(found?.["controller-revision-hash"], set.status?.updateRevision);
  const events = { group: "", version: "v1", kind: "Event", plural: "events", scope: "Namespaced" } as const;
  const told = await eventOf(client, events);
  assert.equal(told, "create Pod web-0 in StatefulSet web successful");
});

async function eventOf(client: Client, kind: Parameters<Client["resource"]>[0]): Promise<string | undefined> {
  for await (const { type, object } of client.resource<Event>(kind, NS).watch({
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  })) {
    if (type === "ADDED" && object.reason === "SuccessfulCreate") return object.message;
  }
  return undefined;
}

test("a stateful set scales up from its first ordinal and down from its last, and repairs what is deleted", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, "app=web");
  const made = watchNames(client, "ADDED", 3);
  await sets(client).create(setOf({ replicas: 3, ordinals: { start: 5 } }));
  await ready(client, 3);
  assert.deepEqual(await made, ["web-5", "web-6", "web-7"]);
  const old = await client.resource(Pod, NS).get("web-6");
  await client.resource(Pod, NS).delete("web-6");
  await until(
    client.resource(Pod, NS),
    "web-6",
    (pod) => pod !== undefined && pod.metadata.uid !== old.metadata.uid,
  );
  await ready(client, 3);
  const gone = watchNames(client, "DELETED", 2);
  await sets(client).patch("web", { spec: { replicas: 1 } }, { type: "merge" });
  assert.deepEqual(await gone, ["web-7", "web-6"]);
  await ready(client, 1);
});

test("a parallel stateful set waits for no pod", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await sets(client).create(setOf({ replicas: 5, podManagementPolicy: "Parallel" }));
  await until(sets(client), "web", (set) => set?.status?.replicas === 5);
  await sets(client).patch("web", { spec: { replicas: 2 } }, { type: "merge" });
  await until(sets(client), "web", (set) => set?.status?.replicas === 2);
  assert.deepEqual((await names(client)).sort(), ["web-0", "web-1"]);
});

test("a failed pod of a stateful set is made anew", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, "app=web");
  await sets(client).create(setOf({ replicas: 1 }));
  await ready(client, 1);
  const pods = client.resource(Pod, NS);
  const pod = await pods.get("web-0");
  await setPhase(client, pod, "Failed");
  await until(
    pods,
    "web-0",
    (now) => now?.metadata.uid !== pod.metadata.uid && now?.status?.phase === "Running",
  );
});

test("a rolling update replaces pods from the last, stops at the partition, and can be undone", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, "app=web");
  await sets(client).create(setOf({ replicas: 3 }));
  const { status: before } = (await ready(client, 3))!;
  const partition = { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } };
  await sets(client).patch("web", { spec: { template: template("b"), ...partition } }, { type: "merge" });
  const halfway = await until(
    sets(client),
    "web",
    (set) => set?.status?.updatedReplicas === 1 && set.status.readyReplicas === 3,
  );
  assert.equal(halfway?.status?.currentRevision, before?.currentRevision);
  assert.notEqual(halfway?.status?.updateRevision, before?.currentRevision);
  assert.equal(halfway?.status?.currentReplicas, 2);
  const images = async () =>
    (await client.resource(Pod, NS).list()).items
      .toSorted((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1))
      .map(({ spec }) => spec?.containers[0]?.image);
  assert.deepEqual(await images(), ["a", "a", "b"]);
  // What is deleted below the partition comes back as it was.
  const pods = client.resource(Pod, NS);
  const low = await pods.get("web-0");
  await pods.delete("web-0");
  await until(
    pods,
    "web-0",
    (pod) => pod?.metadata.uid !== low.metadata.uid && pod?.status?.phase === "Running",
  );
  assert.deepEqual(await images(), ["a", "a", "b"]);
  const gone = watchNames(client, "DELETED", 2);
  const all = { updateStrategy: { rollingUpdate: { partition: 0 } } };
  await sets(client).patch("web", { spec: all }, { type: "merge" });
  const { updateRevision } = halfway!.status!;
  await until(sets(client), "web", (set) => set?.status?.currentRevision === updateRevision);
  assert.deepEqual(await gone, ["web-1", "web-0"]);
  await sets(client).patch("web", { spec: { template: template("a") } }, { type: "merge" });
  await until(sets(client), "web", (set) => set?.status?.currentRevision === before?.currentRevision);
  assert.deepEqual(await images(), ["a", "a", "a"]);
  const { items } = await client.resource(ControllerRevision, NS).list();
  assert.deepEqual(items.map(({ revision }) => revision).sort(), [2, 3]);
});

test("claims of a stateful set outlive its pods, or go with them where the policy says so", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, "app=web");
  const claim = {
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
  await sets(client).create(setOf({ replicas: 2, volumeClaimTemplates: [claim] as never }));
  await ready(client, 2);
  const claims = client.resource(PersistentVolumeClaim, NS);
  const kept = await claims.get("data-web-1");
  assert.deepEqual(kept.metadata.labels, labels);
  assert.equal(kept.metadata.ownerReferences, undefined);
  const pod = await client.resource(Pod, NS).get("web-1");
  assert.deepEqual(pod.spec?.volumes?.[0], {
    name: "data",
    persistentVolumeClaim: { claimName: "data-web-1" },
  });
  const policy = { whenDeleted: "Delete", whenScaled: "Delete" };
  await sets(client).patch(
    "web",
    { spec: { persistentVolumeClaimRetentionPolicy: policy } },
    { type: "merge" },
  );
  const owned = await until(claims, "data-web-1", (each) => each?.metadata.ownerReferences !== undefined);
  assert.equal(owned?.metadata.ownerReferences?.[0]?.kind, "StatefulSet");
  await sets(client).patch("web", { spec: { replicas: 1 } }, { type: "merge" });
  const doomed = await until(
    claims,
    "data-web-1",
    (each) => each?.metadata.ownerReferences?.[0]?.kind !== "StatefulSet",
  );
  if (doomed) assert.equal(doomed.metadata.ownerReferences?.[0]?.uid, pod.metadata.uid);
});

test("a stateful set takes back a pod that lost its owner, and does not take a stranger's", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, NS, "app=web");
  await sets(client).create(setOf({ replicas: 1 }));
  await ready(client, 1);
  const pods = client.resource(Pod, NS);
  await pods.create({
    metadata: { name: "other-0", labels },
    spec: { containers: [{ name: "c", image: "a" }] },
  });
  await pods.patch("web-0", { metadata: { ownerReferences: null } }, { type: "merge" });
  const adopted = await until(pods, "web-0", (pod) => pod?.metadata.ownerReferences?.[0]?.name === "web");
  assert.equal(adopted?.metadata.ownerReferences?.[0]?.controller, true);
  const stranger = await pods.get("other-0");
  assert.equal(stranger.metadata.ownerReferences, undefined);
});

test("a stateful set waits for minReadySeconds before it makes the next pod", async () => {
  const clock = new VirtualClock(Date.now());
  await using cluster = await startCluster({ clock });
  const { client } = cluster;
  await sets(client).create(setOf({ replicas: 2, minReadySeconds: 60 }));
  const pods = client.resource(Pod, NS);
  const first = await until(pods, "web-0", (pod) => pod !== undefined);
  await setReady(client, first!, true, clock.now());
  const waiting = await until(sets(client), "web", (set) => set?.status?.readyReplicas === 1);
  assert.equal(waiting?.status?.availableReplicas, 0);
  assert.deepEqual(await names(client), ["web-0"]);
  clock.advance(61_000);
  await until(pods, "web-1", (pod) => pod !== undefined);
  const { status } = await sets(client).get("web");
  assert.equal(status?.readyReplicas, 1);
});
