import assert from "node:assert/strict";
import test from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import type { StorageClass } from "../../api/storage/storage-class.ts";
import { type ClaimView, decideClaim } from "./decide-claim.ts";
import { decideVolume, isToBeRemoved } from "./decide-volume.ts";
import {
  DIRECTORY_ANNOTATION,
  FINALIZER,
  NODE_ANNOTATION,
  PROVISIONER,
  PV_PROTECTION,
  REMOVED_ANNOTATION,
} from "./names.ts";

const CLASS = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "standard" },
  provisioner: PROVISIONER,
  reclaimPolicy: "Retain",
  volumeBindingMode: "WaitForFirstConsumer",
} as StorageClass;

function node(annotations?: Record<string, string>): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n", annotations, labels: { "kubernetes.io/hostname": "h" } },
  } as Node;
}

function claim(
  more: { annotations?: Record<string, string>; spec?: object; status?: object } = {},
): PersistentVolumeClaim {
  const annotations = {
    "volume.kubernetes.io/storage-provisioner": PROVISIONER,
    "volume.kubernetes.io/selected-node": "n",
    ...more.annotations,
  };
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "c", namespace: "d", uid: "u", resourceVersion: "7", annotations },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      storageClassName: "standard",
      ...more.spec,
    },
    ...(more.status ? { status: more.status } : {}),
  } as PersistentVolumeClaim;
}

function view(more: Partial<ClaimView> = {}): ClaimView {
  return {
    classNamed: (name) => (name === "standard" ? CLASS : undefined),
    node: (name) => (name === "n" ? node() : undefined),
    volume: () => undefined,
    directory: "/data/storage",
    ...more,
  };
}

test("a claim gets a volume on the node that was chosen, named after its uid", () => {
  assert.deepEqual(decideClaim(claim(), view()), {
    act: "provision",
    volume: {
      metadata: {
        name: "pvc-u",
        labels: { "kybern.dev/local-path": "true" },
        annotations: { "pv.kubernetes.io/provisioned-by": PROVISIONER, [NODE_ANNOTATION]: "n" },
        finalizers: [FINALIZER],
      },
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        volumeMode: "Filesystem",
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: "standard",
        claimRef: {
          kind: "PersistentVolumeClaim",
          apiVersion: "v1",
          namespace: "d",
          name: "c",
          uid: "u",
          resourceVersion: "7",
        },
        local: { path: "/data/storage/pvc-u" },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["h"] }] },
            ],
          },
        },
      },
    },
  });
});

test("a volume is where its node says that it keeps them", () => {
  const decision = decideClaim(claim(), view({ node: () => node({ [DIRECTORY_ANNOTATION]: "/other" }) }));
  assert.equal(decision.act === "provision" && decision.volume.spec.local?.path, "/other/pvc-u");
});

test("a claim waits for a node, and for another where the chosen one is gone", () => {
  const waiting = claim();
  delete waiting.metadata.annotations?.["volume.kubernetes.io/selected-node"];
  assert.deepEqual(decideClaim(waiting, view()), { act: "none" });
  assert.deepEqual(decideClaim(claim(), view({ node: () => undefined })), { act: "reschedule", node: "n" });
});

test("claims of others, and those that have a volume, are left alone", () => {
  const other = claim({ annotations: { "volume.kubernetes.io/storage-provisioner": "other.test" } });
  assert.deepEqual(decideClaim(other, view()), { act: "none" });
  assert.deepEqual(decideClaim(claim(), view({ volume: () => ({}) as PersistentVolume })), { act: "none" });
  assert.deepEqual(decideClaim(claim({ spec: { storageClassName: "absent" } }), view()), { act: "none" });
});

test("what a directory cannot be is refused by name", () => {
  const why = (spec: object) => {
    const decision = decideClaim(claim({ spec }), view());
    return decision.act === "refuse" ? decision.message.replace(/^failed .*"standard": /, "") : decision.act;
  };
  assert.match(why({ accessModes: ["ReadWriteMany"] }), /^access mode ReadWriteMany is not supported/);
  assert.match(why({ volumeMode: "Block" }), /Block is not supported$/);
  assert.equal(why({ selector: {} }), "claim.Spec.Selector is not supported");
  assert.match(why({ dataSource: { kind: "VolumeSnapshot", name: "s" } }), /data sources are not supported$/);
  assert.equal(why({ accessModes: ["ReadWriteOncePod"] }), "provision");
});

function volume(
  more: { deleted?: boolean; finalizers?: string[]; phase?: string; policy?: string } = {},
): PersistentVolume {
  const { deleted = false, finalizers = [FINALIZER], phase = "Released", policy = "Delete" } = more;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: "pvc-u",
      annotations: { "pv.kubernetes.io/provisioned-by": PROVISIONER, [NODE_ANNOTATION]: "n" },
      finalizers,
      ...(deleted ? { deletionTimestamp: "2026-11-21T00:00:00Z" } : {}),
    },
    spec: { persistentVolumeReclaimPolicy: policy, claimRef: { uid: "u" }, capacity: { storage: "1Gi" } },
    status: { phase },
  } as PersistentVolume;
}

test("a bound claim that has grown makes its own volume grow, and no other", () => {
  const bound = claim({
    spec: { volumeName: "pvc-u", resources: { requests: { storage: "2Gi" } } },
    status: { phase: "Bound", capacity: { storage: "1Gi" } },
  });
  const own = volume({ phase: "Bound" });
  assert.deepEqual(decideClaim(bound, view({ volume: () => own })), {
    act: "expand",
    volume: own,
    size: "2Gi",
  });
  const other = { ...own, spec: { ...own.spec, claimRef: { uid: "x" } } };
  assert.deepEqual(decideClaim(bound, view({ volume: () => other })), { act: "none" });
});

test("a released volume is deleted, or kept where its policy says so", () => {
  assert.equal(decideVolume(volume(), node()), "delete");
  assert.equal(decideVolume(volume({ policy: "Retain" }), node()), "none");
  assert.equal(decideVolume(volume({ phase: "Bound" }), node()), "none");
});

test("a deleted volume is let go when its node has removed the directory, or never had one", () => {
  const deleted = volume({ deleted: true });
  const has = { [DIRECTORY_ANNOTATION]: "/data" };
  assert.equal(decideVolume(deleted, node(has)), "none");
  assert.equal(decideVolume(deleted, node({ ...has, [REMOVED_ANNOTATION]: "pvc-t" })), "none");
  assert.equal(decideVolume(deleted, node({ ...has, [REMOVED_ANNOTATION]: "pvc-t,pvc-u" })), "letGo");
  assert.equal(decideVolume(deleted, node()), "letGo");
  assert.equal(decideVolume(deleted, undefined), "letGo");
  assert.equal(decideVolume(volume({ deleted: true, policy: "Retain" }), node(has)), "letGo");
});

test("the directory of a volume in use, or of one to be retained, is not removed", () => {
  assert.equal(isToBeRemoved(volume({ deleted: true })), true);
  assert.equal(isToBeRemoved(volume()), false);
  assert.equal(isToBeRemoved(volume({ deleted: true, policy: "Retain" })), false);
  const used = volume({ deleted: true, finalizers: [FINALIZER, PV_PROTECTION] });
  assert.equal(isToBeRemoved(used), false);
  assert.equal(decideVolume(used, undefined), "none");
});
