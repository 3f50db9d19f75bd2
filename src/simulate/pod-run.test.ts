import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../api/schema/core.v1.generated.ts";
import { seededRandom } from "../base/random.ts";
import { PodRun } from "./pod-run.ts";
import { podStatus } from "./pod-status.ts";
import { behaviourOf, compileStages, type Stage } from "./stage.ts";

const START = Date.parse("2030-01-01T00:00:00Z");
const PLACE = { hostIP: "172.16.0.1", podIPs: ["10.244.0.2"] };

function pod(spec: Partial<Pod["spec"]> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default", uid: "u-1", ...metadata },
    spec: { containers: [{ name: "web", image: "web:1" }], ...spec },
  };
}

/** Runs a pod on its own clock; `at` looks at it so many seconds after its start. */
function simulated(of: Pod, ...stages: Stage[]) {
  const random = seededRandom(1);
  const run = new PodRun(of, behaviourOf(of, compileStages(stages)), random, START);
  let now = START;
  let next = run.advance(now);
  const at = (seconds: number) => {
    const until = START + seconds * 1000;
    for (; next <= until; next = run.advance(now)) now = next;
    now = until;
    return podStatus(of, run, PLACE, now);
  };
  return { run, at, stop: (inTime: boolean) => run.stop(inTime, now) };
}

function said(status: ReturnType<typeof podStatus>): string {
  const conditions = (status.conditions ?? []).map(
    ({ type, status, reason = "" }) => `${type}=${status} ${reason}`,
  );
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(
    ({ name, state, ready, restartCount }) => {
      const { waiting, terminated } = state ?? {};
      const is = waiting?.reason ?? (terminated ? `exited ${terminated.exitCode}` : "running");
      return `${name} ${is}${ready ? " ready" : ""} ${restartCount}`;
    },
  );
  return [status.phase, ...conditions.map((text) => text.trim()), ...containers].join(", ");
}

test("a pod runs and is ready at once by default", () => {
  const status = simulated(pod()).at(0);
  assert.equal(
    said(status),
    "Running, PodReadyToStartContainers=True, Initialized=True, Ready=True, ContainersReady=True, PodScheduled=True, " +
      "web running ready 0",
  );
  assert.deepEqual(status.podIPs, [{ ip: "10.244.0.2" }]);
  assert.equal(status.startTime, "2030-01-01T00:00:00Z");
  assert.deepEqual(status.containerStatuses?.[0]?.state, { running: { startedAt: "2030-01-01T00:00:00Z" } });
});

test("a pod waits for its images, then its init containers one by one, then to be ready", () => {
  const initContainers = [
    { name: "first", image: "i" },
    { name: "beside", image: "i", restartPolicy: "Always" },
    { name: "last", image: "i" },
  ];
  const { at } = simulated(pod({ initContainers }), { start: 2000, initialize: 3000, ready: 1000 });
  const unready = "ContainersReady=False ContainersNotReady, PodScheduled=True";
  assert.equal(
    said(at(1)),
    "Pending, PodReadyToStartContainers=False, Initialized=False ContainersNotInitialized, " +
      `Ready=False ContainersNotReady, ${unready}, ` +
      "first PodInitializing 0, beside PodInitializing 0, last PodInitializing 0, web PodInitializing 0",
  );
  assert.equal(at(1).podIP, undefined);
  assert.match(said(at(3)), /first running 0, beside PodInitializing 0, last PodInitializing 0/);
  assert.match(
    said(at(5)),
    /first exited 0 ready 0, beside running 0, last running 0, web PodInitializing 0/,
  );
  assert.match(
    said(at(8)),
    /^Running, .*Ready=False ContainersNotReady.* last exited 0 ready 0, web running 0$/,
  );
  assert.match(
    said(at(9)),
    /Ready=True, ContainersReady=True.* beside running ready 0, .* web running ready 0$/,
  );
});

test("a pod whose image cannot be pulled says so and never starts", () => {
  const status = simulated(pod({ containers: [{ name: "web", image: "missing:2" }] }), {
    match: { image: "missing:*" },
    start: "never",
  }).at(86_400);
  assert.equal(status.phase, "Pending");
  assert.deepEqual(status.containerStatuses?.[0]?.state?.waiting, {
    reason: "ImagePullBackOff",
    message: 'Back-off pulling image "missing:2"',
  });
});

test("a container that fails is started again after waits that double, from 10 s to 5 minutes", () => {
  const { at } = simulated(pod(), { exit: { after: 1000, code: 137 } });
  // Ends at 1 s; again at once, ends at 2 s; 10 s later, ends at 13 s; 20 s later, ends at 34 s.
  assert.match(said(at(1)), /web running ready 1$/);
  assert.match(said(at(2)), /Ready=False.* web CrashLoopBackOff 1$/);
  assert.match(said(at(12)), /Ready=True.* web running ready 2$/);
  assert.match(said(at(13)), /web CrashLoopBackOff 2$/);
  assert.match(said(at(33)), /web running ready 3$/);
  const status = at(34).containerStatuses?.[0];
  assert.equal(
    status?.state?.waiting?.message,
    "back-off 40s restarting failed container=web pod=web_default(u-1)",
  );
  assert.equal(status?.lastState?.terminated?.exitCode, 137);
  assert.equal(status?.lastState?.terminated?.finishedAt, "2030-01-01T00:00:34Z");
});

test("a pod that restarts on failure is done with its first success, and one that never does with any end", () => {
  const done = simulated(pod({ restartPolicy: "OnFailure" }), { exit: { after: 5000 } }).at(5);
  assert.match(
    said(done),
    /^Succeeded, .*Initialized=True PodCompleted, Ready=False PodCompleted.* web exited 0 0$/,
  );
  const failed = simulated(pod({ restartPolicy: "Never" }), { exit: { after: 5000, code: 3 } }).at(5);
  assert.match(
    said(failed),
    /^Failed, .*Ready=False PodFailed, ContainersReady=False PodFailed.* web exited 3 0$/,
  );
});

test("pods of Jobs are done after a second, and their annotations count before the stages", () => {
  const ownerReferences = [{ apiVersion: "batch/v1", kind: "Job", name: "j", uid: "u-2", controller: true }];
  const never = { restartPolicy: "Never" };
  assert.equal(simulated(pod(never, { ownerReferences })).at(0.9).phase, "Running");
  assert.equal(simulated(pod(never, { ownerReferences })).at(1).phase, "Succeeded");
  const annotations = { "simulate.kybern.dev/exit-code": "7", "simulate.kybern.dev/exit-after": "1m30s" };
  const own = simulated(pod(never, { ownerReferences, annotations }), { exit: { after: 10, code: 1 } });
  assert.equal(own.at(89).phase, "Running");
  assert.equal(own.at(90).containerStatuses?.[0]?.state?.terminated?.exitCode, 7);
});

test("a failure rate fails that part of the pods", () => {
  const random = seededRandom(3);
  const stages = compileStages([{ exit: { after: 1, failureRate: 0.3, failureCode: 9 } }]);
  let failed = 0;
  for (let i = 0; i < 1000; i++) {
    const one = pod({ restartPolicy: "Never" });
    const run = new PodRun(one, behaviourOf(one, stages), random, START);
    run.advance(START);
    run.advance(START + 10);
    if (run.phase === "Failed") failed++;
  }
  assert.ok(failed > 250 && failed < 350, `${failed} of 1000 failed`);
});

test("probes that fail make a pod unready for a while, again and again", () => {
  const { at } = simulated(pod(), { unready: { every: 10_000, for: 3000 } });
  const ready = [0, 9, 10, 12, 13, 22, 23, 26].map((seconds) => at(seconds).containerStatuses?.[0]?.ready);
  assert.deepEqual(ready, [true, true, false, false, true, true, false, true]);
});

test("a pod fails at its deadline, and a stopped one ends by how its containers took it", () => {
  const late = simulated(pod({ activeDeadlineSeconds: 30 })).at(30);
  assert.equal(late.phase, "Failed");
  assert.equal(late.reason, "DeadlineExceeded");
  const good = simulated(pod());
  good.at(5);
  good.stop(true);
  assert.match(said(good.at(5)), /^Succeeded, PodReadyToStartContainers=False.* web exited 0 0$/);
  const killed = simulated(pod());
  killed.at(5);
  killed.stop(false);
  assert.match(said(killed.at(5)), /^Failed, .* web exited 137 0$/);
});

test("a pod is not ready before the conditions that its readiness gates name are True", () => {
  const gated = pod({ readinessGates: [{ conditionType: "example.com/in-rotation" }] });
  const closed = simulated(gated).at(0);
  const ready = closed.conditions?.find(({ type }) => type === "Ready");
  assert.equal(ready?.reason, "ReadinessGatesNotReady");
  assert.equal(
    ready?.message,
    'corresponding condition of pod readiness gate "example.com/in-rotation" does not exist.',
  );
  gated.status = { conditions: [{ type: "example.com/in-rotation", status: "True" }] };
  assert.match(
    said(simulated(gated).at(0)),
    / Ready=True, ContainersReady=True, example.com\/in-rotation=True/,
  );
});

test("a pod goes on from its status when another simulation takes it over", () => {
  const first = simulated(pod({ restartPolicy: "OnFailure" }), { exit: { after: 60_000, code: 1 } });
  const status = first.at(130);
  assert.match(said(status), /web CrashLoopBackOff 1|web running ready 2/);
  const taken = { ...pod({ restartPolicy: "OnFailure" }), status };
  const random = seededRandom(9);
  const run = new PodRun(taken, behaviourOf(taken, compileStages([])), random, START + 130_000);
  run.advance(START + 130_000);
  const again = podStatus(taken, run, PLACE, START + 130_000);
  assert.equal(again.containerStatuses?.[0]?.restartCount, status.containerStatuses?.[0]?.restartCount);
  assert.equal(again.phase, "Running");
  assert.equal(again.startTime, "2030-01-01T00:00:00Z");
});
