import assert from "node:assert/strict";
import { test } from "node:test";
import { steadyTime, systemClock, VirtualClock } from "./clock.ts";
import { seededRandom } from "./random.ts";

test("VirtualClock fires timers in the order of their times, each at its own time", () => {
  const clock = new VirtualClock(1000);
  const fired: string[] = [];
  clock.setTimer(20, () => fired.push(`b${clock.now()}`));
  clock.setTimer(10, () => {
    fired.push(`a${clock.now()}`);
    clock.setTimer(5, () => fired.push(`nested${clock.now()}`));
  });
  clock.setTimer(20, () => fired.push(`c${clock.now()}`));
  clock.advance(20);
  assert.deepEqual(fired, ["a1010", "nested1015", "b1020", "c1020"]);
  assert.equal(clock.now(), 1020);
  assert.equal(clock.pending, 0);
});

test("VirtualClock does not fire a cancelled timer", () => {
  const clock = new VirtualClock();
  let fired = false;
  const cancel = clock.setTimer(1, () => (fired = true));
  cancel();
  cancel();
  clock.advance(10);
  assert.equal(fired, false);
});

test("VirtualClock that is set to another time keeps its timers and what elapsed", () => {
  const clock = new VirtualClock(1000);
  let fired = 0;
  clock.setTimer(10, () => fired++);
  clock.advance(4);
  clock.jump(-500);
  assert.deepEqual([clock.now(), clock.elapsed(), clock.next], [504, 4, 510]);
  clock.jump(100_000);
  clock.advance(5);
  assert.deepEqual([fired, clock.elapsed()], [0, 9]);
  clock.advance(1);
  assert.deepEqual([fired, clock.now()], [1, 100_510]);
});

test("steadyTime goes on as if nobody had set the clock", () => {
  const clock = new VirtualClock(1000);
  clock.advance(5);
  const time = steadyTime(clock);
  clock.jump(-24 * 60 * 60_000);
  clock.advance(10);
  assert.equal(time(), 1015);
});

test("systemClock fires a timer and can cancel a very long one", async () => {
  const cancel = systemClock.setTimer(1e12, () => assert.fail("fired at once"));
  // Its timers do not hold the process open, so this one does.
  const held = setInterval(() => {}, 1000);
  await new Promise<void>((resolve) => systemClock.setTimer(0, resolve));
  clearInterval(held);
  cancel();
  assert.ok(systemClock.now() > 1e12);
});

test("systemClock fires no timer too early, not by a part of a millisecond either", async () => {
  const early: number[] = [];
  for (let i = 0; i < 40; i++) {
    const ms = 1 + i / 40;
    const began = systemClock.elapsed();
    await new Promise<void>((resolve) => {
      const hold = setTimeout(() => {}, 10_000);
      systemClock.setTimer(ms, () => {
        clearTimeout(hold);
        resolve();
      });
    });
    const took = systemClock.elapsed() - began;
    if (took < ms) early.push(took - ms);
  }
  assert.deepEqual(early, []);
});

test("VirtualClock keeps the order of many timers, of which many are cancelled, and tells the next", () => {
  const random = seededRandom(7);
  const clock = new VirtualClock(0);
  const expected: { at: number; order: number }[] = [];
  const fired: { at: number; order: number }[] = [];
  for (let order = 0; order < 2000; order++) {
    const at = Math.floor(random() * 300);
    const cancel = clock.setTimer(at, () => fired.push({ at: clock.now(), order }));
    if (random() < 0.7) cancel();
    else expected.push({ at, order });
  }
  expected.sort((a, b) => a.at - b.at || a.order - b.order);
  assert.equal(clock.pending, expected.length);
  assert.equal(clock.next, expected[0]!.at);
  clock.advance(300);
  assert.deepEqual(fired, expected);
  assert.equal(clock.pending, 0);
  assert.equal(clock.next, undefined);
});

test("VirtualClock comes to its next timer by the time that it tells is left", () => {
  const random = seededRandom(7);
  for (let i = 0; i < 1000; i++) {
    const clock = new VirtualClock();
    clock.advance(random() * 1e7);
    let fired = false;
    clock.setTimer(random() * 1000, () => {
      fired = true;
    });
    clock.advance(clock.next! - clock.now());
    assert.ok(fired);
  }
});
