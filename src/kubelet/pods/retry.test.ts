import assert from "node:assert/strict";
import test from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { Retry } from "./retry.ts";

test("Retry waits a second, then twice as long each time, up to ten seconds, until it succeeds", () => {
  const clock = new VirtualClock();
  const retry = new Retry(clock);
  assert.deepEqual([retry.waits, retry.left], [false, undefined]);
  for (const ms of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    retry.later();
    assert.deepEqual([retry.waits, retry.left], [true, ms]);
  }
  retry.succeeded();
  retry.later();
  assert.equal(retry.left, 1000);
  retry.now();
  assert.deepEqual([retry.waits, retry.left], [false, undefined]);
});

test("Retry that a look found waiting still waits when its time has come, until the next look", () => {
  const clock = new VirtualClock();
  const retry = new Retry(clock);
  retry.later();
  clock.advance(999.5);
  retry.look();
  clock.advance(0.7);
  assert.deepEqual([retry.waits, retry.left], [true, 0]);
  retry.look();
  assert.deepEqual([retry.waits, retry.left], [false, undefined]);
});

test("Retry is not moved by who sets the machine's clock", () => {
  const clock = new VirtualClock();
  const retry = new Retry(clock);
  retry.later();
  clock.jump(-86_400_000);
  clock.advance(1000);
  retry.look();
  assert.equal(retry.waits, false);
});
