import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod, PodSpec } from "../../api/schema/core.v1.generated.ts";
import { containerHash } from "./config/container-hash.ts";
import { CrashBackoff } from "./crash-backoff.ts";
import { backoffKey, type PodView, planPod } from "./pod-plan.ts";
import type { ContainerRecord, SandboxRecord } from "./runtime-state.ts";

const NOW = 1_000_000;
const image = "web:1";
const main: Container = { name: "main", image };
const init = (name: string): Container => ({ name, image });
const sidecar = (name: string): Container => ({ name, image, restartPolicy: "Always" });

const sandbox = (id = "s0", more: Partial<SandboxRecord> = {}): SandboxRecord => ({
  id,
  attempt: 0,
  ready: true,
  createdAt: 0,
  ips: ["10.0.0.1"],
  hostNetwork: false,
  ...more,
});

function record(
  name: string,
  state: ContainerRecord["state"],
  more: Partial<ContainerRecord> = {},
): ContainerRecord {
  return {
    id: `${name}-${more.restartCount ?? 0}`,
    name,
    sandboxID: "s0",
    state,
    createdAt: 0,
    startedAt: 1,
    finishedAt: NOW,
    exitCode: 0,
    reason: "",
    message: "",
    image,
    imageRef: "",
    logPath: "",
    mounts: [],
    resources: undefined,
    user: undefined,
    stopSignal: 0,
    hash: containerHash({ name, image }),
    restartCount: 0,
    terminationMessagePath: "",
    terminationMessagePolicy: "",
    ...more,
  };
}

const failed = (name: string, more: Partial<ContainerRecord> = {}) =>
  record(name, "exited", { exitCode: 1, ...more });

interface Seen extends Partial<Omit<PodView, "pod" | "runtime">> {
  spec?: Partial<PodSpec>;
  status?: Pod["status"];
  sandboxes?: SandboxRecord[];
  containers?: ContainerRecord[];
}

function plan({ spec = {}, status, sandboxes = [sandbox()], containers = [], ...rest }: Seen) {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns", uid: "u" },
    spec: { containers: [main], ...spec },
    ...(status ? { status } : {}),
  };
  const found = planPod({
    pod,
    runtime: { sandboxes, containers },
    now: NOW,
    stopping: new Set(),
    backoff: new CrashBackoff(),
    failedProbe: () => undefined,
    hasStarted: () => true,
    ...rest,
  });
  return {
    ...found,
    started: found.starts.map(({ container, restartCount }) => `${container.name}/${restartCount}`),
    killed: found.kills.map(({ record: { id }, message }) => `${id}: ${message}`),
  };
}

test("planPod begins with a sandbox, and all containers in it", () => {
  const found = plan({ sandboxes: [], spec: { containers: [main, init("second")] } });
  assert.deepEqual(found.newSandbox, { attempt: 0, stale: [] });
  assert.deepEqual(found.started, ["main/0", "second/0"]);
});

test("planPod does nothing for a pod that runs", () => {
  const found = plan({ containers: [record("main", "running")] });
  assert.deepEqual([found.newSandbox, found.started, found.killed, found.ended], [undefined, [], [], false]);
});

for (const [what, lost] of [
  ["is not ready", { ready: false }],
  ["has lost its address", { ips: [] }],
  ["is in the node's network, and the pod is not", { hostNetwork: true }],
] as const) {
  test(`planPod gives a pod a new sandbox where the old one ${what}, once nothing runs in it`, () => {
    const sandboxes = [sandbox("s0", { attempt: 4, ...lost })];
    const running = plan({ sandboxes, containers: [record("main", "running")] });
    assert.equal(running.newSandbox, undefined);
    assert.deepEqual(running.killed, ["main-0: Pod sandbox changed, it will be killed and re-created."]);
    assert.deepEqual(running.started, []);
    const stopping = plan({
      sandboxes,
      containers: [record("main", "running")],
      stopping: new Set(["main-0"]),
    });
    assert.deepEqual([stopping.newSandbox, stopping.killed, stopping.started], [undefined, [], []]);
    const stopped = plan({ sandboxes, containers: [failed("main")] });
    assert.deepEqual([stopped.newSandbox?.attempt, stopped.started], [5, ["main/1"]]);
  });
}

test("planPod makes one sandbox of two that are ready", () => {
  const found = plan({ sandboxes: [sandbox("s1", { attempt: 1 }), sandbox("s0")] });
  assert.deepEqual([found.newSandbox?.attempt, found.newSandbox?.stale.length], [2, 2]);
});

test("planPod runs init containers one after the other, then the containers", () => {
  const spec = { initContainers: [init("one"), init("two")] };
  assert.deepEqual(plan({ spec, sandboxes: [] }).started, ["one/0"]);
  assert.deepEqual(plan({ spec, containers: [record("one", "running")] }).started, []);
  const one = record("one", "exited");
  assert.deepEqual(plan({ spec, containers: [one] }).started, ["two/0"]);
  assert.deepEqual(plan({ spec, containers: [record("two", "exited"), one] }).started, ["main/0"]);
  assert.deepEqual(plan({ spec, containers: [record("main", "running")] }).started, []);
});

test("planPod runs init containers anew in a new sandbox", () => {
  const spec = { initContainers: [init("one")] };
  const sandboxes = [sandbox("s1", { attempt: 1 }), sandbox("s0", { ready: false })];
  const containers = [failed("main"), record("one", "exited")];
  assert.deepEqual(plan({ spec, sandboxes, containers }).started, ["one/1"]);
});

test("planPod restarts an init container that failed, but not in a pod that never restarts", () => {
  const spec = { initContainers: [init("one")] };
  assert.deepEqual(plan({ spec, containers: [failed("one")] }).started, ["one/1"]);
  const never = plan({ spec: { ...spec, restartPolicy: "Never" }, containers: [failed("one")] });
  assert.deepEqual([never.started, never.ended], [[], true]);
});

test("planPod waits until a sidecar has started, and restarts it at any time", () => {
  const spec = { initContainers: [sidecar("side"), init("one")] };
  assert.deepEqual(plan({ spec }).started, ["side/0"]);
  const side = record("side", "running");
  assert.deepEqual(plan({ spec, containers: [side], hasStarted: () => false }).started, []);
  assert.deepEqual(plan({ spec, containers: [side] }).started, ["one/0"]);
  const containers = [record("main", "running"), record("side", "exited")];
  assert.deepEqual(plan({ spec, containers }).started, ["side/1"]);
  const ended = plan({
    spec: { ...spec, restartPolicy: "Never" },
    containers: [record("main", "exited"), side],
  });
  assert.equal(ended.ended, true);
});

for (const [policy, exitCode, restarts] of [
  ["Always", 0, true],
  ["Always", 1, true],
  ["OnFailure", 0, false],
  ["OnFailure", 1, true],
  ["Never", 1, false],
] as const) {
  test(`planPod by ${policy} ${restarts ? "restarts" : "leaves"} what ended with ${exitCode}`, () => {
    const found = plan({
      spec: { restartPolicy: policy },
      containers: [record("main", "exited", { exitCode })],
    });
    assert.deepEqual([found.started, found.ended], [restarts ? ["main/1"] : [], !restarts]);
  });
}

test("planPod goes by a container's own rules before its pod's", () => {
  const rules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }];
  const ruled = { ...main, restartPolicy: "Never", restartPolicyRules: rules };
  const spec = { restartPolicy: "Always", containers: [ruled] };
  assert.deepEqual(plan({ spec, containers: [failed("main", { exitCode: 42 })] }).started, ["main/1"]);
  assert.equal(plan({ spec, containers: [failed("main", { exitCode: 41 })] }).ended, true);
});

test("planPod lets a container that crashed wait, and says how long", () => {
  const backoff = new CrashBackoff();
  backoff.restarted(backoffKey(main), 0, NOW - 1000);
  const found = plan({ backoff, containers: [failed("main", { restartCount: 1, finishedAt: NOW - 500 })] });
  assert.deepEqual(found.started, []);
  assert.deepEqual(found.waiting.get("main"), {
    reason: "CrashLoopBackOff",
    message: "back-off 10s restarting failed container=main pod=p_ns(u)",
  });
  assert.equal(found.wakeAt, NOW + 9500);
  const lost = plan({
    backoff,
    sandboxes: [],
    containers: [failed("main", { restartCount: 1, finishedAt: NOW - 500 })],
  });
  assert.deepEqual(lost.started, ["main/2"]);
});

test("planPod restarts what is ill, and what is defined otherwise by now", () => {
  const containers = [record("main", "running")];
  const ill = plan({ containers, failedProbe: () => "liveness" });
  assert.deepEqual(ill.killed, ["main-0: Container main failed liveness probe, will be restarted"]);
  const other = plan({ containers, spec: { containers: [{ name: "main", image: "web:2" }] } });
  assert.deepEqual(other.killed, ["main-0: Container main definition changed, will be restarted"]);
  const stopping = new Set(["main-0"]);
  assert.deepEqual(plan({ containers, stopping, failedProbe: () => "startup" }).killed, []);
});

test("planPod starts ephemeral containers once, even where the pod waits for its init containers", () => {
  const spec = { initContainers: [init("one")], ephemeralContainers: [{ name: "debug", image }] };
  const containers = [record("one", "running")];
  assert.deepEqual(plan({ spec, containers }).started, ["debug/0"]);
  assert.deepEqual(plan({ spec, containers: [record("debug", "exited"), ...containers] }).started, []);
  const terminated = { exitCode: 0 };
  const status = {
    ephemeralContainerStatuses: [
      { name: "debug", image, imageID: "", ready: false, restartCount: 0, state: { terminated } },
    ],
  };
  assert.deepEqual(plan({ spec, status, containers }).started, []);
});

test("planPod counts restarts on where the runtime has forgotten all", () => {
  const containerID = "containerd://1";
  const status = {
    containerStatuses: [{ name: "main", image, imageID: "", ready: true, restartCount: 3, containerID }],
  };
  assert.deepEqual(plan({ status, sandboxes: [] }).started, ["main/4"]);
});
