import assert from "node:assert/strict";
import test from "node:test";
import { VirtualClock } from "../base/clock.ts";
import { followParent } from "./background-program.ts";

test("followParent tells when another process has taken this one as its child", async () => {
  const clock = new VirtualClock();
  let parent = 4711;
  let isGone = false;
  const watch = followParent(() => parent, clock);
  void watch.gone.then(() => {
    isGone = true;
  });
  for (let look = 0; look < 3; look++) {
    clock.advance(10_000);
    await Promise.resolve();
  }
  assert.equal(isGone, false);
  parent = 1;
  clock.advance(10_000);
  await Promise.resolve();
  assert.equal(isGone, true);
  assert.equal(clock.pending, 0);
});

test("followParent that is closed looks no more", () => {
  const clock = new VirtualClock();
  followParent(() => 1, clock).close();
  assert.equal(clock.pending, 0);
});
