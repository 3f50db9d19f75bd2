import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../base/clock.ts";
import { startAutoCompaction } from "./auto-compaction.ts";

function fixture(options: { keepRevisions?: number; fail?: boolean }) {
  const clock = new VirtualClock();
  const compacted: number[] = [];
  const errors: unknown[] = [];
  const state = { revision: 0, fail: options.fail ?? false };
  const policy = startAutoCompaction({
    clock,
    keepMs: 500,
    ...(options.keepRevisions ? { keepRevisions: options.keepRevisions } : {}),
    failed: (error) => errors.push(error),
    store: {
      current: async () => state.revision,
      compact: async (upTo) => {
        if (state.fail) throw new Error("full");
        compacted.push(upTo);
      },
    },
  });
  /** Writes `count` revisions, then lets a turn pass. */
  const turn = async (count: number): Promise<void> => {
    state.revision += count;
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { policy, compacted, errors, state, turn, clock };
}

test("startAutoCompaction forgets what is older than it keeps", async () => {
  const { compacted, turn, policy } = fixture({});
  for (let i = 0; i < 8; i++) await turn(10);
  assert.deepEqual(compacted, [10, 20, 30]);
  policy.close();
});

test("startAutoCompaction keeps no more revisions than asked", async () => {
  const { compacted, turn, policy } = fixture({ keepRevisions: 25 });
  for (let i = 0; i < 4; i++) await turn(10);
  assert.deepEqual(compacted, [5, 15]);
  policy.close();
});

test("startAutoCompaction does nothing while nothing is written, and stops when closed", async () => {
  const { compacted, turn, policy, clock } = fixture({});
  for (let i = 0; i < 8; i++) await turn(i === 0 ? 10 : 0);
  assert.deepEqual(compacted, [10]);
  policy.close();
  assert.equal(clock.pending, 0);
});

test("startAutoCompaction tries again after a failure", async () => {
  const { compacted, errors, state, turn, policy } = fixture({ keepRevisions: 5, fail: true });
  await turn(10);
  assert.equal(errors.length, 1);
  state.fail = false;
  await turn(0);
  assert.deepEqual(compacted, [5]);
  policy.close();
});
