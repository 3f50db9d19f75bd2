import assert from "node:assert/strict";
import test from "node:test";
import { PullRate } from "./pull-rate.ts";

test("PullRate lets a burst through, and then as many as come in a second", () => {
  let time = 0;
  const rate = new PullRate({ perSecond: 2, burst: 3, now: () => time });
  assert.deepEqual([rate.take(), rate.take(), rate.take(), rate.take()], [true, true, true, false]);
  time = 500;
  assert.deepEqual([rate.take(), rate.take()], [true, false]);
  time = 60_000;
  assert.deepEqual([rate.take(), rate.take(), rate.take(), rate.take()], [true, true, true, false]);
});

test("PullRate of 0 is no limit", () => {
  const rate = new PullRate({ perSecond: 0, burst: 1, now: () => 0 });
  assert.deepEqual([rate.take(), rate.take()], [true, true]);
});
