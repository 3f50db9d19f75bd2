/** CSI drivers: from their registration to volumes in pods' directories, with real mounts. */
import assert from "node:assert/strict";
import { lstat, mkdtemp, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Node } from "../../src/api/core/node.ts";
import { PersistentVolume } from "../../src/api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { Pod as PodKind } from "../../src/api/core/pod/pod.ts";
import { Secret } from "../../src/api/core/secret.ts";
import { ServiceAccount } from "../../src/api/core/service-account.ts";
import type { Pod, Volume } from "../../src/api/schema/core.v1.generated.ts";
import { CSIDriver } from "../../src/api/storage/csi-driver.ts";
import { CSINode } from "../../src/api/storage/csi-node.ts";
import { VolumeAttachment } from "../../src/api/storage/volume-attachment.ts";
import { systemClock } from "../../src/base/clock.ts";
import { openClient } from "../../src/client/client.ts";
import { Informers } from "../../src/client/informer/informers.ts";
import { asUser } from "../../src/client/testing/as-user.ts";
import type { Transport } from "../../src/client/transport.ts";
import { mountsBelow } from "../../src/host/mounts/mount-table.ts";
import { openMounts } from "../../src/host/mounts/mounts.ts";
import { removeTree } from "../../src/host/mounts/remove-tree.ts";
import { createPodObjects } from "../../src/kubelet/objects/pod-objects.ts";
import { attachmentNameOf, uniqueNameOf } from "../../src/kubelet/volumes/csi/csi-volume.ts";
import { NodeCapability } from "../../src/kubelet/volumes/csi/messages.ts";
import { createVolumeManager } from "../../src/kubelet/volumes/volume-manager.ts";
import { startCluster } from "../../src/testing/start-cluster.ts";
import { until } from "../scenario/until.ts";
import { startDriver, type TestDriver } from "./csi-driver.ts";
import { cannotRunContainers } from "./harness/machine.ts";

const skip = cannotRunContainers;
const DRIVER = "csi.test";
const mounts = openMounts();

async function start(t: TestContext, driverSpec: object | undefined, capabilities: readonly number[] = []) {
  const root = await realpath(await mkdtemp(join(tmpdir(), "kybern-csi-")));
  const transports: Transport[] = [];
  const between = (transport: Transport): Transport => {
    transports.push(transport);
    return transport;
  };
  // The simulation has the rights of an administrator, and lends them.
  const cluster = await startCluster({ controllers: false, scheduler: false, nodes: 1, between });
  const { client } = cluster;
  const node = openClient(asUser(transports[0]!, "system:node:n", "system:nodes"));
  const parts = { client: node, clock: systemClock, random: Math.random };
  const informers = new Informers(parts);
  const objects = createPodObjects({ ...parts, changed: () => {} });
  const manager = createVolumeManager({
    ...parts,
    root,
    nodeName: "n",
    informers,
    objects,
    runtime: {} as never,
    images: {} as never,
    imageViews: {} as never,
    events: { record: () => {} },
  });
  await client.resource(Node).create({ metadata: { name: "n" } });
  await client.resource(ServiceAccount, "default").create({ metadata: { name: "default" } });
  if (driverSpec)
    await client.resource(CSIDriver).create({ metadata: { name: DRIVER }, spec: driverSpec } as never);
  await manager.start();
  const places = { registry: join(root, "plugins_registry"), data: join(root, "driver") };
  const driver = await startDriver(DRIVER, places, capabilities);
  t.after(async () => {
    await manager.stop();
    await driver.stop();
    await objects.stop();
    await informers.stop();
    await cluster.stop();
    await mounts.unmountBelow(root);
    await removeTree(mounts, root);
  });
  assert.equal(await driver.registered, true);
  let pods = 0;
  const pod = async (volume: Volume, spec: object = {}): Promise<Pod> =>
    client.resource(PodKind, "default").create({
      metadata: { name: `p${++pods}` },
      spec: {
        nodeName: "n",
        automountServiceAccountToken: false,
        containers: [{ name: "c", image: "i", volumeMounts: [{ name: volume.name, mountPath: "/v" }] }],
        volumes: [volume],
        ...spec,
      },
    } as never) as unknown as Promise<Pod>;
  const hostPath = async (made: Pod): Promise<string> => {
    const [mount] = await (await manager.setUp(made)).mountsOf(made.spec!.containers[0]!);
    return mount!.hostPath!;
  };
  return { root, client, manager, driver, pod, hostPath };
}

const methods = ({ calls }: TestDriver) =>
  calls.map(({ method }) => method).filter((method) => /Stage|Unstage|Publish|Unpublish|Expand/.test(method));

async function bind(client: Awaited<ReturnType<typeof start>>["client"], csi: object = {}): Promise<Volume> {
  const claims = client.resource(PersistentVolumeClaim, "default");
  const made = await claims.create({
    metadata: { name: "c" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, volumeName: "pv" },
  } as never);
  await client.resource(PersistentVolume).create({
    metadata: { name: "pv" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "2Gi" },
      claimRef: { namespace: "default", name: "c", uid: made.metadata.uid },
      csi: { driver: DRIVER, volumeHandle: "vol-1", fsType: "ext4", volumeAttributes: { a: "b" }, ...csi },
    },
  } as never);
  const status = { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] };
  await claims.updateStatus({ ...made, status } as never);
  return { name: "v", persistentVolumeClaim: { claimName: "c" } };
}

test("a driver is told in the CSINode, the node's annotation and labels, until it goes", {
  skip,
}, async (t) => {
  const { client, driver } = await start(t, undefined);
  const csiNodes = client.resource(CSINode);
  const { metadata, spec } = await csiNodes.get("n");
  const node = await client.resource(Node).get("n");
  assert.equal(metadata.ownerReferences?.[0]?.uid, node.metadata.uid);
  assert.deepEqual(spec.drivers, [
    { name: DRIVER, nodeID: "id-of-n", topologyKeys: ["topology.test/zone"], allocatable: { count: 7 } },
  ]);
  assert.equal(node.metadata.annotations?.["csi.volume.kubernetes.io/nodeid"], `{"${DRIVER}":"id-of-n"}`);
  assert.equal(node.metadata.labels?.["topology.test/zone"], "z1");
  await driver.stop();
  await until(csiNodes, "n", (object) => object?.spec.drivers?.length === 0);
});

test("a claim's volume is staged once, published for each pod with its secrets, expanded, and taken back", {
  skip,
}, async (t) => {
  const { STAGE_UNSTAGE_VOLUME, EXPAND_VOLUME } = NodeCapability;
  const { root, client, manager, driver, pod, hostPath } = await start(
    t,
    { attachRequired: false, podInfoOnMount: true, fsGroupPolicy: "File" },
    [STAGE_UNSTAGE_VOLUME, EXPAND_VOLUME],
  );
  await client.resource(Secret, "default").create({ metadata: { name: "s" }, stringData: { key: "secret" } });
  const secret = { name: "s", namespace: "default" };
  const volume = await bind(client, { nodeStageSecretRef: secret, nodePublishSecretRef: secret });
  const [a, b] = [await pod(volume, { securityContext: { fsGroup: 2000 } }), await pod(volume)];
  const path = await hostPath(a);
  assert.equal(path, `${root}/pods/${a.metadata.uid}/volumes/kubernetes.io~csi/pv/mount`);
  assert.equal((await lstat(path)).gid, 2000);
  await writeFile(join(path, "file"), "shared");
  assert.equal(await readFile(join(await hostPath(b), "file"), "utf8"), "shared");
  assert.deepEqual(methods(driver), [
    "NodeStageVolume",
    "NodePublishVolume",
    "NodeExpandVolume",
    "NodeStageVolume",
    "NodePublishVolume",
  ]);
  const publish = driver.calls.findLast(({ method }) => method === "NodePublishVolume")!.request;
  assert.deepEqual(publish.secrets, new Map([["key", "secret"]]));
  assert.deepEqual(
    publish.volumeContext,
    new Map([
      ["a", "b"],
      ["csi.storage.k8s.io/pod.name", b.metadata.name],
      ["csi.storage.k8s.io/pod.namespace", "default"],
      ["csi.storage.k8s.io/pod.uid", b.metadata.uid],
      ["csi.storage.k8s.io/serviceAccount.name", "default"],
      ["csi.storage.k8s.io/ephemeral", "false"],
    ]),
  );
  const { status } = await client.resource(PersistentVolumeClaim, "default").get("c");
  assert.equal(status?.capacity?.storage, "2Gi");
  driver.calls.length = 0;
  // It grows while it is in use.
  await client
    .resource(PersistentVolume)
    .patch("pv", { spec: { capacity: { storage: "3Gi" } } }, { type: "merge" });
  await manager.setUp(a);
  await manager.setUp(a);
  assert.deepEqual(methods(driver), ["NodeExpandVolume"]);
  driver.calls.length = 0;
  await manager.tearDown(a.metadata.uid!);
  assert.deepEqual(methods(driver), ["NodeUnpublishVolume"]);
  await manager.tearDown(b.metadata.uid!);
  await manager.tearDown(b.metadata.uid!);
  assert.deepEqual(methods(driver), ["NodeUnpublishVolume", "NodeUnpublishVolume", "NodeUnstageVolume"]);
  assert.deepEqual(mountsBelow(await mounts.table(), root), []);
  assert.equal(await readFile(join(root, "driver/vol-1/file"), "utf8"), "shared");
});

test("a volume that must be attached waits for its VolumeAttachment, and is in use then", {
  skip,
}, async (t) => {
  const { client, manager, driver, pod, hostPath } = await start(t, { attachRequired: true });
  const volume = await bind(client);
  const made = await pod(volume);
  const of = { driver: DRIVER, handle: "vol-1" } as Parameters<typeof uniqueNameOf>[0];
  const name = attachmentNameOf(of, "n");
  const attachments = client.resource(VolumeAttachment);
  const attachment = await attachments.create({
    metadata: { name },
    spec: { attacher: DRIVER, nodeName: "n", source: { persistentVolumeName: "pv" } },
  } as never);
  const mounted = hostPath(made);
  const attachmentMetadata = { device: "/dev/x" };
  await attachments.updateStatus({ ...attachment, status: { attached: true, attachmentMetadata } } as never);
  assert.deepEqual(methods(driver), []);
  const unique = uniqueNameOf(of);
  const patch = { status: { volumesAttached: [{ name: unique, devicePath: "" }] } };
  await client.resource(Node).patch("n", patch, { type: "merge", subresource: "status" });
  await mounted;
  assert.deepEqual(methods(driver), ["NodePublishVolume"]);
  assert.deepEqual(driver.calls.at(-1)!.request.publishContext, new Map([["device", "/dev/x"]]));
  assert.deepEqual(manager.inUse(), [unique]);
});

test("an inline volume is the pod's own, with tokens where the driver wants them", { skip }, async (t) => {
  const { root, manager, driver, pod, hostPath } = await start(t, {
    attachRequired: false,
    podInfoOnMount: true,
    volumeLifecycleModes: ["Ephemeral"],
    tokenRequests: [{ audience: "aud" }],
  });
  const made = await pod({ name: "v", csi: { driver: DRIVER, volumeAttributes: { x: "y" } } });
  const context = JSON.parse(await readFile(join(await hostPath(made), "context"), "utf8")) as Record<
    string,
    string
  >;
  assert.equal(context.x, "y");
  assert.equal(context["csi.storage.k8s.io/ephemeral"], "true");
  const tokens = JSON.parse(context["csi.storage.k8s.io/serviceAccount.tokens"] ?? "") as Record<
    string,
    { token: string }
  >;
  assert.match(tokens.aud?.token ?? "", /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.match(String(driver.calls.at(-1)!.request.volumeId), /^csi-[0-9a-f]{64}$/);
  await manager.tearDown(made.metadata.uid!);
  assert.deepEqual(await readdir(join(root, "pods")), []);
});

test("what a driver says goes wrong is what the pod is told, and a driver that is not there", {
  skip,
}, async (t) => {
  const { client, driver, pod, hostPath } = await start(t, { attachRequired: false });
  const made = await pod(await bind(client));
  driver.fail.set("NodePublishVolume", "the disk is on fire");
  await assert.rejects(hostPath(made), {
    reason: "FailedMount",
    message:
      'MountVolume.SetUp failed for volume "pv" : NodePublishVolume: rpc error: code = Internal desc = the disk is on fire',
  });
  await assert.rejects(hostPath(await pod({ name: "v", csi: { driver: DRIVER } })), {
    message: `MountVolume.SetUp failed for volume "v" : volume mode "Ephemeral" not supported by driver ${DRIVER} (only supports ["Persistent"])`,
  });
  await assert.rejects(hostPath(await pod({ name: "v", csi: { driver: "other.test" } })), {
    message:
      'MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name other.test not found in the list of registered CSI drivers',
  });
  driver.fail.clear();
  await hostPath(made);
});
