import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { WorkQueue, type WorkResult } from "./work-queue.ts";

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(work: (key: string) => Promise<WorkResult>, workers = 1) {
  const clock = new VirtualClock();
  const failures: string[] = [];
  const queue = new WorkQueue({
    clock,
    workers,
    work,
    failed: (key, error, attempt) => failures.push(`${key} ${attempt} ${(error as Error).message}`),
  });
  return { clock, queue, failures };
}

test("a queue works on a key once that is added many times, and once more when it is added meanwhile", async () => {
  const worked: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { queue } = setUp(async (key) => {
    worked.push(key);
    if (worked.length === 1) await gate.promise;
    return undefined;
  });
  queue.start();
  for (let i = 0; i < 5; i++) queue.add("a");
  await settled();
  for (let i = 0; i < 5; i++) queue.add("a");
  queue.add("b");
  assert.deepEqual(worked, ["a"]);
  gate.resolve();
  await settled();
  assert.deepEqual(worked, ["a", "b", "a"]);
});

test("a queue never works on one key twice at a time, and on no more keys than it has workers", async () => {
  const now = new Map<string, number>();
  let most = 0;
  const { queue } = setUp(async (key) => {
    now.set(key, (now.get(key) ?? 0) + 1);
    assert.equal(now.get(key), 1);
    most = Math.max(most, [...now.values()].filter((count) => count > 0).length);
    await settled();
    now.set(key, 0);
    return undefined;
  }, 3);
  queue.start();
  for (let round = 0; round < 4; round++) {
    for (const key of "abcdef") queue.add(key);
    await settled();
  }
  for (let i = 0; i < 20; i++) await settled();
  assert.equal(most, 3);
  assert.equal(queue.length, 0);
});

test("a queue retries what failed after 5 ms, doubled each time, and from the start after a success", async () => {
  const at: number[] = [];
  let bad = 4;
  const { clock, queue, failures } = setUp(async () => {
    at.push(clock.now());
    if (bad-- > 0) throw new Error("no");
    return undefined;
  });
  queue.start();
  const began = clock.now();
  queue.add("a");
  for (let i = 0; i < 100; i++) {
    await settled();
    clock.advance(1);
  }
  assert.deepEqual(
    at.map((time) => time - began),
    [0, 5, 15, 35, 75],
  );
  assert.equal(failures.at(-1), "a 4 no");
  bad = 1;
  queue.add("a");
  await settled();
  clock.advance(5);
  await settled();
  assert.equal(failures.at(-1), "a 1 no");
});

test("a queue takes the earlier of two times, and an add before them replaces both", async () => {
  let worked = 0;
  const { clock, queue } = setUp(async () => {
    worked++;
    return undefined;
  });
  queue.start();
  queue.addAfter("a", 1000);
  queue.addAfter("a", 100);
  clock.advance(100);
  await settled();
  assert.equal(worked, 1);
  assert.equal(clock.pending, 0);
  queue.addAfter("a", 1000);
  queue.add("a");
  await settled();
  assert.equal(worked, 2);
  assert.equal(clock.pending, 0);
});

test("a queue works on a key again after the time its work asked for", async () => {
  let worked = 0;
  const { clock, queue } = setUp(async () => (++worked === 1 ? { after: 50 } : undefined));
  queue.start();
  queue.add("a");
  await settled();
  clock.advance(49);
  await settled();
  assert.equal(worked, 1);
  clock.advance(1);
  await settled();
  assert.equal(worked, 2);
});

test("a queue that is closed leaves no timer and waits for what is under way", async () => {
  const gate = Promise.withResolvers<void>();
  let done = false;
  const { clock, queue } = setUp(async () => {
    await gate.promise;
    done = true;
    return { after: 10 };
  });
  queue.start();
  queue.add("a");
  queue.addAfter("b", 10);
  await settled();
  const closed = queue.close();
  assert.equal(clock.pending, 0);
  gate.resolve();
  await closed;
  assert.equal(done, true);
  assert.equal(clock.pending, 0);
  queue.add("c");
  assert.equal(queue.length, 0);
});
