import assert from "node:assert/strict";
import { test } from "node:test";
import { Event } from "../../src/api/events/event.ts";
import { VolumeAttributesClass } from "../../src/api/storage/volume-attributes-class.ts";
import type { Client } from "../../src/client/client.ts";
import {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  startCluster,
} from "../../src/testing/index.ts";
import { until } from "./until.ts";

const RESOURCES = { requests: { storage: "1Gi" } };
const SHAPE = { accessModes: ["ReadWriteOnce"], storageClassName: "" };

async function makeBound(client: Client, name: string, attributes?: string): Promise<void> {
  const more = attributes === undefined ? {} : { volumeAttributesClassName: attributes };
  const csi = { driver: "driver.example.com", volumeHandle: name };
  const spec = { ...SHAPE, ...more, csi, capacity: { storage: "1Gi" } };
  await client.resource(PersistentVolume).create({ metadata: { name }, spec });
  const claims = client.resource(PersistentVolumeClaim, "default");
  await claims.create({ metadata: { name }, spec: { ...SHAPE, ...more, resources: RESOURCES } });
  await until(claims, name, (claim) => claim?.status?.phase === "Bound");
}

function podOf(name: string, claimName: string, nodeName?: string) {
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName } }];
  const containers = [{ name: "c", image: "x" }];
  const spec = { volumes, nodeName, containers, schedulerName: "nobody", terminationGracePeriodSeconds: 0 };
  return { metadata: { name }, spec };
}

/** What an event of the object says, once there is one. */
async function told(client: Client, name: string, reason: string): Promise<string | undefined> {
  const fieldSelector = `involvedObject.name=${name},reason=${reason}`;
  const events = client.resource(Event, "default").watch({ fieldSelector, resourceVersion: "0" });
  for await (const { object } of events) return object.message;
  return undefined;
}

test("a claim stays while a pod with a node uses it, and its volume while it is bound", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeBound(client, "data");
  const claims = client.resource(PersistentVolumeClaim, "default");
  const volumes = client.resource(PersistentVolume);
  const pods = client.resource(Pod, "default");
  await pods.create(podOf("running", "data", "n"));
  await pods.create(podOf("waiting", "data"));
  await claims.delete("data");
  await volumes.delete("data");
  // Another claim that nobody uses goes; the controller has looked at the first by then.
  await claims.create({ metadata: { name: "unused" }, spec: { ...SHAPE, resources: RESOURCES } });
  await claims.delete("unused");
  await until(claims, "unused", (claim) => claim === undefined);
  assert.ok((await claims.get("data")).metadata.deletionTimestamp);
  assert.ok((await volumes.get("data")).metadata.deletionTimestamp);
  await pods.delete("running", { gracePeriodSeconds: 0 });
  await until(claims, "data", (claim) => claim === undefined);
  await until(volumes, "data", (volume) => volume === undefined);
});

test("a finalizer that a user took away comes back", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeBound(client, "data");
  for (const [objects, finalizer] of [
    [client.resource(PersistentVolumeClaim, "default"), "kubernetes.io/pvc-protection"],
    [client.resource(PersistentVolume), "kubernetes.io/pv-protection"],
  ] as const) {
    await objects.patch("data", { metadata: { finalizers: null } }, { type: "merge" });
    const again = await until<PersistentVolume | PersistentVolumeClaim>(
      objects as never,
      "data",
      (object) => object?.metadata.finalizers !== undefined,
    );
    assert.deepEqual(again?.metadata.finalizers, [finalizer]);
  }
});

test("a class of volume attributes stays while a claim or a volume has it", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const classes = client.resource(VolumeAttributesClass);
  const parameters = { iops: "5" };
  await classes.create({ metadata: { name: "gold" }, driverName: "driver.example.com", parameters });
  const isHeld = (one: VolumeAttributesClass | undefined) =>
    one?.metadata.finalizers?.includes("kubernetes.io/vac-protection") ?? false;
  assert.ok(isHeld(await classes.get("gold")));
  await classes.patch("gold", { metadata: { finalizers: null } }, { type: "merge" });
  await until(classes, "gold", isHeld);
  await makeBound(client, "data", "gold");
  await classes.delete("gold");
  await client.resource(PersistentVolumeClaim, "default").delete("data");
  const volumes = client.resource(PersistentVolume);
  await until(volumes, "data", (volume) => volume?.status?.phase === "Released");
  assert.ok(isHeld(await classes.get("gold")));
  await volumes.delete("data");
  await until(classes, "gold", (one) => one === undefined);
});

test("a pod gets the claims of its ephemeral volumes, and is told of one in the way", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const claims = client.resource(PersistentVolumeClaim, "default");
  await claims.create({ metadata: { name: "web-taken" }, spec: { ...SHAPE, resources: RESOURCES } });
  const volumeClaimTemplate = {
    metadata: { labels: { of: "web" } },
    spec: { ...SHAPE, resources: RESOURCES },
  };
  const volumes = ["scratch", "taken"].map((name) => ({ name, ephemeral: { volumeClaimTemplate } }));
  const containers = [{ name: "c", image: "x" }];
  const pods = client.resource(Pod, "default");
  const pod = await pods.create({ metadata: { name: "web" }, spec: { volumes, containers } });
  const claim = await until(claims, "web-scratch", (one) => one !== undefined);
  assert.deepEqual(claim?.metadata.labels, { of: "web" });
  assert.equal(claim?.metadata.ownerReferences?.[0]?.uid, pod.metadata.uid);
  assert.equal(
    await told(client, "web", "FailedBinding"),
    "ephemeral volume taken: PVC default/web-taken was not created for pod default/web (pod is not owner)",
  );
  await claims.delete("web-taken");
  await until(claims, "web-taken", (one) => one?.metadata.ownerReferences?.[0]?.uid === pod.metadata.uid);
});

test("a bound claim that has grown is told to wait for whoever can grow its volume", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(StorageClass).create({
    metadata: { name: "growing" },
    provisioner: "driver.example.com",
    allowVolumeExpansion: true,
  });
  const csi = { driver: "driver.example.com", volumeHandle: "h" };
  const shape = { accessModes: ["ReadWriteOnce"], storageClassName: "growing" };
  await client
    .resource(PersistentVolume)
    .create({ metadata: { name: "data" }, spec: { ...shape, csi, capacity: { storage: "1Gi" } } });
  const claims = client.resource(PersistentVolumeClaim, "default");
  await claims.create({
    metadata: { name: "data" },
    spec: { ...shape, resources: RESOURCES, volumeName: "data" },
  });
  await until(claims, "data", (claim) => claim?.status?.phase === "Bound");
  await claims.patch("data", { spec: { resources: { requests: { storage: "2Gi" } } } }, { type: "merge" });
  const note = await told(client, "data", "ExternalExpanding");
  assert.equal(note, "waiting for an external controller to expand this PVC");
});

test("what others write into the status of a volume and a claim stays", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeBound(client, "data");
  const claims = client.resource(PersistentVolumeClaim, "default");
  const volumes = client.resource(PersistentVolume);
  const conditions = [{ type: "StatusPatched", status: "True", reason: "Test", message: "m" }];
  const options = { type: "merge", subresource: "status" } as const;
  await claims.patch("data", { status: { conditions } }, options);
  await volumes.patch("data", { status: { message: "m", reason: "Test" } }, options);
  // The binder looks at both once more.
  await claims.patch("data", { metadata: { labels: { touched: "yes" } } }, { type: "merge" });
  await volumes.patch("data", { metadata: { labels: { touched: "yes" } } }, { type: "merge" });
  await makeBound(client, "later");
  assert.deepEqual((await claims.get("data")).status?.conditions, conditions);
  const { phase, message, reason } = (await volumes.get("data")).status ?? {};
  assert.deepEqual({ phase, message, reason }, { phase: "Bound", message: "m", reason: "Test" });
});
