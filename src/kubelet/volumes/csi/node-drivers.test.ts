import assert from "node:assert/strict";
import test from "node:test";
import type { Node } from "../../../api/core/node.ts";
import type { CSINode } from "../../../api/storage/csi-node.ts";
import { type NodeDriver, nodePatch, withDriver } from "./node-drivers.ts";

const NODE = { apiVersion: "v1", kind: "Node", metadata: { name: "n", uid: "u" } } as Node;
const ANNOTATION = "csi.volume.kubernetes.io/nodeid";

function driver(name: string, more: Partial<NodeDriver> = {}): NodeDriver {
  return { name, nodeID: `${name}-id`, maxVolumes: 0, topology: new Map(), ...more };
}

test("withDriver adds, changes and removes one driver and leaves the others", () => {
  const first = withDriver(undefined, NODE, "a", driver("a")) as CSINode;
  assert.deepEqual(first.spec.drivers, [{ name: "a", nodeID: "a-id" }]);
  assert.deepEqual(first.metadata.ownerReferences, [{ apiVersion: "v1", kind: "Node", name: "n", uid: "u" }]);
  const topology = new Map([
    ["z", "1"],
    ["y", "2"],
  ]);
  const second = withDriver(first, NODE, "b", driver("b", { maxVolumes: 3, topology })) as CSINode;
  assert.deepEqual(second.spec.drivers[1], {
    name: "b",
    nodeID: "b-id",
    topologyKeys: ["y", "z"],
    allocatable: { count: 3 },
  });
  assert.equal(withDriver(first, NODE, "a", driver("a")), undefined);
  assert.deepEqual(withDriver(second, NODE, "a", undefined)?.spec.drivers, [second.spec.drivers[1]]);
});

test("nodePatch tells the driver's id and labels, and takes only the id back", () => {
  const one = driver("a", { topology: new Map([["t/zone", "z"]]) });
  assert.deepEqual(nodePatch(NODE, "a", one), {
    metadata: { annotations: { [ANNOTATION]: '{"a":"a-id"}' }, labels: { "t/zone": "z" } },
  });
  const annotations = { [ANNOTATION]: '{"a":"a-id"}' };
  const told = { ...NODE, metadata: { ...NODE.metadata, annotations, labels: { "t/zone": "z" } } };
  assert.equal(nodePatch(told, "a", one), undefined);
  assert.deepEqual(nodePatch(told, "a", undefined), { metadata: { annotations: { [ANNOTATION]: null } } });
});

test("nodePatch refuses a label that the node has with another value", () => {
  const labelled = { ...NODE, metadata: { ...NODE.metadata, labels: { "t/zone": "other" } } };
  assert.throws(() => nodePatch(labelled, "a", driver("a", { topology: new Map([["t/zone", "z"]]) })), {
    message:
      'detected topology value collision: driver reported "t/zone":"z" but existing label is "t/zone":"other"',
  });
});
