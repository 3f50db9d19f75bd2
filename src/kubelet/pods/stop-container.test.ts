import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../base/clock.ts";
import type { PodContext } from "./pod-context.ts";
import type { ContainerRecord } from "./runtime-state.ts";
import { ContainerStops } from "./stop-container.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(container: Container = { name: "main" }) {
  const clock = new VirtualClock();
  const calls: string[] = [];
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const hooks: (() => void)[] = [];
  let ended = 0;
  const context = {
    clock,
    events: { record: (_: object, type: string, reason: string) => calls.push(`${type} ${reason}`) },
    log: (_: string, text: string) => calls.push(text),
    runtime: {
      stopContainer: ({ timeout }: { timeout: number }) => {
        calls.push(`stop within ${timeout}`);
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        ends.push({ resolve, reject });
        return promise;
      },
      execSync: () => {
        calls.push("hook");
        const { promise, resolve } = Promise.withResolvers<object>();
        hooks.push(() => resolve({ exitCode: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }));
        return promise;
      },
    },
  } as unknown as PodContext;
  const stops = new ContainerStops(context, () => ended++);
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p" },
    spec: { containers: [container] },
  };
  const stop = (graceSeconds: number, turn?: Promise<unknown>): Promise<void> =>
    stops.stop({
      pod,
      kill: {
        record: { id: "c", name: "main" } as ContainerRecord,
        container,
        message: "Stopping container main",
      },
      graceSeconds,
      podIP: "",
      ...(turn ? { turn } : {}),
    });
  return { clock, calls, ends, hooks, stops, stop, ended: () => ended };
}

const hooked: Container = { name: "main", lifecycle: { preStop: { exec: { command: ["x"] } } } };

test("ContainerStops tells the event, and stops within the grace", async () => {
  const { calls, ends, stops, stop, ended } = setUp();
  const done = stop(30);
  await settle();
  assert.deepEqual(calls, ["Normal Killing", "stop within 30"]);
  assert.deepEqual([...stops.ids], ["c"]);
  ends[0]?.resolve();
  await done;
  assert.deepEqual([[...stops.ids], ended()], [[], 1]);
});

test("ContainerStops takes the hook's time off the grace", async () => {
  const { clock, calls, hooks, stop } = setUp(hooked);
  void stop(30);
  await settle();
  assert.deepEqual(calls, ["Normal Killing", "hook"]);
  clock.advance(12_000);
  hooks[0]?.();
  await settle();
  assert.equal(calls.at(-1), "stop within 18");
});

test("ContainerStops does not wait for a hook beyond the grace", async () => {
  const { clock, calls, stop } = setUp(hooked);
  void stop(30);
  await settle();
  clock.advance(30_000);
  await settle();
  assert.equal(calls.at(-1), "stop within 2");
});

test("ContainerStops runs no hook where there is no grace", async () => {
  const { calls, stop } = setUp(hooked);
  void stop(0);
  await settle();
  assert.deepEqual(calls, ["Normal Killing", "stop within 2"]);
});

test("ContainerStops waits for its turn, and not beyond the grace", async () => {
  const { clock, calls, stop } = setUp();
  void stop(10, new Promise(() => {}));
  await settle();
  assert.deepEqual(calls, ["Normal Killing"]);
  clock.advance(10_000);
  await settle();
  assert.equal(calls.at(-1), "stop within 2");
});

test("ContainerStops hurries when less grace is left, and never slows down", async () => {
  const { calls, ends, stop } = setUp();
  const done = stop(600);
  await settle();
  void stop(900);
  await settle();
  void stop(5);
  await settle();
  assert.deepEqual(calls, ["Normal Killing", "stop within 600", "stop within 5"]);
  for (const { resolve } of ends) resolve();
  await done;
});

test("ContainerStops says that a container could not be stopped, and lets it be tried again after a second", async () => {
  const { clock, calls, ends, stops, stop, ended } = setUp();
  const done = stop(30);
  await settle();
  ends[0]?.reject(new Error("no"));
  await settle();
  assert.equal(calls.at(-1), "a container could not be stopped");
  assert.deepEqual([stops.ids.size, ended()], [1, 0]);
  clock.advance(1000);
  await done;
  assert.deepEqual([stops.ids.size, ended()], [0, 1]);
});
