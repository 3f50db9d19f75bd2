/** The plugins that look at a pod's volumes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pods.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Volume } from "../../api/schema/core.v1.generated.ts";
import { CSIDriver } from "../../api/storage/csi-driver.ts";
import { CSINode } from "../../api/storage/csi-node.ts";
import { CSIStorageCapacity } from "../../api/storage/csi-storage-capacity.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { PluginDeclaration } from "../framework/plugin.ts";
import { PodInfo } from "../framework/pod-info.ts";
import {
  contextOf,
  cycleOf,
  isFilter,
  mayHelp,
  nodeNamed,
  podNamed,
  reasons,
  startPlugin,
  synced,
  TestNodes,
} from "../testing/cluster.ts";
import { nodeVolumeLimits } from "./node-volume-limits.ts";
import { volumeBinding } from "./volume-binding/volume-binding.ts";
import { conflict, volumeRestrictions } from "./volume-restrictions.ts";
import { volumeZone } from "./volume-zone.ts";

type Fields = Record<string, unknown>;
const object = (apiVersion: string, kind: string, name: string, fields: Fields): KubeObject =>
  ({ apiVersion, kind, ...fields, metadata: { name, ...(fields.metadata as Fields) } }) as KubeObject;

const claim = (name: string, spec: Fields, metadata: Fields = {}) =>
  object("v1", "PersistentVolumeClaim", name, {
    metadata: { namespace: "default", uid: `uid-${name}`, ...metadata },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
    status: { phase: "Pending" },
  });
const bound = (name: string, volumeName: string, spec: Fields = {}) =>
  claim(name, { volumeName, ...spec }, { annotations: { "pv.kubernetes.io/bind-completed": "yes" } });
const onNode = (node: string) => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] },
      ],
    },
  },
});
const volume = (name: string, spec: Fields = {}, metadata: Fields = {}) =>
  object("v1", "PersistentVolume", name, {
    metadata,
    spec: {
      capacity: { storage: "5Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "local",
      ...spec,
    },
    status: { phase: "Available" },
  });
const storageClass = (name: string, fields: Fields = {}) =>
  object("storage.k8s.io/v1", "StorageClass", name, {
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "WaitForFirstConsumer",
    ...fields,
  });

const using = (...claims: string[]): { volumes: Volume[] } => ({
  volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
});

const RESOURCES = [
  PersistentVolumeClaim,
  PersistentVolume,
  StorageClass,
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  VolumeAttachment,
  Pod,
];

async function setUp(
  declaration: PluginDeclaration,
  objects: Parameters<typeof contextOf>[0],
  args?: Record<string, unknown>,
) {
  const context = await contextOf(objects);
  const plugin = await startPlugin(declaration, args, context);
  await synced(context, ...RESOURCES);
  return { context, plugin, stop: () => context.informers.stop() };
}

const nodes = new TestNodes([nodeNamed("a"), nodeNamed("b")]);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("VolumeBinding keeps a pod to the nodes where its bound volumes can be used", async () => {
  const { plugin, stop } = await setUp(volumeBinding, {
    persistentvolumeclaims: [bound("here", "v"), bound("gone", "none")],
    persistentvolumes: [volume("v", onNode("a"))],
  });
  const of = (name: string) => reasons(plugin, cycleOf(podNamed("p", using(name)), nodes));
  assert.deepEqual(of("here"), { a: undefined, b: "node(s) had volume node affinity conflict" });
  const missing = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
  assert.deepEqual(of("gone"), { a: missing, b: missing });
  assert.equal(plugin.prepareFilter?.(cycleOf(podNamed("p"), nodes)), undefined);
  await stop();
});

test("VolumeBinding tells claims that are missing, leaving, lost or not bound yet", async () => {
  const lost = { ...bound("lost", "v"), status: { phase: "Lost" } } as KubeObject;
  const { plugin, stop } = await setUp(volumeBinding, {
    persistentvolumeclaims: [
      claim("leaving", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      lost,
      claim("soon", { storageClassName: "fast" }),
    ],
    storageclasses: [storageClass("fast", { volumeBindingMode: "Immediate" })],
  });
  const of = (name: string) => reasons(plugin, cycleOf(podNamed("p", using(name)), nodes)).a;
  assert.equal(of("none"), 'persistentvolumeclaim "none" not found');
  assert.equal(of("leaving"), 'persistentvolumeclaim "leaving" is being deleted');
  assert.equal(of("lost"), 'persistentvolumeclaim "lost" bound to non-existent persistentvolume "v"');
  assert.equal(of("soon"), "pod has unbound immediate PersistentVolumeClaims");
  const volumes = [{ name: "tmp", ephemeral: {} }];
  assert.equal(
    reasons(plugin, cycleOf(podNamed("p", { volumes }), nodes)).a,
    'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-tmp"',
  );
  await stop();
});

test("VolumeBinding chooses volumes for claims that wait, and no other pod gets them meanwhile", async () => {
  const { plugin, stop } = await setUp(volumeBinding, {
    persistentvolumeclaims: [
      claim("one", { storageClassName: "local" }),
      claim("two", { storageClassName: "local" }),
    ],
    persistentvolumes: [volume("v", onNode("a"))],
    storageclasses: [storageClass("local")],
  });
  const none = "node(s) didn't find available persistent volumes to bind";
  const cycle = cycleOf(podNamed("p", using("one")), nodes);
  assert.deepEqual(reasons(plugin, cycle), { a: undefined, b: none });
  assert.equal(plugin.reserve?.(cycle, nodes.at("a")), undefined);
  const other = podNamed("q", using("two"));
  assert.deepEqual(reasons(plugin, cycleOf(other, nodes)), { a: none, b: none });
  plugin.unreserve?.(cycle, nodes.at("a"));
  assert.deepEqual(reasons(plugin, cycleOf(other, nodes)), { a: undefined, b: none });
  const both = podNamed("r", using("one", "two"));
  assert.deepEqual(reasons(plugin, cycleOf(both, nodes)), { a: none, b: none });
  await stop();
});

test("VolumeBinding has volumes made where the class and its driver can", async () => {
  const zoned = {
    allowedTopologies: [{ matchLabelExpressions: [{ key: "kubernetes.io/hostname", values: ["b"] }] }],
  };
  const { plugin, stop } = await setUp(volumeBinding, {
    persistentvolumeclaims: ["any", "zoned", "tight"].map((name) => claim(name, { storageClassName: name })),
    storageclasses: [
      storageClass("any", { provisioner: "csi.example.com" }),
      storageClass("zoned", { provisioner: "csi.example.com", ...zoned }),
      storageClass("tight", { provisioner: "tight.example.com" }),
    ],
    csidrivers: [
      object("storage.k8s.io/v1", "CSIDriver", "tight.example.com", { spec: { storageCapacity: true } }),
    ],
    csistoragecapacities: [
      object("storage.k8s.io/v1", "CSIStorageCapacity", "c", {
        metadata: { namespace: "kube-system" },
        storageClassName: "tight",
        capacity: "2Gi",
        nodeTopology: { matchLabels: { "kubernetes.io/hostname": "b" } },
      }),
    ],
  });
  const of = (name: string) => reasons(plugin, cycleOf(podNamed("p", using(name)), nodes));
  assert.deepEqual(of("any"), { a: undefined, b: undefined });
  assert.equal(of("zoned").a, "node(s) didn't find available persistent volumes to bind");
  assert.deepEqual(of("tight"), { a: "node(s) did not have enough free storage", b: undefined });
  await stop();
});

test("VolumeBinding writes its choice and gives up after its time", async () => {
  const { context, plugin, stop } = await setUp(
    volumeBinding,
    {
      persistentvolumeclaims: [
        claim("one", { storageClassName: "local" }),
        claim("made", { storageClassName: "any" }),
      ],
      persistentvolumes: [volume("v", onNode("a"))],
      storageclasses: [storageClass("local"), storageClass("any", { provisioner: "csi.example.com" })],
    },
    { bindTimeoutSeconds: 5 },
  );
  const cycle = cycleOf(podNamed("p", using("one", "made")), nodes);
  assert.equal(reasons(plugin, cycle).a, undefined);
  plugin.reserve?.(cycle, nodes.at("a"));
  assert.equal(plugin.mustPreBind?.(cycle, nodes.at("a")), true);
  const without = cycleOf(podNamed("q"), nodes);
  assert.equal(plugin.mustPreBind?.(without, nodes.at("a")), false);
  const binding = plugin.preBind?.(cycle, nodes.at("a")) as Promise<undefined>;
  const refused = assert.rejects(binding, /^Error: binding volumes: timed out waiting for the condition$/);
  await settled();
  await settled();
  const [first, second] = context.requests.map(
    ({ body }) => body as KubeObject & { spec: { claimRef: Fields } },
  );
  assert.equal(first?.spec.claimRef.name, "one");
  assert.equal(first?.metadata.annotations?.["pv.kubernetes.io/bound-by-controller"], "yes");
  assert.equal(second?.metadata.annotations?.["volume.kubernetes.io/selected-node"], "a");
  context.clock.advance(5000);
  await refused;
  await stop();
});

test("VolumeZone keeps a pod to the zone of its volume", async () => {
  const zone = "topology.kubernetes.io/zone";
  const { plugin, stop } = await setUp(volumeZone, {
    persistentvolumeclaims: [bound("c", "v")],
    persistentvolumes: [volume("v", {}, { labels: { [zone]: "1__2" } })],
  });
  const zoned = new TestNodes([
    nodeNamed("one", { [zone]: "1" }),
    nodeNamed("old", { "failure-domain.beta.kubernetes.io/zone": "2" }),
    nodeNamed("three", { [zone]: "3" }),
    nodeNamed("bare"),
  ]);
  assert.deepEqual(reasons(plugin, cycleOf(podNamed("p", using("c")), zoned)), {
    one: undefined,
    old: undefined,
    three: "node(s) had no available volume zone",
    bare: undefined,
  });
  await stop();
});

test("VolumeRestrictions lets one pod at a time use a claim for a single pod", async () => {
  const { plugin, stop } = await setUp(volumeRestrictions, {
    persistentvolumeclaims: [bound("single", "v", { accessModes: ["ReadWriteOncePod"] })],
  });
  const user = podNamed("user", { ...using("single"), nodeName: "a" });
  const used = new TestNodes([nodeNamed("a"), nodeNamed("b")], [user]);
  const waiting = podNamed("p", using("single"));
  const inUse =
    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
  assert.deepEqual(reasons(plugin, cycleOf(waiting, used)), { a: inUse, b: inUse });
  assert.equal(mayHelp(plugin, "pods", waiting, { was: user }), true);
  const prepared = plugin.prepareFilter?.(cycleOf(waiting, used));
  assert.ok(isFilter(prepared));
  const tried = prepared.clone!();
  tried.removePod?.(new PodInfo(user), used.at("a"));
  assert.equal(tried.filter(used.at("a")), undefined);
  assert.ok(prepared.filter(used.at("a")));
  used.at("a").removePod("default/user");
  assert.deepEqual(reasons(plugin, cycleOf(waiting, used)), { a: undefined, b: undefined });
  await stop();
});

test("VolumeRestrictions keeps pods apart that mount one disk", async () => {
  const disk = (pdName: string, readOnly = false): Volume => ({
    name: "d",
    gcePersistentDisk: { pdName, readOnly },
  });
  const { plugin, stop } = await setUp(volumeRestrictions, {});
  const there = new TestNodes(
    [nodeNamed("a")],
    [podNamed("x", { volumes: [disk("one", true)], nodeName: "a" })],
  );
  const of = (volume: Volume) => reasons(plugin, cycleOf(podNamed("p", { volumes: [volume] }), there)).a;
  assert.equal(of(disk("one")), "node(s) had no available disk");
  assert.equal(of(disk("one", true)), undefined);
  assert.equal(of(disk("two")), undefined);
  const ebs = (volumeID: string): Volume => ({ name: "e", awsElasticBlockStore: { volumeID } });
  assert.equal(conflict(ebs("1"), ebs("1")), true);
  assert.equal(conflict(ebs("1"), disk("one")), false);
  await stop();
});

test("NodeVolumeLimits counts a driver's volumes on the node, each once", async () => {
  const csi = (volumeHandle: string) => ({ csi: { driver: "d.example.com", volumeHandle } });
  const { plugin, stop } = await setUp(nodeVolumeLimits, {
    persistentvolumeclaims: [bound("c1", "v1"), bound("c2", "v2"), claim("later", { storageClassName: "d" })],
    persistentvolumes: [volume("v1", csi("1")), volume("v2", csi("2"))],
    storageclasses: [storageClass("d", { provisioner: "d.example.com" })],
    csinodes: [
      object("storage.k8s.io/v1", "CSINode", "a", {
        spec: { drivers: [{ name: "d.example.com", nodeID: "a", allocatable: { count: 1 } }] },
      }),
    ],
  });
  const there = new TestNodes(
    [nodeNamed("a"), nodeNamed("b")],
    [podNamed("x", { ...using("c1"), nodeName: "a" })],
  );
  const of = (name: string) => reasons(plugin, cycleOf(podNamed("p", using(name)), there));
  const full = "node(s) exceed max volume count";
  assert.deepEqual(of("c1"), { a: undefined, b: undefined });
  assert.deepEqual(of("c2"), { a: full, b: undefined });
  assert.deepEqual(of("later"), { a: full, b: undefined });
  await stop();
});
