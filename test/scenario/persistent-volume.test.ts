import assert from "node:assert/strict";
import { test } from "node:test";
import { Event } from "../../src/api/events/event.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { Client } from "../../src/client/client.ts";
import {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  startCluster,
  VirtualClock,
} from "../../src/testing/index.ts";
import { until } from "./until.ts";

interface VolumeShape {
  size?: string;
  storageClassName?: string;
  policy?: string;
  spec?: Partial<PersistentVolume["spec"]>;
  annotations?: Record<string, string>;
}

function volumeOf(
  name: string,
  { size = "1Gi", storageClassName = "", policy, spec, annotations }: VolumeShape,
) {
  return {
    metadata: { name, annotations },
    spec: {
      capacity: { storage: size },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: "/data" },
      persistentVolumeReclaimPolicy: policy,
      storageClassName,
      ...spec,
    },
  };
}

function claimOf(name: string, size: string, spec: Partial<PersistentVolumeClaim["spec"]> = {}) {
  return {
    metadata: { name },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: size } },
      storageClassName: "",
      ...spec,
    },
  };
}

function inPhase(client: Client, phase: string) {
  return {
    claim: (name: string) =>
      until(
        client.resource(PersistentVolumeClaim, "default"),
        name,
        (claim) => claim?.status?.phase === phase,
      ),
    volume: (name: string) =>
      until(client.resource(PersistentVolume), name, (volume) => volume?.status?.phase === phase),
  };
}

/** Waits for an event of the object, and returns what it says. */
async function told(client: Client, name: string, reason: string): Promise<string | undefined> {
  const fieldSelector = `involvedObject.name=${name},reason=${reason}`;
  const events = client.resource(Event, "default").watch({ fieldSelector, resourceVersion: "0" });
  for await (const { object } of events) return object.message;
  return undefined;
}

test("a claim gets the smallest volume that fits, and the volume is its own", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const volumes = client.resource(PersistentVolume);
  for (const [name, size] of [
    ["large", "5Gi"],
    ["small", "1Gi"],
    ["right", "2Gi"],
  ] as const) {
    await volumes.create(volumeOf(name, { size }));
    await inPhase(client, "Available").volume(name);
  }
  await client.resource(PersistentVolumeClaim, "default").create(claimOf("data", "1500Mi"));
  const claim = await inPhase(client, "Bound").claim("data");
  assert.equal(claim?.spec.volumeName, "right");
  assert.deepEqual(claim?.status?.capacity, { storage: "2Gi" });
  assert.deepEqual(claim?.status?.accessModes, ["ReadWriteOnce"]);
  assert.equal(claim?.metadata.annotations?.["pv.kubernetes.io/bind-completed"], "yes");
  assert.equal(claim?.metadata.annotations?.["pv.kubernetes.io/bound-by-controller"], "yes");
  const volume = await inPhase(client, "Bound").volume("right");
  assert.equal(volume?.spec.claimRef?.uid, claim?.metadata.uid);
  assert.equal(volume?.metadata.annotations?.["pv.kubernetes.io/bound-by-controller"], "yes");
});

test("claims that wait get volumes as they come, each its own", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const claims = client.resource(PersistentVolumeClaim, "default");
  const volumes = client.resource(PersistentVolume);
  const names = Array.from({ length: 30 }, (_, i) => `n${i}`);
  await Promise.all(names.map((name) => claims.create(claimOf(name, "1Gi"))));
  await Promise.all(names.map((name, i) => volumes.create(volumeOf(name, { size: `${1 + (i % 3)}Gi` }))));
  const bound = await Promise.all(names.map((name) => inPhase(client, "Bound").claim(name)));
  const taken = new Set(bound.map((claim) => claim?.spec.volumeName));
  assert.equal(taken.size, names.length);
  const { items } = await volumes.list();
  for (const { metadata, spec } of items) {
    const owner = bound.find((claim) => claim?.spec.volumeName === metadata.name);
    assert.equal(spec.claimRef?.uid, owner?.metadata.uid);
  }
});

test("a volume whose claim goes is kept, and one that nobody can delete has failed", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const volumes = client.resource(PersistentVolume);
  const claims = client.resource(PersistentVolumeClaim, "default");
  await volumes.create(volumeOf("kept", { policy: "Retain" }));
  await volumes.create(volumeOf("lone", { policy: "Delete" }));
  await volumes.create(volumeOf("wiped", { policy: "Recycle" }));
  const provisioned = { "pv.kubernetes.io/provisioned-by": "driver.example.com" };
  await volumes.create(volumeOf("driven", { policy: "Delete", annotations: provisioned }));
  const names = ["kept", "lone", "wiped", "driven"];
  for (const name of names) {
    await claims.create(claimOf(name, "1Gi", { volumeName: name }));
    await inPhase(client, "Bound").claim(name);
    await claims.delete(name);
  }
  for (const name of ["kept", "driven"]) await inPhase(client, "Released").volume(name);
  const lone = await inPhase(client, "Failed").volume("lone");
  assert.equal(
    lone?.status?.message,
    'error getting deleter volume plugin for volume "lone": no deletable volume plugin matched',
  );
  await inPhase(client, "Failed").volume("wiped");
  assert.equal(
    await told(client, "wiped", "VolumeFailedRecycle"),
    "No recycler plugin found for the volume!",
  );
  // An administrator makes it free again.
  await volumes.patch("kept", { spec: { claimRef: null } }, { type: "merge" });
  await inPhase(client, "Available").volume("kept");
});

test("a bound claim whose volume goes is lost", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const volumes = client.resource(PersistentVolume);
  await volumes.create(volumeOf("gone", {}));
  await client.resource(PersistentVolumeClaim, "default").create(claimOf("data", "1Gi"));
  await inPhase(client, "Bound").claim("data");
  await volumes.delete("gone");
  await volumes.patch("gone", { metadata: { finalizers: null } }, { type: "merge" });
  const claim = await inPhase(client, "Lost").claim("data");
  assert.equal(claim?.status?.capacity, undefined);
  const note = await told(client, "data", "ClaimLost");
  assert.equal(note, "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
});

test("a volume that a user reserved goes to that claim alone, and is kept for it", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const volumes = client.resource(PersistentVolume);
  const claimRef = { namespace: "default", name: "chosen" };
  await volumes.create(volumeOf("reserved", { size: "9Gi", spec: { claimRef } }));
  const claims = client.resource(PersistentVolumeClaim, "default");
  await claims.create(claimOf("other", "1Gi"));
  await claims.create(claimOf("greedy", "1Gi", { volumeName: "reserved" }));
  const note = await told(client, "greedy", "FailedBinding");
  assert.equal(note, 'volume "reserved" already bound to a different claim.');
  await claims.create(claimOf("chosen", "1Gi", { storageClassName: "" }));
  const chosen = await inPhase(client, "Bound").claim("chosen");
  assert.equal(chosen?.spec.volumeName, "reserved");
  const volume = await volumes.get("reserved");
  assert.equal(volume.metadata.annotations?.["pv.kubernetes.io/bound-by-controller"], undefined);
  assert.equal((await claims.get("other")).status?.phase, "Pending");
});

test("a claim that asks for a volume which does not fit says why", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(PersistentVolume).create(volumeOf("small", {}));
  await client
    .resource(PersistentVolumeClaim, "default")
    .create(claimOf("big", "2Gi", { volumeName: "small" }));
  const note = await told(client, "big", "VolumeMismatch");
  assert.equal(note, 'Cannot bind to requested volume "small": requested PV is too small');
});

test("a claim of a class with a provisioner asks it, and takes the volume that it makes", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const provisioner = "driver.example.com";
  await client.resource(StorageClass).create({ metadata: { name: "fast" }, provisioner });
  const claims = client.resource(PersistentVolumeClaim, "default");
  await claims.create(claimOf("data", "1Gi", { storageClassName: "fast" }));
  const asking = await until(
    claims,
    "data",
    (claim) => claim?.metadata.annotations?.["volume.kubernetes.io/storage-provisioner"] === provisioner,
  );
  assert.equal(asking?.metadata.annotations?.["volume.beta.kubernetes.io/storage-provisioner"], provisioner);
  assert.match(
    (await told(client, "data", "ExternalProvisioning")) ?? "",
    /external provisioner 'driver.example.com'/,
  );
  const { uid } = asking?.metadata ?? {};
  const claimRef = { kind: "PersistentVolumeClaim", namespace: "default", name: "data", uid };
  const annotations = { "pv.kubernetes.io/provisioned-by": provisioner };
  await client
    .resource(PersistentVolume)
    .create(
      volumeOf(`pvc-${uid}`, { storageClassName: "fast", policy: "Delete", annotations, spec: { claimRef } }),
    );
  const bound = await inPhase(client, "Bound").claim("data");
  assert.equal(bound?.spec.volumeName, `pvc-${uid}`);
});

test("a claim of a class that waits for a consumer is left to the scheduler", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(StorageClass).create({
    metadata: { name: "local" },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "WaitForFirstConsumer",
  });
  const volumes = client.resource(PersistentVolume);
  await volumes.create(volumeOf("disk", { storageClassName: "local" }));
  await inPhase(client, "Available").volume("disk");
  const claims = client.resource(PersistentVolumeClaim, "default");
  const claim = await claims.create(claimOf("data", "1Gi", { storageClassName: "local" }));
  assert.equal(
    await told(client, "data", "WaitForFirstConsumer"),
    "waiting for first consumer to be created before binding",
  );
  const volume = { name: "data", persistentVolumeClaim: { claimName: "data" } };
  const spec = { containers: [{ name: "c", image: "x" }], volumes: [volume], schedulerName: "nobody" };
  await client.resource(Pod, "default").create({ metadata: { name: "web" }, spec });
  assert.equal(await told(client, "data", "WaitForPodScheduled"), "waiting for pod web to be scheduled");
  // As the scheduler reserves the volume.
  const { uid, name, namespace } = claim.metadata;
  await volumes.patch("disk", { spec: { claimRef: { uid, name, namespace } } }, { type: "merge" });
  assert.equal((await inPhase(client, "Bound").claim("data"))?.spec.volumeName, "disk");
});

test("a claim without a class takes the default one that comes after it", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const claims = client.resource(PersistentVolumeClaim, "default");
  await claims.create(claimOf("late", "1Gi", { storageClassName: undefined }));
  await claims.create(claimOf("none", "1Gi"));
  assert.match((await told(client, "late", "FailedBinding")) ?? "", /^no persistent volumes available/);
  const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  await client
    .resource(StorageClass)
    .create({ metadata: { name: "standard", annotations }, provisioner: "driver.example.com" });
  await until(claims, "late", (claim) => claim?.spec.storageClassName === "standard");
  assert.equal((await claims.get("none")).spec.storageClassName, "");
});

test("no volume is bound to two claims and no claim to two volumes while others race with the binder", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock(), seed: 7 });
  const { client } = cluster;
  const random = seededRandom(7);
  const claims = client.resource(PersistentVolumeClaim, "default");
  const volumes = client.resource(PersistentVolume);
  const pick = (count: number): number => Math.floor(random() * count);
  /** What a user does may come too late or too early. */
  const attempt = (act: Promise<unknown>): Promise<unknown> => act.catch(() => undefined);
  for (let round = 0; round < 40; round++) {
    const [claim, volume] = [`c${pick(12)}`, `v${pick(12)}`];
    const volumeName = pick(4) === 0 ? volume : undefined;
    const claimRef = pick(4) === 0 ? { namespace: "default", name: claim } : undefined;
    const touched = { metadata: { labels: { round: `${round}` } } };
    await Promise.all([
      attempt(claims.create(claimOf(claim, "1Gi", { volumeName }))),
      attempt(volumes.create(volumeOf(volume, { spec: { claimRef } }))),
      attempt(claims.patch(`c${pick(12)}`, touched, { type: "merge" })),
      attempt(volumes.patch(`v${pick(12)}`, touched, { type: "merge" })),
      attempt(volumes.patch(`v${pick(12)}`, { spec: { claimRef: null } }, { type: "merge" })),
      pick(3) === 0 ? attempt(claims.delete(`c${pick(12)}`)) : undefined,
    ]);
  }
  // Each is looked at once more without anybody racing, and what lost a race is tried again in time.
  const settled = { metadata: { labels: { round: "none" } } };
  for (const objects of [claims, volumes]) {
    for (const { metadata } of (await objects.list()).items) {
      await attempt(objects.patch(metadata.name ?? "", settled, { type: "merge" }));
    }
  }
  await cluster.pass(5 * 60_000);
  const { items } = await claims.list();
  const bound = items.filter(({ status }) => status?.phase === "Bound");
  assert.ok(bound.length > 5, `${bound.length} claims were bound`);
  for (const { metadata, spec } of bound) {
    const volume = await volumes.get(spec.volumeName ?? "");
    assert.equal(volume.spec.claimRef?.uid, metadata.uid);
  }
  const owned = (await volumes.list()).items.filter(({ spec }) => spec.claimRef?.uid !== undefined);
  for (const { metadata, spec, status } of owned) {
    const owner = items.find(({ metadata: { uid } }) => uid === spec.claimRef?.uid);
    if (owner) assert.equal(owner.spec.volumeName, metadata.name);
    else assert.equal(status?.phase, "Released");
  }
});
