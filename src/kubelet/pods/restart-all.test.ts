import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import { containersToReset } from "./restart-all.ts";
import type { ContainerRecord } from "./runtime-state.ts";

const restartPolicyRules = [
  { action: "Restart", exitCodes: { operator: "In", values: [7] } },
  { action: "RestartAllContainers", exitCodes: { operator: "In", values: [7, 42] } },
];
const main: Container = { name: "main" };
const trigger: Container = { name: "trigger", restartPolicy: "Never", restartPolicyRules };
const pod = (containers: Container[], initContainers: Container[] = []): Pod =>
  ({ metadata: {}, spec: { containers, initContainers } }) as unknown as Pod;

function record(name: string, exitCode?: number, restartCount = 0): ContainerRecord {
  const state = exitCode === undefined ? "running" : "exited";
  return { id: `${name}-${restartCount}`, name, state, exitCode, restartCount } as ContainerRecord;
}

function reset(of: Pod, containers: ContainerRecord[], begun = false): string[] | undefined {
  return containersToReset(of, { sandboxes: [], containers }, begun)?.map(({ id }) => id);
}

test("containersToReset has all containers, the one that asks for it last", () => {
  const all = [record("trigger", 42, 1), record("main"), record("trigger", 1), record("first", 0)];
  const whole = pod([trigger, main], [{ name: "first" }]);
  assert.deepEqual(reset(whole, all), ["main-0", "trigger-0", "first-0", "trigger-1"]);
});

test("containersToReset asks for nothing while the first rule of the exit code is another, or none is", () => {
  const whole = pod([trigger, main]);
  assert.equal(reset(whole, [record("trigger", 7), record("main")]), undefined);
  assert.equal(reset(whole, [record("trigger", 1), record("main")]), undefined);
  assert.equal(reset(whole, [record("trigger"), record("main", 42)]), undefined);
});

test("containersToReset forgets how a container ended before it ran again", () => {
  assert.equal(reset(pod([trigger]), [record("trigger", undefined, 1), record("trigger", 42)]), undefined);
});

test("containersToReset goes on with what was begun until nothing is left, but for ephemeral containers", () => {
  const whole = pod([trigger, main]);
  const debug = record("debug");
  assert.deepEqual(reset(whole, [debug, record("main", 137)], true), ["main-0"]);
  assert.equal(reset(whole, [debug], true), undefined);
});
