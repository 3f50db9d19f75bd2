import assert from "node:assert/strict";
import test from "node:test";
import type { Probe } from "../../api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../base/clock.ts";
import { ContainerProbe, type ProbeType } from "./container-probe.ts";
import type { ProbeAnswer } from "./run-probe.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(type: ProbeType, probe: Probe) {
  const clock = new VirtualClock(0);
  const asked: [number, string][] = [];
  let result: ProbeAnswer["result"] = "success";
  let changes = 0;
  const container = new ContainerProbe({
    type,
    container: { name: "main" },
    probe,
    clock,
    random: () => 0.5,
    async ask(_, id) {
      asked.push([clock.now() / 1000, id]);
      return { result, output: "" };
    },
    answered: () => {},
    changed: () => changes++,
  });
  return {
    clock,
    asked,
    container,
    answer: (next: ProbeAnswer["result"]) => {
      result = next;
    },
    changes: () => changes,
    /** Second by second, so that each answer is there before the next timer. */
    async pass(seconds: number) {
      for (let i = 0; i < seconds; i++) {
        clock.advance(1000);
        await settle();
      }
    },
  };
}

test("ContainerProbe asks after the initial delay, then each period", async () => {
  const { asked, container, pass } = setUp("readiness", { initialDelaySeconds: 3, periodSeconds: 2 });
  container.update({ id: "a", startedAt: 0 }, true);
  await pass(8);
  assert.deepEqual(asked, [
    [3, "a"],
    [5, "a"],
    [7, "a"],
  ]);
});

test("ContainerProbe counts as many of the same in a row as its thresholds say", async () => {
  const { container, pass, answer, changes } = setUp("readiness", {
    periodSeconds: 1,
    successThreshold: 2,
    failureThreshold: 3,
  });
  container.update({ id: "a", startedAt: 0 }, true);
  await pass(1);
  assert.equal(container.resultOf("a"), undefined);
  await pass(1);
  assert.equal(container.resultOf("a"), true);
  answer("failure");
  await pass(2);
  answer("success");
  await pass(1);
  answer("failure");
  await pass(2);
  assert.equal(container.resultOf("a"), true);
  answer("unknown");
  await pass(2);
  answer("failure");
  await pass(1);
  assert.equal(container.resultOf("a"), false);
  assert.equal(changes(), 2);
});

test("ContainerProbe asks no more once a container has started", async () => {
  const { asked, container, clock, pass } = setUp("startup", { periodSeconds: 1 });
  container.update({ id: "a", startedAt: 0 }, true);
  await pass(5);
  assert.deepEqual([asked.length, container.resultOf("a"), clock.pending], [1, true, 0]);
});

test("ContainerProbe waits for the next container when liveness failed, and begins anew with it", async () => {
  const { asked, container, pass, answer } = setUp("liveness", { periodSeconds: 1, failureThreshold: 1 });
  container.update({ id: "a", startedAt: 0 }, true);
  answer("failure");
  await pass(3);
  assert.deepEqual([asked.length, container.resultOf("a")], [1, false]);
  answer("success");
  container.update({ id: "b", startedAt: 3000 }, true);
  assert.equal(container.resultOf("b"), undefined);
  await pass(2);
  assert.equal(container.resultOf("b"), true);
  assert.equal(container.resultOf("a"), undefined);
});

test("ContainerProbe asks only while it may, and while a container runs", async () => {
  const { asked, container, clock, pass } = setUp("readiness", { periodSeconds: 1 });
  container.update({ id: "a", startedAt: 0 }, false);
  await pass(3);
  assert.deepEqual([asked.length, clock.pending], [0, 0]);
  container.update({ id: "a", startedAt: 0 }, true);
  await pass(1);
  assert.equal(asked.length, 1);
  container.update(undefined, true);
  await pass(3);
  assert.deepEqual([asked.length, clock.pending], [1, 0]);
});

test("ContainerProbe believes what a former kubelet found, and asks at a time of its own", async () => {
  const { asked, container, pass } = setUp("readiness", { periodSeconds: 10 });
  container.update({ id: "a", startedAt: -60_000, before: true }, true);
  assert.equal(container.resultOf("a"), true);
  await pass(6);
  assert.deepEqual(asked, [[5, "a"]]);
});
