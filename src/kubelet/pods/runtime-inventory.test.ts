import assert from "node:assert/strict";
import test from "node:test";
import { RuntimeInventory } from "./runtime-inventory.ts";

const POD = "io.kubernetes.pod";
const of = (uid: string, more: object = {}) => ({
  labels: new Map([
    [`${POD}.uid`, uid],
    [`${POD}.name`, `pod-${uid}`],
    [`${POD}.namespace`, "ns"],
  ]),
  annotations: new Map([[`${POD}.terminationGracePeriod`, "7"]]),
  ...more,
});

function runtime(items: object[], containers: object[]) {
  return { listPodSandbox: async () => ({ items }), listContainers: async () => ({ containers }) } as never;
}

test("RuntimeInventory names pods, the owners of what is there, and what changed of them", async () => {
  const inventory = new RuntimeInventory();
  const foreign = { id: "x", state: 1, labels: new Map(), annotations: new Map() };
  const sandboxes = [of("a", { id: "s1", state: 0 }), of("b", { id: "s2", state: 0 })];
  const first = await inventory.read(runtime(sandboxes, [of("a", { id: "c1", state: 1 }), foreign]));
  assert.deepEqual(first.pods, [
    { uid: "a", name: "pod-a", namespace: "ns", graceSeconds: 7 },
    { uid: "b", name: "pod-b", namespace: "ns" },
  ]);
  assert.deepEqual(first.changed, ["a", "b"]);
  assert.deepEqual([inventory.ownerOf("c1"), inventory.ownerOf("x")], ["a", undefined]);
  const same = await inventory.read(runtime(sandboxes.toReversed(), [of("a", { id: "c1", state: 1 })]));
  assert.deepEqual(same.changed, []);
  const ended = await inventory.read(runtime(sandboxes.slice(0, 1), [of("a", { id: "c1", state: 2 })]));
  assert.deepEqual(ended.changed, ["a", "b"]);
});
