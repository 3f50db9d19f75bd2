import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { shutdownGroups, twoPeriods, wholeSeconds } from "./periods.ts";

function pod(name: string, priority?: number): Pod {
  const spec = { containers: [], ...(priority === undefined ? {} : { priority }) };
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
}

test("twoPeriods leaves critical pods the end of the time", () => {
  assert.deepEqual(twoPeriods(30_000, 10_000), [
    { priority: 0, shutdownGracePeriodSeconds: 20 },
    { priority: 2_000_000_000, shutdownGracePeriodSeconds: 10 },
  ]);
  assert.deepEqual(twoPeriods(0, 0), []);
  assert.equal(wholeSeconds(twoPeriods(30_000, 10_000)), 30);
});

test("shutdownGroups ends pods by the highest period that their priority reaches, low ones first", () => {
  const periods = [
    { priority: 2000, shutdownGracePeriodSeconds: 3 },
    { priority: 1000, shutdownGracePeriodSeconds: 2 },
    { priority: 0, shutdownGracePeriodSeconds: 1 },
    { priority: 500, shutdownGracePeriodSeconds: 9 },
  ];
  const pods = [pod("high", 5000), pod("edge", 1000), pod("middle", 1999), pod("none"), pod("below", -5)];
  const groups = shutdownGroups(periods, pods);
  assert.deepEqual(
    groups.map(({ seconds, pods: members }) => [seconds, members.map(({ metadata }) => metadata.name)]),
    [
      [1, ["none", "below"]],
      [2, ["edge", "middle"]],
      [3, ["high"]],
    ],
  );
  assert.deepEqual(shutdownGroups([], pods), []);
});
