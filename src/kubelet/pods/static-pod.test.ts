import assert from "node:assert/strict";
import test from "node:test";
import { isMirrorOf, isMirrorPod, isStaticPod, mirrorOf, readStaticPod } from "./static-pod.ts";

const read = (text: string, path = "/m/a.yaml") =>
  readStaticPod(Buffer.from(text), path, "node-a", "2026-01-01T00:00:00Z");
const MANIFEST =
  "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: main\n    image: web:1\n";

test("readStaticPod names the pod after its node, and sets defaults", () => {
  const pod = read(MANIFEST);
  assert.deepEqual([pod.metadata.name, pod.metadata.namespace], ["web-node-a", "default"]);
  assert.equal(pod.spec?.nodeName, "node-a");
  assert.equal(pod.spec?.restartPolicy, "Always");
  assert.deepEqual(pod.spec?.tolerations, [{ operator: "Exists", effect: "NoExecute" }]);
  assert.equal(pod.spec?.containers[0]?.terminationMessagePath, "/dev/termination-log");
  assert.ok(isStaticPod(pod) && !isMirrorPod(pod));
});

test("readStaticPod gives the same text in the same place the same uid, and no other", () => {
  const { uid } = read(MANIFEST).metadata;
  assert.equal(read(MANIFEST).metadata.uid, uid);
  assert.notEqual(read(MANIFEST, "/m/b.yaml").metadata.uid, uid);
  assert.notEqual(read(`${MANIFEST}    tty: true\n`).metadata.uid, uid);
  assert.equal(read(MANIFEST.replace("  name: web", "  name: web\n  uid: own")).metadata.uid, "own");
});

for (const [what, text, message] of [
  ["another kind", MANIFEST.replace("kind: Pod", "kind: Service"), /v1 Service, not v1 Pod/],
  ["no name", MANIFEST.replace("name: web", "namespace: x"), /has no name/],
  ["no spec", MANIFEST.slice(0, MANIFEST.indexOf("spec:")), /has no spec/],
  [
    "an invalid spec",
    MANIFEST.replace("name: main", "name: Main!"),
    /spec\.containers\[0\]\.name: Invalid value/,
  ],
] as const) {
  test(`readStaticPod refuses a file with ${what}`, () => assert.throws(() => read(text), message));
}

test("mirrorOf belongs to the node, and is of that very pod", () => {
  const pod = read(MANIFEST);
  const mirror = mirrorOf(pod, { name: "node-a", uid: "n" });
  assert.deepEqual(mirror.metadata.ownerReferences, [
    { apiVersion: "v1", kind: "Node", name: "node-a", uid: "n", controller: true },
  ]);
  assert.equal(mirror.metadata.uid, undefined);
  assert.ok(isMirrorPod(mirror) && isMirrorOf(mirror, pod));
  assert.ok(!isMirrorOf(mirror, read(`${MANIFEST}    tty: true\n`)));
  const leaving = { ...mirror, metadata: { ...mirror.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  assert.ok(!isMirrorOf(leaving, pod));
});
