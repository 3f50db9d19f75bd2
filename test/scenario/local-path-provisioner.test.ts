/** Claims get directories of the nodes of their pods, by the default class alone. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import {
  ACCOUNT,
  installLocalPathProvisioner,
  startLocalPathProvisioner,
  startNodeStorage,
} from "../../src/addons/local-path-provisioner/index.ts";
import { StatefulSet } from "../../src/api/apps/stateful-set.ts";
import { Node } from "../../src/api/core/node.ts";
import { PersistentVolume } from "../../src/api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { Event } from "../../src/api/events/event.ts";
import { StorageClass } from "../../src/api/storage/storage-class.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type Client, openClient } from "../../src/client/client.ts";
import { CoreEventRecorder } from "../../src/client/events/core-event-recorder.ts";
import { Informers } from "../../src/client/informer/informers.ts";
import type { Transport } from "../../src/client/transport.ts";
import type { Mounts } from "../../src/host/mounts/mounts.ts";
import { startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

const TIMEOUT = { timeout: 240_000 };

/** Writes as somebody else; watches stay the administrator's. */
function as(client: Client, user: string, groups: readonly string[]): Client {
  const transport = {
    request: (request) =>
      client.request({
        ...request,
        headers: { ...request.headers, "impersonate-user": user, "impersonate-group": groups.join(",") },
      }),
    close: async () => {},
  } as Transport;
  return openClient(transport);
}

const NO_MOUNTS = { below: async () => [] } as unknown as Mounts;

async function start(t: TestContext, options: { directory?: string } = {}) {
  const cluster = await startCluster({ nodes: 2 });
  const { client } = cluster;
  const informers = new Informers({ client, clock: systemClock, random: Math.random });
  await installLocalPathProvisioner(client);
  await installLocalPathProvisioner(client);
  const account = `system:serviceaccount:kube-system:${ACCOUNT}`;
  const acting = as(client, account, ["system:serviceaccounts"]);
  const log = (level: string, text: string, facts?: object): void =>
    t.diagnostic(`${level} ${text} ${JSON.stringify(facts)}`);
  const run = () =>
    startLocalPathProvisioner({
      client: acting,
      informers,
      events: new CoreEventRecorder({
        client: acting,
        component: "kybern.dev/local-path",
        clock: systemClock,
      }),
      clock: systemClock,
      directory: "/var/lib/kybern/storage",
      log,
    });
  const nodes = (await client.resource(Node).list()).items.map(({ metadata }) => metadata.name!);
  const parts = [run()];
  const nodeOn = (nodeName: string) => {
    const part = startNodeStorage({
      nodeName,
      directory: options.directory!,
      client: as(client, `system:node:${nodeName}`, ["system:nodes"]),
      informers,
      clock: systemClock,
      mounts: NO_MOUNTS,
      log,
    });
    parts.push(part);
    return part;
  };
  t.after(async () => {
    for (const part of parts) await part.stop();
    await informers.stop();
    await cluster.stop();
  });
  return { client, nodes, nodeOn, parts, run };
}

function setOf(replicas: number, retention = "Retain") {
  return {
    metadata: { name: "db" },
    spec: {
      replicas,
      serviceName: "db",
      podManagementPolicy: "Parallel",
      persistentVolumeClaimRetentionPolicy: { whenScaled: retention, whenDeleted: retention },
      selector: { matchLabels: { app: "db" } },
      template: {
        metadata: { labels: { app: "db" } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [{ name: "c", image: "i", volumeMounts: [{ name: "data", mountPath: "/data" }] }],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        },
      ],
    },
  } as never;
}

const ready = (client: Client, replicas: number) =>
  until(
    client.resource(StatefulSet, "default"),
    "db",
    (set) => (set?.status?.readyReplicas ?? 0) === replicas,
  );

test(
  "a stateful set runs on claims of the default class, each on the node of its pod",
  TIMEOUT,
  async (t) => {
    const { client } = await start(t);
    await client.resource(StatefulSet, "default").create(setOf(3));
    await ready(client, 3);
    const claims = await client.resource(PersistentVolumeClaim, "default").list();
    assert.equal(claims.items.length, 3);
    for (const claim of claims.items) {
      assert.equal(claim.status?.phase, "Bound");
      assert.equal(claim.spec.storageClassName, "standard");
      const volume = await client.resource(PersistentVolume).get(claim.spec.volumeName!);
      assert.equal(volume.spec.local?.path, `/var/lib/kybern/storage/pvc-${claim.metadata.uid}`);
      const pod = await client.resource(Pod, "default").get(claim.metadata.name!.replace("data-", ""));
      assert.equal(volume.metadata.annotations?.["kybern.dev/local-path-node"], pod.spec?.nodeName);
    }
    const claim = claims.items[0]!;
    const of = { fieldSelector: `involvedObject.uid=${claim.metadata.uid}` };
    const reasons = new Set<string>();
    for await (const { object } of client.resource(Event, "default").watch({
      ...of,
      sendInitialEvents: true,
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: true,
    })) {
      if (object.reason) reasons.add(object.reason);
      if (reasons.has("Provisioning") && reasons.has("ProvisioningSucceeded")) break;
    }
  },
);

test("volumes of claims that are deleted go, and those to be retained stay", TIMEOUT, async (t) => {
  const { client } = await start(t);
  await client.resource(StatefulSet, "default").create(setOf(1));
  await ready(client, 1);
  const claims = client.resource(PersistentVolumeClaim, "default");
  const { spec } = await claims.get("data-db-0");
  const name = spec.volumeName!;
  const volumes = client.resource(PersistentVolume);
  await volumes.patch(name, { spec: { persistentVolumeReclaimPolicy: "Retain" } }, { type: "merge" });
  await client.resource(StatefulSet, "default").delete("db");
  await claims.delete("data-db-0");
  await until(volumes, name, (volume) => volume?.status?.phase === "Released");
  await volumes.patch(name, { spec: { persistentVolumeReclaimPolicy: "Delete" } }, { type: "merge" });
  await until(volumes, name, (volume) => volume === undefined);
});

test("a claim that grows gets what it asks for", TIMEOUT, async (t) => {
  const { client } = await start(t);
  await client.resource(StatefulSet, "default").create(setOf(1));
  await ready(client, 1);
  const claims = client.resource(PersistentVolumeClaim, "default");
  await claims.patch(
    "data-db-0",
    { spec: { resources: { requests: { storage: "3Gi" } } } },
    { type: "merge" },
  );
  const grown = await until(claims, "data-db-0", (claim) => claim?.status?.capacity?.storage === "3Gi");
  const volume = await client.resource(PersistentVolume).get(grown!.spec.volumeName!);
  assert.equal(volume.spec.capacity?.storage, "3Gi");
});

test(
  "a node removes the directory of a deleted volume, before the volume goes, and also when it comes back later",
  TIMEOUT,
  async (t) => {
    const directory = await mkdtemp(join(tmpdir(), "local-path-"));
    t.after(() => rm(directory, { recursive: true }));
    const { client, nodes, nodeOn, parts, run } = await start(t, { directory });
    const halves = nodes.map(nodeOn);
    for (const name of nodes) {
      const annotation = "kybern.dev/local-path-directory";
      await until(
        client.resource(Node),
        name,
        (node) => node?.metadata.annotations?.[annotation] === directory,
      );
    }
    await client.resource(StatefulSet, "default").create(setOf(2));
    await ready(client, 2);
    const claims = client.resource(PersistentVolumeClaim, "default");
    const names = (await claims.list()).items.map(({ spec }) => spec.volumeName!);
    for (const name of [...names, "pvc-of-another-cluster"]) {
      await mkdir(join(directory, name, "data"), { recursive: true });
      await writeFile(join(directory, name, "data/file"), "");
    }
    const volumes = client.resource(PersistentVolume);
    // Both halves are away while the claims are deleted.
    for (const half of [...halves, parts[0]!]) await half.stop();
    await client.resource(StatefulSet, "default").delete("db");
    for (const { metadata } of (await claims.list()).items) await claims.delete(metadata.name!);
    for (const name of names) await until(volumes, name, (volume) => volume?.status?.phase === "Released");
    parts.push(run());
    for (const name of names)
      await until(volumes, name, (volume) => volume?.metadata.deletionTimestamp !== undefined);
    assert.equal((await readdir(directory)).length, 3);
    for (const name of nodes) nodeOn(name);
    for (const name of names) await until(volumes, name, (volume) => volume === undefined);
    assert.deepEqual(await readdir(directory), ["pvc-of-another-cluster"]);
    for (const name of nodes) {
      const annotation = "kybern.dev/local-path-removed";
      await until(
        client.resource(Node),
        name,
        (node) => node?.metadata.annotations?.[annotation] === undefined,
      );
    }
  },
);

test("a class that its users changed is left as it is", TIMEOUT, async (t) => {
  const { client } = await start(t);
  const classes = client.resource(StorageClass);
  const annotations = { "storageclass.kubernetes.io/is-default-class": "false" };
  await classes.patch("standard", { metadata: { annotations } }, { type: "merge" });
  await installLocalPathProvisioner(client);
  const { metadata } = await classes.get("standard");
  assert.deepEqual(metadata.annotations, annotations);
});
