import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../base/clock.ts";
import type { OwnedTable } from "../host/nftables/owned-table.ts";
import { TableSync } from "./table-sync.ts";

function watched() {
  const clock = new VirtualClock();
  const times: number[] = [];
  const problems: string[] = [];
  const table = { fails: 0, ours: true, distrusted: 0 };
  const began = clock.now();
  const owned: OwnedTable = {
    claim: () => {},
    async sync() {
      if (table.fails-- > 0) throw new Error("refused");
      times.push(clock.now() - began);
      return false;
    },
    isOurs: async () => table.ours,
    distrust: () => {
      table.distrusted++;
      table.ours = true;
    },
    remove: async () => {},
  };
  const sync = new TableSync({
    table: owned,
    clock,
    random: () => 0,
    minPeriod: 100,
    checkPeriod: 30_000,
    plan: async () => {},
    done: async () => {},
    failed: (_error, attempt) => problems.push(`failed ${attempt}`),
    lost: () => problems.push("lost"),
  });
  const pass = async (ms: number): Promise<void> => {
    const until = clock.now() + ms;
    while (clock.next !== undefined && clock.next <= until) {
      clock.advance(clock.next - clock.now());
      await new Promise((resolve) => setImmediate(resolve));
    }
    clock.advance(until - clock.now());
  };
  return { sync, times, problems, table, pass };
}

test("a change goes to the kernel at once, and a storm of them in few transactions", async () => {
  const { sync, times, pass } = watched();
  sync.wake();
  await pass(0);
  assert.deepEqual(times, [0]);
  for (let i = 0; i < 30; i++) {
    sync.wake();
    sync.wake();
    await pass(10);
  }
  assert.deepEqual(times, [0, 0, 100, 200, 300], "one more at once, and then each period");
  await pass(1000);
  assert.equal(times.length, 5, "nothing more was asked for");
  await pass(1000);
  sync.wake();
  await pass(0);
  assert.equal(times.at(-1), 2300, "at once again");
});

test("what was asked for is settled when the kernel has it", async () => {
  const { sync, pass } = watched();
  await sync.settled();
  sync.wake();
  let settled = false;
  const waiting = sync.settled().then(() => {
    settled = true;
  });
  assert.equal(settled, false);
  await pass(0);
  await waiting;
  assert.equal(settled, true);
});

test("what fails is tried again, ever later, and new changes do not hurry it", async () => {
  const { sync, times, problems, table, pass } = watched();
  table.fails = 3;
  sync.wake();
  await pass(0);
  sync.wake();
  await pass(199);
  assert.deepEqual([times, problems], [[], ["failed 1"]]);
  await pass(1);
  await pass(400);
  await pass(799);
  assert.deepEqual([times, problems], [[], ["failed 1", "failed 2", "failed 3"]]);
  await pass(1);
  assert.deepEqual(times, [1400]);
});

test("a table that is not ours any more is made anew after the period of quiet", async () => {
  const { sync, times, problems, table, pass } = watched();
  sync.wake();
  await pass(60_000);
  assert.deepEqual([times, problems], [[0], []]);
  table.ours = false;
  await pass(30_000);
  assert.deepEqual([times.length, problems, table.distrusted], [2, ["lost"], 1]);
  await sync.stop();
  table.ours = false;
  await pass(90_000);
  assert.equal(table.distrusted, 1, "stopped");
});
