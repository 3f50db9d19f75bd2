import assert from "node:assert/strict";
import { test } from "node:test";
import { Event } from "../../src/api/events/event.ts";
import { CSIDriver } from "../../src/api/storage/csi-driver.ts";
import { VolumeAttachment } from "../../src/api/storage/volume-attachment.ts";
import type { Client } from "../../src/client/client.ts";
import {
  type Clock,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  startCluster,
  VirtualClock,
} from "../../src/testing/index.ts";
import { until } from "./until.ts";

const DRIVER = "driver.example.com";
const UNIQUE = `kubernetes.io/csi/${DRIVER}^handle-data`;

async function makeNode(client: Client, name: string): Promise<void> {
  const annotations = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };
  await client.resource(Node).create({ metadata: { name, annotations } });
  const conditions = [{ type: "Ready", status: "True" }];
  const options = { type: "merge", subresource: "status" } as const;
  await client.resource(Node).patch(name, { status: { conditions } }, options);
}

async function makeVolume(client: Client, name: string, accessMode = "ReadWriteOnce"): Promise<void> {
  const shape = { accessModes: [accessMode], storageClassName: "" };
  const csi = { driver: DRIVER, volumeHandle: `handle-${name}` };
  await client
    .resource(PersistentVolume)
    .create({ metadata: { name }, spec: { ...shape, capacity: { storage: "1Gi" }, csi } });
  const claims = client.resource(PersistentVolumeClaim, "default");
  const resources = { requests: { storage: "1Gi" } };
  await claims.create({ metadata: { name }, spec: { ...shape, resources, volumeName: name } });
  await until(claims, name, (claim) => claim?.status?.phase === "Bound");
}

function podOf(name: string, nodeName: string, claimName: string) {
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName } }];
  const spec = {
    nodeName,
    volumes,
    containers: [{ name: "c", image: "x" }],
    terminationGracePeriodSeconds: 0,
  };
  return { metadata: { name }, spec };
}

/** The attachment to a node, once there is one for which `is` holds. */
async function attachment(client: Client, node: string): Promise<VolumeAttachment> {
  for await (const { type, object } of client.resource(VolumeAttachment).watch({ resourceVersion: "0" })) {
    if (type !== "DELETED" && object.spec?.nodeName === node) return object;
  }
  throw new Error("the watch ended");
}

/** As the driver's attacher does it. */
async function sayAttached(client: Client, node: string): Promise<VolumeAttachment> {
  const found = await attachment(client, node);
  const status = { ...found.status, attached: true };
  return client.resource(VolumeAttachment).updateStatus({ ...found, status });
}

async function setInUse(client: Client, node: string, volumesInUse: string[] | null): Promise<void> {
  const options = { type: "merge", subresource: "status" } as const;
  await client.resource(Node).patch(node, { status: { volumesInUse } }, options);
}

async function told(client: Client, name: string, reason: string): Promise<string | undefined> {
  const fieldSelector = `involvedObject.name=${name},reason=${reason}`;
  const events = client.resource(Event, "default").watch({ fieldSelector, resourceVersion: "0" });
  for await (const { object } of events) return object.message;
  return undefined;
}

async function setUp(clock?: Clock) {
  const cluster = await startCluster(clock && { clock });
  await makeNode(cluster.client, "one");
  await makeNode(cluster.client, "two");
  await makeVolume(cluster.client, "data");
  return cluster;
}

test("a pod's volume is attached to its node, told to the kubelet, and detached once unmounted", async () => {
  await using cluster = await setUp();
  const { client } = cluster;
  const pods = client.resource(Pod, "default");
  await pods.create(podOf("web", "one", "data"));
  const made = await sayAttached(client, "one");
  assert.match(made.metadata.name ?? "", /^csi-[0-9a-f]{64}$/);
  assert.deepEqual(made.spec, {
    attacher: DRIVER,
    nodeName: "one",
    source: { persistentVolumeName: "data" },
  });
  const isAttached = (node: Node | undefined): boolean => {
    const attached = (node?.status?.volumesAttached ?? []) as { name: string }[];
    return attached.some(({ name }) => name === UNIQUE);
  };
  await until(client.resource(Node), "one", isAttached);
  const note = await told(client, "web", "SuccessfulAttachVolume");
  assert.equal(note, 'AttachVolume.Attach succeeded for volume "data" ');
  await setInUse(client, "one", [UNIQUE]);
  await pods.delete("web", { gracePeriodSeconds: 0 });
  const attachments = client.resource(VolumeAttachment);
  await until(pods, "web", (pod) => pod === undefined);
  assert.equal((await attachments.get(made.metadata.name ?? "")).metadata.deletionTimestamp, undefined);
  await setInUse(client, "one", null);
  await until(attachments, made.metadata.name ?? "", (one) => one === undefined);
  assert.equal(isAttached(await client.resource(Node).get("one")), false);
});

test("a volume that one node has for itself is refused to another until it is detached", async () => {
  await using cluster = await setUp();
  const { client } = cluster;
  const pods = client.resource(Pod, "default");
  await pods.create(podOf("first", "one", "data"));
  await sayAttached(client, "one");
  await pods.create(podOf("second", "two", "data"));
  assert.equal(
    await told(client, "second", "FailedAttachVolume"),
    'Multi-Attach error for volume "data" Volume is already used by pod(s) first',
  );
  await pods.delete("first", { gracePeriodSeconds: 0 });
  assert.equal((await attachment(client, "two")).spec.source.persistentVolumeName, "data");
});

test("a volume that many nodes may have is attached to each", async () => {
  await using cluster = await setUp();
  const { client } = cluster;
  await makeVolume(client, "shared", "ReadWriteMany");
  const pods = client.resource(Pod, "default");
  await pods.create(podOf("first", "one", "shared"));
  await pods.create(podOf("second", "two", "shared"));
  await Promise.all([attachment(client, "one"), attachment(client, "two")]);
});

test("a node that is out of service is not waited for", async () => {
  await using cluster = await setUp();
  const { client } = cluster;
  const pods = client.resource(Pod, "default");
  await pods.create(podOf("web", "one", "data"));
  const made = await sayAttached(client, "one");
  await setInUse(client, "one", [UNIQUE]);
  await pods.delete("web", { gracePeriodSeconds: 0 });
  const taints = [{ key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" }];
  await client.resource(Node).patch("one", { spec: { taints } }, { type: "merge" });
  await until(client.resource(VolumeAttachment), made.metadata.name ?? "", (one) => one === undefined);
});

test("a node that is not ready is waited for six minutes", async () => {
  const clock = new VirtualClock();
  await using cluster = await setUp(clock);
  const { client } = cluster;
  const pods = client.resource(Pod, "default");
  await pods.create(podOf("web", "one", "data"));
  const made = await sayAttached(client, "one");
  await setInUse(client, "one", [UNIQUE]);
  const conditions = [{ type: "Ready", status: "Unknown" }];
  const options = { type: "merge", subresource: "status" } as const;
  await client.resource(Node).patch("one", { status: { conditions } }, options);
  await pods.delete("web", { gracePeriodSeconds: 0 });
  const attachments = client.resource(VolumeAttachment);
  const name = made.metadata.name ?? "";
  const gone = until(attachments, name, (one) => one === undefined);
  for (let minute = 0; minute < 5; minute++) clock.advance(60_000);
  assert.equal((await attachments.get(name)).metadata.deletionTimestamp, undefined);
  let left = true;
  void gone.then(() => {
    left = false;
  });
  for (let turn = 0; left && turn < 1000; turn++) {
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await gone;
});

test("attachments that others made, and drivers that attach nothing, are left alone", async () => {
  await using cluster = await setUp();
  const { client } = cluster;
  const attachments = client.resource(VolumeAttachment);
  const spec = { attacher: DRIVER, nodeName: "one", source: { persistentVolumeName: "data" } };
  await attachments.create({ metadata: { name: "by-hand" }, spec });
  await client
    .resource(CSIDriver)
    .create({ metadata: { name: "direct.example.com" }, spec: { attachRequired: false } });
  const csi = { driver: "direct.example.com", volumeHandle: "h" };
  const shape = { accessModes: ["ReadWriteOnce"], storageClassName: "" };
  await client
    .resource(PersistentVolume)
    .create({ metadata: { name: "direct" }, spec: { ...shape, capacity: { storage: "1Gi" }, csi } });
  const claims = client.resource(PersistentVolumeClaim, "default");
  const resources = { requests: { storage: "1Gi" } };
  await claims.create({ metadata: { name: "direct" }, spec: { ...shape, resources, volumeName: "direct" } });
  await until(claims, "direct", (claim) => claim?.status?.phase === "Bound");
  const pods = client.resource(Pod, "default");
  await pods.create(podOf("direct", "one", "direct"));
  // What comes after it on the same node shows that it was looked at.
  await makeVolume(client, "later", "ReadWriteMany");
  await pods.create(podOf("later", "one", "later"));
  const names = new Set<string | undefined>();
  for await (const { object } of attachments.watch({ resourceVersion: "0" })) {
    names.add(object.spec.source.persistentVolumeName);
    if (names.has("later")) break;
  }
  assert.deepEqual([...names].sort(), ["data", "later"]);
  assert.equal((await attachments.get("by-hand")).metadata.deletionTimestamp, undefined);
});
