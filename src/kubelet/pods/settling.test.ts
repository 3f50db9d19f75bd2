import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerRecord, PodRuntime, SandboxRecord } from "./runtime-state.ts";
import { hasExited, isOutOfMemory, Settling } from "./settling.ts";

const runtimeOf = (containers: Partial<ContainerRecord>[], sandboxes: Partial<SandboxRecord>[] = []) =>
  ({ containers, sandboxes }) as unknown as PodRuntime;

test("an exit is asked for again until the runtime tells it, ever more rarely", () => {
  const exits = new Settling(hasExited);
  exits.add("a", 0);
  assert.equal(exits.next(0), 10);
  exits.seen(runtimeOf([{ id: "a", state: "running" }]));
  assert.equal(exits.next(10), 20);
  exits.seen(runtimeOf([{ id: "a", state: "exited" }]));
  assert.equal(exits.next(30), undefined);
});

test("an exit is not forgotten where the runtime was asked before the container began", () => {
  const exits = new Settling(hasExited);
  exits.add("a", 0);
  exits.seen(runtimeOf([]));
  assert.notEqual(exits.next(0), undefined);
  exits.seen(runtimeOf([{ id: "a", state: "created" }]));
  assert.notEqual(exits.next(0), undefined);
});

test("an exit of a sandbox is told by the sandbox", () => {
  const exits = new Settling(hasExited);
  exits.add("pause", 0);
  exits.seen(runtimeOf([], [{ id: "pause", ready: true }]));
  assert.notEqual(exits.next(0), undefined);
  exits.seen(runtimeOf([], [{ id: "pause", ready: false }]));
  assert.equal(exits.next(0), undefined);
});

test("an exit that is never told is given up after a while", () => {
  const exits = new Settling(hasExited);
  exits.add("a", 0);
  assert.equal(exits.next(10_001), undefined);
});

test("a lack of memory is asked for until the runtime tells it, also of what has ended", () => {
  const shortages = new Settling(isOutOfMemory);
  shortages.add("a", 0);
  shortages.seen(runtimeOf([{ id: "a", state: "exited", reason: "Error" }]));
  assert.equal(shortages.has("a"), true);
  assert.equal(shortages.next(0), 10);
  shortages.seen(runtimeOf([{ id: "a", state: "exited", reason: "OOMKilled" }]));
  assert.equal(shortages.has("a"), false);
  assert.equal(shortages.next(10), undefined);
});
