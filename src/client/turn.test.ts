import assert from "node:assert/strict";
import { test } from "node:test";
import { takeTurn } from "./turn.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("takeTurn lets the event loop turn between portions of work, and keeps their order", async () => {
  await turn();
  await turn();
  const done: number[] = [];
  let turns = 0;
  let counting = true;
  const count = (): void => {
    turns++;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const work = async (i: number): Promise<void> => {
    const wait = takeTurn(4);
    if (wait) await wait;
    done.push(i);
  };
  const all = Array.from({ length: 100 }, (_, i) => work(i));
  assert.equal(done.length, 10);
  await Promise.all(all);
  counting = false;
  assert.deepEqual(
    done,
    all.map((_, i) => i),
  );
  assert.ok(turns >= 9, `${turns} turns`);
});
