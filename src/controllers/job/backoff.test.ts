import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/core/pods.ts";
import { backoffAfter, remainingBackoff } from "./backoff.ts";

function ended(second: number): Pod {
  const finishedAt = new Date(second * 1000).toISOString();
  const container = { name: "a", image: "", imageID: "", ready: false, restartCount: 0 };
  const state = { terminated: { exitCode: 1, finishedAt } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {},
    status: { containerStatuses: [{ ...container, state }] },
  };
}

test("backoff doubles with each failure and is at most ten minutes", () => {
  const waits = [0, 1, 2, 3, 6, 7, 8, 2000].map(
    (failures) => remainingBackoff({ failures, last: 0 }, 0) / 1000,
  );
  assert.deepEqual(waits, [0, 10, 20, 40, 320, 600, 600, 600]);
  assert.equal(remainingBackoff({ failures: 1, last: 5000 }, 9000), 6000);
});

test("backoff counts the failures since the last success", () => {
  const first = backoffAfter(undefined, [], [ended(3), ended(2)]);
  assert.deepEqual(first, { failures: 2, last: 3000 });
  assert.deepEqual(backoffAfter(first, [], [ended(9)]), { failures: 3, last: 9000 });
  assert.deepEqual(backoffAfter(first, [ended(10)], [ended(9), ended(11)]), { failures: 1, last: 11_000 });
  assert.deepEqual(backoffAfter(first, [ended(10)], []), { failures: 0, last: 0 });
});
