import assert from "node:assert/strict";
import { test } from "node:test";
import { Quantity } from "../../../machinery/quantity/quantity.ts";
import type { Node } from "../../schema/core.v1.generated.ts";
import type { CSIStorageCapacity, StorageClass } from "../../schema/storage.v1.generated.ts";
import { defaultClassOf } from "./storage-classes.ts";
import { classAllowsNode, hasCapacityFor } from "./topology.ts";

const NODE: Node = { apiVersion: "v1", kind: "Node", metadata: { name: "n", labels: { zone: "a" } } };

function classOf(name: string, more: Partial<StorageClass> = {}): StorageClass {
  const kind = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" };
  return { ...kind, metadata: { name }, provisioner: "p", ...more };
}

test("classAllowsNode wants every label of one allowed topology", () => {
  const allows = (...terms: Record<string, string[]>[]) =>
    classAllowsNode(
      classOf("c", {
        allowedTopologies: terms.map((term) => ({
          matchLabelExpressions: Object.entries(term).map(([key, values]) => ({ key, values })),
        })),
      }),
      NODE,
    );
  assert.equal(allows(), true);
  assert.equal(allows({ zone: ["b", "a"] }), true);
  assert.equal(allows({ zone: ["a"], rack: ["1"] }), false);
  assert.equal(allows({ zone: ["b"] }, { zone: ["a"] }), true);
  assert.equal(allows({}), false);
});

test("hasCapacityFor looks for one report of the class and the node that is large enough", () => {
  const report = (capacity: string | undefined, zone: string, more: Partial<CSIStorageCapacity> = {}) => ({
    apiVersion: "storage.k8s.io/v1",
    kind: "CSIStorageCapacity",
    metadata: { name: "r" },
    storageClassName: "c",
    nodeTopology: { matchLabels: { zone } },
    capacity,
    ...more,
  });
  const has = (...reports: CSIStorageCapacity[]) => hasCapacityFor(NODE, "c", Quantity.parse("2Gi"), reports);
  assert.equal(has(report("2Gi", "a")), true);
  assert.equal(has(report("1Gi", "a"), report("9Gi", "b"), report(undefined, "a")), false);
  assert.equal(has(report("9Gi", "a", { maximumVolumeSize: "1Gi" })), false);
  assert.equal(has(report("9Gi", "a", { storageClassName: "other" })), false);
  assert.equal(has(report("9Gi", "a", { nodeTopology: undefined })), false);
});

test("defaultClassOf takes the newest of several, and of those as old the first by name", () => {
  const marked = (name: string, creationTimestamp: string) =>
    classOf(name, {
      metadata: {
        name,
        creationTimestamp,
        annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
      },
    });
  const old = marked("a", "2026-01-01T00:00:00Z");
  const [b, c] = [marked("b", "2026-02-01T00:00:00Z"), marked("c", "2026-02-01T00:00:00Z")];
  assert.equal(defaultClassOf([old, c, b, classOf("plain")]), b);
  assert.equal(defaultClassOf([classOf("plain")]), undefined);
});
