import assert from "node:assert/strict";
import test from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { keepTrying } from "./keep-trying.ts";

/** Lets what is promised come about. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("keepTrying tries what failed again, each time later, and stops what began", async () => {
  const clock = new VirtualClock();
  const failures: string[] = [];
  let tries = 0;
  let stopped = 0;
  const trying = keepTrying(
    async () => {
      if (++tries < 3) throw new Error(`try ${tries}`);
      return { stop: async () => void stopped++ };
    },
    clock,
    (error) => failures.push(error.message),
  );
  await turn();
  assert.equal(trying.current, undefined);
  clock.advance(1000);
  await turn();
  clock.advance(1999);
  await turn();
  assert.equal(tries, 2);
  clock.advance(1);
  await turn();
  assert.deepEqual(failures, ["try 1", "try 2"]);
  assert.ok(trying.current);
  await trying.stop();
  assert.equal(stopped, 1);
});

test("keepTrying is stopped while it waits", async () => {
  const clock = new VirtualClock();
  const trying = keepTrying(
    () => Promise.reject(new Error("no")),
    clock,
    () => {},
  );
  await turn();
  await trying.stop();
  assert.equal(clock.pending, 0);
});
