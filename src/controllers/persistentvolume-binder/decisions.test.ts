import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { claimInPhase } from "./claim-changes.ts";
import { type ClaimView, decideClaim } from "./decide-claim.ts";
import { boundVolume, decideVolume, migratedFinalizers, unboundVolume } from "./decide-volume.ts";

const BOUND = { "pv.kubernetes.io/bind-completed": "yes" };
const CHOSEN = { "pv.kubernetes.io/bound-by-controller": "yes" };

function volumeOf(
  spec: PersistentVolume["spec"] = {},
  annotations?: Record<string, string>,
  phase = "Available",
) {
  const volume: PersistentVolume = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "v", annotations },
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], ...spec },
    status: { phase },
  };
  return volume;
}

function claimOf(spec: PersistentVolumeClaim["spec"] = {}, annotations?: Record<string, string>) {
  const claim: PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "c", namespace: "default", uid: "u", annotations },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
    status: { phase: "Pending" },
  };
  return claim;
}

function viewOf(named?: PersistentVolume, more: Partial<ClaimView> = {}): ClaimView {
  return {
    named,
    candidates: () => [],
    classNamed: () => undefined,
    defaultClass: () => undefined,
    unscheduledPods: () => [],
    ...more,
  };
}

const OWN = { namespace: "default", name: "c", uid: "u" };
const OTHERS = { namespace: "default", name: "d", uid: "w" };

test("decideClaim gives a bound claim up where its volume is gone or another's", () => {
  const bound = claimOf({ volumeName: "v" }, BOUND);
  const reason = (claim: PersistentVolumeClaim, volume?: PersistentVolume) => {
    const decision = decideClaim(claim, viewOf(volume));
    return decision.act === "phase" ? [decision.phase, decision.tell?.reason] : decision.act;
  };
  assert.deepEqual(reason(claimOf({}, BOUND)), ["Lost", "ClaimLost"]);
  assert.deepEqual(reason(bound), ["Lost", "ClaimLost"]);
  assert.deepEqual(reason(bound, volumeOf({ claimRef: OTHERS })), ["Lost", "ClaimMisbound"]);
  assert.equal(reason(bound, volumeOf({ claimRef: OWN })), "bind");
  assert.equal(reason(bound, volumeOf()), "bind");
});

test("decideClaim refuses to go on where a controller's choice was bound to another claim", () => {
  const claim = claimOf({ volumeName: "v" }, CHOSEN);
  assert.throws(
    () => decideClaim(claim, viewOf(volumeOf({ claimRef: OTHERS }))),
    /invalid binding of claim default\/c/,
  );
});

test("decideClaim names why nothing is provisioned", () => {
  const note = (className: string, provisioner?: string) => {
    const storageClass = provisioner
      ? { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: className }, provisioner }
      : undefined;
    const decision = decideClaim(
      claimOf({ storageClassName: className }),
      viewOf(undefined, { classNamed: () => storageClass }),
    );
    return decision.act === "phase" ? decision.tell?.note : decision;
  };
  assert.equal(note("x"), 'storageclass.storage.k8s.io "x" not found');
  assert.equal(note("x", "kubernetes.io/none"), "no volume plugin matched name: kubernetes.io/none");
  assert.deepEqual(note("x", "kubernetes.io/gce-pd"), {
    act: "askProvisioner",
    name: "pd.csi.storage.gke.io",
  });
});

test("decideVolume follows the claim that the volume names", () => {
  const volume = volumeOf({ claimRef: OWN }, CHOSEN);
  assert.deepEqual(decideVolume(volumeOf({ claimRef: { ...OWN, uid: undefined } }), claimOf()), {
    act: "phase",
    phase: "Available",
  });
  assert.deepEqual(decideVolume(volume, claimOf({ volumeName: "v" })), { act: "phase", phase: "Bound" });
  assert.deepEqual(decideVolume(volume, claimOf()), { act: "askClaim" });
  assert.deepEqual(decideVolume(volume, claimOf({ volumeMode: "Block" })), { act: "tellModes" });
  assert.deepEqual(decideVolume(volume, claimOf({ volumeName: "w" })), { act: "unbind" });
  assert.deepEqual(decideVolume(volume, undefined), { act: "phase", phase: "Released" });
});

test("decideVolume releases what was made for a claim that has another volume", () => {
  const annotations = { "pv.kubernetes.io/provisioned-by": "driver.example.com" };
  const volume = volumeOf({ claimRef: OWN, persistentVolumeReclaimPolicy: "Delete" }, annotations, "Bound");
  assert.deepEqual(decideVolume(volume, claimOf({ volumeName: "w" })), { act: "phase", phase: "Released" });
  const released = { ...volume, status: { phase: "Released" } };
  assert.deepEqual(decideVolume(released, claimOf({ volumeName: "w" })), { act: "none" });
});

test("boundVolume marks only what the controller chose, and unboundVolume takes only that back", () => {
  const chosen = boundVolume(volumeOf(), claimOf())!;
  assert.deepEqual(chosen.metadata.annotations, CHOSEN);
  assert.equal(boundVolume(chosen, claimOf()), undefined);
  assert.equal(unboundVolume(chosen).spec.claimRef, undefined);
  assert.deepEqual(unboundVolume(chosen).metadata.annotations, {});
  const reserved = volumeOf({ claimRef: { namespace: "default", name: "c" } });
  const given = boundVolume(reserved, claimOf())!;
  assert.equal(given.metadata.annotations, undefined);
  assert.equal(given.spec.claimRef?.uid, "u");
  assert.deepEqual(unboundVolume(given).spec.claimRef, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    namespace: "default",
    name: "c",
    resourceVersion: undefined,
  });
});

test("claimInPhase shows a volume's size when the claim is bound, and leaves a later size alone", () => {
  const bound = claimInPhase(claimOf(), "Bound", volumeOf())!;
  assert.deepEqual(bound.status, {
    phase: "Bound",
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: "1Gi" },
  });
  assert.equal(claimInPhase(bound, "Bound", volumeOf({ capacity: { storage: "5Gi" } })), undefined);
  assert.deepEqual(claimInPhase(bound, "Lost")?.status, { phase: "Lost" });
});

test("migratedFinalizers lets go of volumes that a driver deletes now", () => {
  const held = (provisioner: string) => {
    const volume = volumeOf({}, { "pv.kubernetes.io/provisioned-by": provisioner });
    volume.metadata.finalizers = ["kubernetes.io/pv-controller", "kubernetes.io/pv-protection"];
    return migratedFinalizers(volume);
  };
  assert.deepEqual(held("kubernetes.io/aws-ebs"), ["kubernetes.io/pv-protection"]);
  assert.equal(held("kubernetes.io/unknown"), undefined);
  assert.equal(held("driver.example.com"), undefined);
});
