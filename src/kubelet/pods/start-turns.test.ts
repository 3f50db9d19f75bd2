import assert from "node:assert/strict";
import test from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { type StartStep, StartTurns } from "./start-turns.ts";

interface Step {
  end(): Promise<void>;
}

function watched(atOnce: number) {
  const clock = new VirtualClock();
  const turns = new StartTurns(clock, atOnce);
  const begun: string[] = [];
  const begin = (name: string, step: StartStep): Step => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = turns.run(step, () => {
      begun.push(name);
      return promise;
    });
    return {
      async end() {
        resolve();
        await done;
      },
    };
  };
  return { clock, begun, begin };
}

test("turns let so many begin, and those that are further on before the others", async () => {
  const { begun, begin } = watched(2);
  const first = begin("a's sandbox", "sandbox");
  begin("b's sandbox", "sandbox");
  begin("c's sandbox", "sandbox");
  begin("d's container", "create");
  begin("e's start", "start");
  assert.deepEqual(begun, ["a's sandbox", "b's sandbox"]);
  await first.end();
  assert.deepEqual(begun.slice(2), ["e's start"]);
});

test("turns go on when a step fails", async () => {
  const { begun, begin } = watched(1);
  const clock = new VirtualClock();
  const turns = new StartTurns(clock, 1);
  const failed = turns.run("sandbox", () => Promise.reject(new Error("no network")));
  await assert.rejects(failed, /no network/);
  assert.equal(await turns.run("sandbox", async () => "runs"), "runs");
  await begin("a", "start").end();
  assert.deepEqual(begun, ["a"]);
});

test("turns do not wait for a step that takes long, nor count it twice when it ends", async () => {
  const { clock, begun, begin } = watched(1);
  const slow = begin("slow", "sandbox");
  begin("second", "sandbox");
  await clock.advance(1999);
  assert.deepEqual(begun, ["slow"]);
  await clock.advance(1);
  assert.deepEqual(begun, ["slow", "second"]);
  begin("third", "sandbox");
  await slow.end();
  assert.deepEqual(begun, ["slow", "second"]);
});
