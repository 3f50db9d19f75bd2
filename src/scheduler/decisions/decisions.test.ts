import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { NodeInfo } from "../framework/node-info.ts";
import { PodInfo } from "../framework/pod-info.ts";
import { type Rejection, reject } from "../framework/rejection.ts";
import { makeNode, makePod } from "../testing/make.ts";
import type { Attempt } from "./attempt.ts";
import { Decisions } from "./decisions.ts";

const NODES = Array.from({ length: 20 }, (_, i) => new NodeInfo(makeNode(`node-${i}`)));

function attempt(name: string, at: number, rejected?: Map<NodeInfo, Rejection>): Attempt {
  return {
    info: new PodInfo(makePod(name)),
    profile: "default-scheduler",
    at,
    number: 1,
    result: rejected ? "unschedulable" : "scheduled",
    message: "",
    nodes: NODES.length,
    asked: NODES.length,
    fitting: 0,
    rejected,
  };
}

function allRejected(): Map<NodeInfo, Rejection> {
  const cpu = reject("NodeResourcesFit", "unschedulable", "Insufficient cpu");
  const cordon = reject("NodeUnschedulable", "unresolvable", "node(s) were unschedulable");
  return new Map(NODES.map((node, i) => [node, i < 5 ? cordon : cpu]));
}

test("decisions keep the last attempt of a pod, its nodes together by why they were rejected", () => {
  const clock = new VirtualClock(0);
  const decisions = new Decisions(clock);
  decisions.attempted(attempt("web", 0));
  decisions.attempted(attempt("web", 1, allRejected()));
  const { rejected, result } = decisions.get("default", "web")!;
  assert.equal(result, "unschedulable");
  assert.deepEqual(
    rejected.map(({ rejection, count, nodes }) => [rejection.plugin, count, nodes.length]),
    [
      ["NodeResourcesFit", 15, 15],
      ["NodeUnschedulable", 5, 5],
    ],
  );
  assert.equal(decisions.size, 1);
});

test("decisions bring rejections together by what they say where a plugin makes one for every node", () => {
  const decisions = new Decisions(new VirtualClock(0));
  const nodes = Array.from({ length: 100 }, (_, i) => new NodeInfo(makeNode(`node-${i}`)));
  const each = new Map(nodes.map((node) => [node, reject("Fit", "unschedulable", "Insufficient cpu")]));
  decisions.attempted(attempt("web", 0, each));
  const { rejected } = decisions.get("default", "web")!;
  assert.equal(rejected.length, 65);
  assert.equal(rejected[0]?.count, 36);
});

test("decisions forget the least recent pods beyond their number and their age", () => {
  const clock = new VirtualClock(0);
  const decisions = new Decisions(clock, { pods: 2, nodes: 100, age: 1000 });
  for (const name of ["a", "b", "c"]) decisions.attempted(attempt(name, clock.now()));
  assert.equal(decisions.get("default", "a"), undefined);
  assert.ok(decisions.get("default", "b"));
  clock.advance(1001);
  assert.equal(decisions.get("default", "c"), undefined);
  decisions.attempted(attempt("d", clock.now()));
  assert.equal(decisions.size, 1);
});

test("decisions keep counts and a few names of older attempts when the names of nodes fill the room", () => {
  const decisions = new Decisions(new VirtualClock(0), { pods: 10, nodes: 30, age: 1000 });
  decisions.attempted(attempt("a", 0, allRejected()));
  decisions.attempted(attempt("b", 0, allRejected()));
  const sizes = (name: string): number[][] =>
    decisions.get("default", name)!.rejected.map(({ count, nodes }) => [count, nodes.length]);
  assert.deepEqual(sizes("a"), [
    [15, 10],
    [5, 5],
  ]);
  assert.deepEqual(sizes("b"), [
    [15, 15],
    [5, 5],
  ]);
});
