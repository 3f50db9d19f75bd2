import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, PersistentVolume, PersistentVolumeClaim } from "../../schema/core.v1.generated.ts";
import { findMatchingVolume, whyUnfit } from "./match-volume.ts";

type VolumeSpec = NonNullable<PersistentVolume["spec"]>;
type ClaimSpec = NonNullable<PersistentVolumeClaim["spec"]>;

function volumeOf(name: string, size: string, spec: VolumeSpec = {}, labels?: Record<string, string>) {
  const defaults = { capacity: { storage: size }, accessModes: ["ReadWriteOnce"], volumeMode: "Filesystem" };
  const status = { phase: "Available" };
  const volume: PersistentVolume = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, labels },
    spec: { ...defaults, ...spec },
    status,
  };
  return volume;
}

function claimOf(size: string, spec: ClaimSpec = {}): PersistentVolumeClaim {
  const resources = { requests: { storage: size } };
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "c", namespace: "default", uid: "u" },
    spec: { accessModes: ["ReadWriteOnce"], resources, ...spec },
  };
}

function chosen(claim: PersistentVolumeClaim, ...volumes: PersistentVolume[]): string | undefined {
  return findMatchingVolume(claim, volumes)?.metadata.name;
}

test("findMatchingVolume takes the smallest of those with the fewest spare access modes", () => {
  const many = { accessModes: ["ReadWriteOnce", "ReadOnlyMany"] };
  const volumes = [
    volumeOf("tiny", "1Gi"),
    volumeOf("shared", "2Gi", many),
    volumeOf("b", "3Gi"),
    volumeOf("a", "3Gi"),
  ];
  assert.equal(chosen(claimOf("2Gi"), ...volumes), "a");
  assert.equal(chosen(claimOf("2Gi", { accessModes: ["ReadOnlyMany"] }), ...volumes), "shared");
  assert.equal(chosen(claimOf("4Gi"), ...volumes), undefined);
});

test("findMatchingVolume passes over volumes of another class, mode, selection or state", () => {
  const claim = claimOf("1Gi", { storageClassName: "fast", selector: { matchLabels: { disk: "ssd" } } });
  const right = { storageClassName: "fast" };
  const ssd = { disk: "ssd" };
  const leaving = volumeOf("leaving", "1Gi", right, ssd);
  leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  const pending = { ...volumeOf("pending", "1Gi", right, ssd), status: { phase: "Pending" } };
  const others = [
    volumeOf("classless", "1Gi", {}, ssd),
    volumeOf("unlabelled", "1Gi", right),
    volumeOf("block", "1Gi", { ...right, volumeMode: "Block" }, ssd),
    volumeOf("tuned", "1Gi", { ...right, volumeAttributesClassName: "gold" }, ssd),
    volumeOf("taken", "1Gi", { ...right, claimRef: { namespace: "default", name: "other" } }, ssd),
    leaving,
    pending,
  ];
  assert.equal(chosen(claim, ...others), undefined);
  assert.equal(chosen(claim, ...others, volumeOf("right", "1Gi", right, ssd)), "right");
});

test("findMatchingVolume prefers a volume that names the claim, unless it is another's of the same name", () => {
  const free = volumeOf("free", "1Gi");
  const named = (uid?: string) =>
    volumeOf("named", "9Gi", { claimRef: { namespace: "default", name: "c", uid } });
  assert.equal(chosen(claimOf("1Gi"), free, named()), "named");
  assert.equal(chosen(claimOf("1Gi"), free, named("u")), "named");
  assert.equal(chosen(claimOf("1Gi"), free, named("older")), "free");
});

test("findMatchingVolume leaves the choice to the scheduler where the class waits, and heeds its node", () => {
  const affinity = (zone: string) => ({
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: [zone] }] }],
      },
    },
  });
  const node: Node = { apiVersion: "v1", kind: "Node", metadata: { name: "n", labels: { zone: "a" } } };
  const volumes = [volumeOf("far", "1Gi", affinity("b")), volumeOf("near", "2Gi", affinity("a"))];
  const claim = claimOf("1Gi");
  assert.equal(findMatchingVolume(claim, volumes, { delayBinding: true }), undefined);
  assert.equal(findMatchingVolume(claim, volumes, { delayBinding: true, node })?.metadata.name, "near");
  const excluded = new Set(["near"]);
  assert.equal(findMatchingVolume(claim, volumes, { node, excluded }), undefined);
});

test("whyUnfit says the first thing that is wrong with a volume", () => {
  const why = (spec: VolumeSpec, size = "1Gi") => whyUnfit(volumeOf("v", size, spec), claimOf("1Gi"));
  assert.equal(why({}), undefined);
  assert.equal(why({}, "1Mi"), "requested PV is too small");
  assert.equal(why({ storageClassName: "x" }), "storageClassName does not match");
  assert.equal(why({ volumeAttributesClassName: "x" }), "volumeAttributesClassName does not match");
  assert.equal(why({ volumeMode: "Block" }), "incompatible volumeMode");
  assert.equal(why({ accessModes: ["ReadOnlyMany"] }), "incompatible accessMode");
});
