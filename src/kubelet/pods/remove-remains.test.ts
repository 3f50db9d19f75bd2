import assert from "node:assert/strict";
import test from "node:test";
import { superfluous } from "./remove-remains.ts";
import type { ContainerRecord, PodRuntime, SandboxRecord } from "./runtime-state.ts";

const of = (id: string, state: ContainerRecord["state"], sandboxID = "s1"): ContainerRecord =>
  ({ id, name: id.split("-")[0], state, sandboxID }) as ContainerRecord;
const sandbox = (id: string, ready: boolean): SandboxRecord => ({ id, ready }) as SandboxRecord;
const ids = (runtime: PodRuntime) => {
  const { containers, sandboxes } = superfluous(runtime);
  return [containers.map(({ id }) => id), sandboxes.map(({ id }) => id)];
};

test("superfluous keeps what runs, and the last that ended of each container", () => {
  const containers = [of("a-2", "running"), of("a-1", "exited"), of("a-0", "exited"), of("b-0", "exited")];
  assert.deepEqual(ids({ sandboxes: [sandbox("s1", true)], containers }), [["a-0"], []]);
});

test("superfluous takes a container that was created, never ran, and was followed by another", () => {
  const sandboxes = [sandbox("s1", true)];
  assert.deepEqual(ids({ sandboxes, containers: [of("a-1", "created"), of("a-0", "exited")] }), [[], []]);
  assert.deepEqual(ids({ sandboxes, containers: [of("a-1", "running"), of("a-0", "created")] }), [
    ["a-0"],
    [],
  ]);
});

test("superfluous takes former sandboxes once nothing of them is kept", () => {
  const sandboxes = [sandbox("s1", true), sandbox("s0", false)];
  assert.deepEqual(ids({ sandboxes, containers: [of("a-1", "running"), of("a-0", "exited", "s0")] }), [
    [],
    [],
  ]);
  const containers = [of("a-2", "running"), of("a-1", "exited"), of("a-0", "exited", "s0")];
  assert.deepEqual(ids({ sandboxes, containers }), [["a-0"], ["s0"]]);
  assert.deepEqual(ids({ sandboxes: [sandbox("s0", false)], containers: [] }), [[], []]);
});
