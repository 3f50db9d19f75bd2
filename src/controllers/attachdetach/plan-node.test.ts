import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { Node, Pod } from "../../api/schema/core.v1.generated.ts";
import type { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import { attachmentName, isDone, uniqueVolumeName, type Wish } from "./attachments.ts";
import { type NodeView, planNode } from "./plan-node.ts";

const DRIVER = "d.example.com";
const NOW = 1_000_000;

function volumeOf(name: string, accessModes = ["ReadWriteOnce"]): PersistentVolume {
  const spec = { csi: { driver: DRIVER, volumeHandle: name }, accessModes };
  return { apiVersion: "v1", kind: "PersistentVolume", metadata: { name }, spec };
}

function nodeOf(ready: string, volumesInUse: string[] = [], taint?: string): Node {
  const status = { volumesInUse, conditions: [{ type: "Ready", status: ready }] };
  const taints = taint ? [{ key: taint, effect: "NoExecute" }] : [];
  return { apiVersion: "v1", kind: "Node", metadata: { name: "n" }, spec: { taints }, status };
}

function attachmentOf(
  volume: string,
  attached = true,
  name = attachmentName(DRIVER, volume, "n"),
): VolumeAttachment {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "VolumeAttachment",
    metadata: { name },
    spec: { attacher: DRIVER, nodeName: "n", source: { persistentVolumeName: volume } },
    status: { attached },
  };
}

function wishFor(volume: PersistentVolume): [string, Wish] {
  const name = attachmentName(DRIVER, volume.metadata.name!, "n");
  return [name, { name, driver: DRIVER, volume, pods: [] }];
}

function planOf(view: Partial<NodeView>) {
  const plan = planNode({
    name: "n",
    node: nodeOf("True"),
    wishes: new Map(),
    attachments: [],
    volume: (name) => volumeOf(name),
    elsewhere: () => [],
    unwantedSince: () => NOW,
    now: NOW,
    ...view,
  });
  const names = (wishes: Wish[]) => wishes.map(({ volume }) => volume.metadata.name);
  const detach = plan.detach.map(({ spec }) => spec.source.persistentVolumeName);
  return { ...plan, attach: names(plan.attach), refused: names(plan.refused), detach };
}

test("planNode attaches what is wanted and not there, and reports what its driver has attached", () => {
  const wishes = new Map([wishFor(volumeOf("a")), wishFor(volumeOf("b")), wishFor(volumeOf("c"))]);
  const attachments = [attachmentOf("a"), attachmentOf("b", false)];
  assert.deepEqual(planOf({ wishes, attachments }), {
    attach: ["c"],
    refused: [],
    detach: [],
    attached: [uniqueVolumeName(DRIVER, "a")],
  });
});

test("planNode refuses a volume that another node has, unless nodes can share it", () => {
  const wishes = new Map([wishFor(volumeOf("a")), wishFor(volumeOf("b", ["ReadWriteMany"]))]);
  const { attach, refused } = planOf({ wishes, elsewhere: () => ["other"] });
  assert.deepEqual({ attach, refused }, { attach: ["b"], refused: ["a"] });
});

test("planNode detaches once the kubelet has unmounted, or when it is given up on", () => {
  const attachments = [attachmentOf("a")];
  const used = [uniqueVolumeName(DRIVER, "a")];
  const detached = (node: Node | undefined, since = NOW) => {
    const { detach, attached, after } = planOf({ attachments, node, unwantedSince: () => since });
    assert.equal(attached.length, 1 - detach.length);
    return detach.length > 0 || after;
  };
  assert.equal(detached(nodeOf("True")), true);
  assert.equal(detached(undefined), true);
  assert.equal(detached(nodeOf("True", used)), undefined);
  assert.equal(detached(nodeOf("Unknown", used)), 360_000);
  assert.equal(detached(nodeOf("Unknown", used), NOW - 350_000), 10_000);
  assert.equal(detached(nodeOf("Unknown", used), NOW - 360_000), true);
  assert.equal(detached(nodeOf("True", used, "node.kubernetes.io/out-of-service")), true);
});

test("planNode keeps its hands off attachments of others, and waits where it cannot tell what is mounted", () => {
  const others = [attachmentOf("a", true, "by-hand")];
  assert.deepEqual(planOf({ attachments: others }).detach, []);
  const lost = { attachments: [attachmentOf("a")], volume: () => undefined };
  assert.deepEqual(planOf(lost).detach, ["a"]);
  const node = nodeOf("True", [uniqueVolumeName(DRIVER, "whatever")]);
  assert.deepEqual(planOf({ ...lost, node }).detach, []);
});

test("isDone holds of pods that have ended, and of those that leave and run nothing", () => {
  const podOf = (status: Pod["status"], deletionTimestamp?: string): Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", deletionTimestamp },
    status,
  });
  const leaving = "2026-01-01T00:00:00Z";
  const running = { containerStatuses: [{ name: "c", state: { running: {} } }] } as Pod["status"];
  assert.equal(isDone(podOf({ phase: "Failed" })), true);
  assert.equal(isDone(podOf(running)), false);
  assert.equal(isDone(podOf(running, leaving)), false);
  assert.equal(isDone(podOf({}, leaving)), true);
});
