import assert from "node:assert/strict";
import { test } from "node:test";
import { inBackground, requestFromOutside, waitingInBackground } from "./background.ts";
import { takeTurn } from "./turn.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** So many pieces of work, none of which ends before it is told to. */
function work(count: number) {
  const begun: number[] = [];
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const all = Array.from({ length: count }, (_, i) =>
    inBackground(() => {
      begun.push(i);
      return end;
    }),
  );
  const finish = (): Promise<unknown> => {
    resolve();
    return Promise.all(all);
  };
  return { begun, finish };
}

test("inBackground begins in the order of calls, many at once, and the rest as those end", async () => {
  const { begun, finish } = work(100);
  assert.equal(begun.length, 0);
  await turn();
  await turn();
  assert.equal(begun.length, 32);
  assert.equal(waitingInBackground(), 68);
  await finish();
  assert.deepEqual(
    begun,
    Array.from({ length: 100 }, (_, i) => i),
  );
});

test("inBackground hands on what its work resolves or rejects with", async () => {
  assert.equal(await inBackground(async () => 1), 1);
  await assert.rejects(
    inBackground(async () => {
      throw new Error("no");
    }),
    { message: "no" },
  );
});

test("inBackground lets those go first who wait for a turn", async () => {
  await turn();
  const order: string[] = [];
  const turns = Array.from({ length: 30 }, async () => {
    const wait = takeTurn(4);
    if (wait) await wait;
    order.push("turn");
  });
  await Promise.all([inBackground(async () => order.push("background")), ...turns]);
  assert.equal(order.indexOf("background"), 30);
});

test("inBackground goes slowly while many requests come from outside", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (let i = 0; i < 100; i++) requestFromOutside();
  const { begun, finish } = work(40);
  await turn();
  assert.equal(begun.length, 16);
  await turn();
  assert.equal(begun.length, 16);
  t.mock.timers.tick(50);
  await turn();
  assert.equal(begun.length, 32);
  await finish();
});
