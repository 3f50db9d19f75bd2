import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { RuntimeHealth } from "./runtime-health.ts";

const READY = { type: "RuntimeReady", status: true, reason: "", message: "" };
const NO_NETWORK = {
  type: "NetworkReady",
  status: false,
  reason: "NetworkPluginNotReady",
  message: "Network plugin returns error: cni plugin not initialized",
};

function setUp() {
  const clock = new VirtualClock(1_000_000);
  const state = { conditions: [READY], down: false, version: "1.6.20", told: 0 };
  const health = new RuntimeHealth({
    runtime: {
      status: async () => {
        if (state.down) throw new Error("unavailable");
        return {
          status: { conditions: state.conditions },
          info: new Map(),
          runtimeHandlers: [],
          features: undefined,
        };
      },
      version: async () => ({
        version: "0.1.0",
        runtimeName: "containerd",
        runtimeVersion: state.version,
        runtimeApiVersion: "v1",
      }),
    },
    clock,
    changed: () => state.told++,
  });
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 5000) {
      clock.advance(Math.min(left, 5000));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  return { health, state, pass, clock };
}

test("a runtime's health is not known before it was asked", () => {
  const { health } = setUp();
  assert.deepEqual(health.errors, ["container runtime status check may not have completed yet"]);
});

test("a runtime's health tells the runtime's own words, and changes once for each change", async () => {
  const { health, state, pass } = setUp();
  state.conditions = [READY, NO_NETWORK];
  await health.start();
  assert.deepEqual(health.errors, []);
  assert.equal(
    health.networkError,
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady " +
      "message:Network plugin returns error: cni plugin not initialized",
  );
  assert.equal(health.version, "containerd://1.6.20");
  assert.equal(state.told, 1);
  await pass(20_000);
  assert.equal(state.told, 1);
  state.conditions = [
    { ...READY, status: false, reason: "Broken", message: "x" },
    { ...NO_NETWORK, status: true },
  ];
  await pass(5000);
  assert.deepEqual(health.errors, [
    "container runtime not ready: RuntimeReady=false reason:Broken message:x",
  ]);
  assert.equal(health.networkError, undefined);
  assert.equal(state.told, 2);
});

test("a runtime that is silent for half a minute is down, and up again when it answers", async () => {
  const { health, state, pass } = setUp();
  state.conditions = [READY, { ...NO_NETWORK, status: true }];
  await health.start();
  state.down = true;
  await pass(25_000);
  assert.deepEqual(health.errors, []);
  await pass(5000);
  assert.deepEqual(health.errors, ["container runtime is down"]);
  Object.assign(state, { down: false, version: "2.0.0" });
  await pass(5000);
  assert.deepEqual(health.errors, []);
  assert.equal(health.version, "containerd://2.0.0");
});

test("a runtime's health asks no more when it is stopped", async () => {
  const { health, clock } = setUp();
  await health.start();
  health.stop();
  assert.equal(clock.pending, 0);
});

test("a runtime's health is no matter of what time it is", async () => {
  const { health, clock } = setUp();
  await health.start();
  clock.jump(24 * 60 * 60_000);
  assert.deepEqual(health.errors, []);
  clock.jump(-48 * 60 * 60_000);
  assert.deepEqual(health.errors, []);
});
