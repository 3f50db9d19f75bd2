import assert from "node:assert/strict";
import test from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { GrpcError } from "../../host/grpc/grpc-client.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { followRuntime, type RuntimeChange } from "./runtime-events.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Events = ContainerRuntime["events"];

function setUp(events: Events) {
  const clock = new VirtualClock();
  const changed: [string, RuntimeChange][] = [];
  const state = { relists: 0, hangs: false };
  const warnings: unknown[] = [];
  const following = followRuntime({
    runtime: { events } as unknown as ContainerRuntime,
    runtimeName: "cri-o",
    socket: "",
    clock,
    changed: (id, what) => changed.push([id, what]),
    relist: async () => {
      state.relists++;
      if (state.hangs) throw new GrpcError(4, "context deadline exceeded");
    },
    log: (level, _, facts) => level === "warn" && warnings.push(facts?.error),
  });
  return {
    changed,
    relists: () => state.relists,
    state,
    warnings,
    async pass(ms: number) {
      clock.advance(ms);
      await settle();
    },
    following,
    clock,
  };
}

test("followRuntime tells the events of runtimes that have them, and lists now and then", async () => {
  const events: Events = async (tell) => {
    const event = { createdAt: 0, podSandboxStatus: undefined, containersStatuses: [] };
    tell({ ...event, containerId: "a", containerEventType: 1 });
    tell({ ...event, containerId: "a", containerEventType: 2 });
    return { send() {}, finish() {}, close() {} };
  };
  const { changed, relists, pass, following, clock } = setUp(events);
  await settle();
  assert.deepEqual(changed, [
    ["a", "began"],
    ["a", "ended"],
  ]);
  await pass(59_000);
  assert.equal(relists(), 0);
  await pass(1000);
  assert.equal(relists(), 1);
  following.stop();
  assert.equal(clock.pending, 0);
});

test("followRuntime lists every second where the runtime has no events", async () => {
  const events: Events = async (_, ended) => {
    ended(new GrpcError(12, "unknown method"));
    return { send() {}, finish() {}, close() {} };
  };
  const { relists, pass, following } = setUp(events);
  await settle();
  for (let i = 0; i < 5; i++) await pass(1000);
  assert.equal(relists(), 6);
  following.stop();
});

test("followRuntime follows again what broke off, and lists what it may have missed", async () => {
  let opened = 0;
  let broke: (() => void) | undefined;
  const events: Events = async (_, ended) => {
    opened++;
    if (opened === 2) throw new GrpcError(14, "away");
    broke = () => ended(undefined);
    return { send() {}, finish() {}, close() {} };
  };
  const { relists, pass, following } = setUp(events);
  await settle();
  broke?.();
  await pass(1000);
  assert.equal(opened, 2);
  await pass(1000);
  assert.deepEqual([opened, relists() > 0], [3, true]);
  following.stop();
});

test("followRuntime knows since when nothing could be listed, and lists soon again", async () => {
  const events: Events = async () => ({ send() {}, finish() {}, close() {} });
  const { pass, state, warnings, following, clock } = setUp(events);
  await pass(60_000);
  assert.equal(following.unlistedFor(), 0);
  state.hangs = true;
  await pass(60_000);
  for (let i = 0; i < 5; i++) await pass(1000);
  clock.jump(24 * 60 * 60_000);
  assert.equal(following.unlistedFor(), 65_000);
  assert.equal(state.relists, 7);
  assert.deepEqual(warnings, ["rpc error: code = DeadlineExceeded desc = context deadline exceeded"]);
  state.hangs = false;
  await pass(1000);
  assert.equal(following.unlistedFor(), 0);
  await pass(59_000);
  assert.equal(state.relists, 8);
  following.stop();
});
