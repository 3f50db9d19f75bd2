import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionEvents, nodeConditions, together } from "./node-conditions.ts";

const FINE = { memory: false, disk: false, pid: false };
const THEN = Date.parse("2026-01-01T00:00:00Z");
const LATER = THEN + 60_000;

test("nodeConditions tell that a node is well, in upstream's words", () => {
  const conditions = nodeConditions(FINE, [], [], THEN);
  assert.deepEqual(
    conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
    [
      ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
      ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
      ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
      ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
    ],
  );
  assert.ok(conditions.every(({ lastTransitionTime }) => lastTransitionTime === "2026-01-01T00:00:00Z"));
});

test("nodeConditions keep the time of the last transition while the status is the same", () => {
  const before = nodeConditions(FINE, [], [], THEN);
  const now = nodeConditions({ ...FINE, disk: true }, ["a", "b", "a"], before, LATER);
  assert.deepEqual(
    now.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime]),
    [
      ["MemoryPressure", "False", "2026-01-01T00:00:00Z"],
      ["DiskPressure", "True", "2026-01-01T00:01:00Z"],
      ["PIDPressure", "False", "2026-01-01T00:00:00Z"],
      ["Ready", "False", "2026-01-01T00:01:00Z"],
    ],
  );
  assert.equal(now[3]?.message, "[a, b]");
  assert.ok(now.every(({ lastHeartbeatTime }) => lastHeartbeatTime === "2026-01-01T00:01:00Z"));
  assert.deepEqual(conditionEvents(before, now), ["NodeHasDiskPressure", "NodeNotReady"]);
  assert.deepEqual(conditionEvents(now, now), []);
});

test("conditionEvents tell the pressures of a new node, not its readiness", () => {
  assert.deepEqual(conditionEvents([], nodeConditions(FINE, [], [], THEN)), [
    "NodeHasSufficientMemory",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientPID",
  ]);
});

test("together writes one error bare and several in brackets", () => {
  assert.equal(together(["container runtime is down"]), "container runtime is down");
  assert.equal(together(["a", "b"]), "[a, b]");
});
