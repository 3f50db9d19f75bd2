import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../base/clock.ts";
import { compactHeap, IdleMemory } from "./idle-memory.ts";

const MB = 1024 * 1024;

function idleMemory() {
  const clock = new VirtualClock();
  const memorySize = { resident: 40 * MB, objects: 30 * MB };
  const compacted: number[] = [];
  const memory = new IdleMemory({
    clock,
    size: () => ({ ...memorySize }),
    compact() {
      compacted.push(clock.now());
      memorySize.resident = memorySize.objects;
    },
  });
  const start = clock.now();
  return { clock, memorySize, memory, times: () => compacted.map((at) => at - start) };
}

test("idle memory is given back three seconds after the last request, once", () => {
  const { clock, memorySize, memory, times } = idleMemory();
  memorySize.resident = 120 * MB;
  memory.requested();
  clock.advance(2000);
  memory.requested();
  clock.advance(3000);
  assert.deepEqual(times(), []);
  clock.advance(2000);
  assert.deepEqual(times(), [6000]);
  memory.requested();
  clock.advance(60_000);
  assert.deepEqual(times(), [6000]);
});

test("idle memory stays where little is to be won, or the heap is large", () => {
  const { clock, memorySize, memory, times } = idleMemory();
  memorySize.resident = 60 * MB;
  memory.requested();
  clock.advance(3000);
  memorySize.resident = 500 * MB;
  memorySize.objects = 300 * MB;
  memory.requested();
  clock.advance(3000);
  assert.deepEqual(times(), []);
});

test("compactHeap works though V8 was started without a way to it", () => {
  assert.equal(Reflect.get(globalThis, "gc"), undefined);
  assert.doesNotThrow(compactHeap);
});
