import assert from "node:assert/strict";
import test from "node:test";
import { Looks } from "./looks.ts";

/** Looks that end when they are told to, and what came of them. */
function heldLooks() {
  const told: string[] = [];
  const held: PromiseWithResolvers<void>[] = [];
  const settled = Promise.withResolvers<void>();
  const looks = new Looks({
    look: () => {
      told.push("look");
      const one = Promise.withResolvers<void>();
      held.push(one);
      return one.promise;
    },
    failed: (error) => told.push(`failed: ${error}`),
    settled: () => {
      told.push("settled");
      settled.resolve();
    },
  });
  return { looks, told, held, settled: settled.promise };
}

test("Looks looks once more, however often it was woken meanwhile", async () => {
  const { looks, told, held, settled } = heldLooks();
  looks.wake();
  looks.wake();
  looks.wake();
  assert.deepEqual([told, looks.isLooking], [["look"], true]);
  held[0]?.resolve();
  await held[0]?.promise;
  await Promise.resolve();
  held[1]?.resolve();
  await settled;
  assert.deepEqual(told, ["look", "look", "settled"]);
});

test("Looks tells of a look that failed, and settles all the same", async () => {
  const { looks, told, held, settled } = heldLooks();
  looks.wake();
  held[0]?.reject("no");
  await settled;
  assert.deepEqual(told, ["look", "failed: no", "settled"]);
});

test("Looks waits for the look that is under way, and looks no more, when it ends", async () => {
  const { looks, told, held } = heldLooks();
  looks.wake();
  const ended = looks.end();
  looks.wake();
  held[0]?.resolve();
  await ended;
  assert.deepEqual([told, looks.isLooking], [["look"], false]);
});
