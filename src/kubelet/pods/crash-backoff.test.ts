import assert from "node:assert/strict";
import test from "node:test";
import { CrashBackoff } from "./crash-backoff.ts";
import { goDuration } from "./go-duration.ts";

test("CrashBackoff waits not at all at first, then twice as long each time up to five minutes", () => {
  const backoff = new CrashBackoff();
  const waits: number[] = [];
  let now = 0;
  for (let i = 0; i < 8; i++) {
    const finishedAt = now;
    now = backoff.waits("main", finishedAt, now)?.until ?? now;
    waits.push((now - finishedAt) / 1000);
    backoff.restarted("main", finishedAt, now);
    now += 1000;
  }
  assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
});

test("CrashBackoff forgives a container that ran for ten minutes", () => {
  const backoff = new CrashBackoff();
  backoff.restarted("main", 0, 0);
  backoff.restarted("main", 1000, 1000);
  assert.equal(backoff.waits("main", 500_000, 500_001)?.wait, 20_000);
  assert.equal(backoff.waits("main", 602_000, 602_001), undefined);
  backoff.restarted("main", 602_000, 602_001);
  assert.equal(backoff.waits("main", 603_000, 603_001)?.wait, 10_000);
});

test("CrashBackoff keeps containers apart", () => {
  const backoff = new CrashBackoff();
  backoff.restarted("main", 0, 0);
  assert.equal(backoff.waits("other", 0, 0), undefined);
});

for (const [ms, text] of [
  [10_000, "10s"],
  [80_000, "1m20s"],
  [300_000, "5m0s"],
  [3_600_000, "1h0m0s"],
] as const) {
  test(`goDuration writes ${text}`, () => assert.equal(goDuration(ms), text));
}
