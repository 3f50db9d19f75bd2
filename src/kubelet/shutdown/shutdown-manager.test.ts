import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../base/clock.ts";
import type { Inhibitor } from "../../host/logind/inhibitor.ts";
import type { PodEviction } from "../ports.ts";
import { type ShutdownOptions, startShutdownManager } from "./shutdown-manager.ts";
import { readShutdownState, writeShutdownState } from "./shutdown-state.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

/** A machine of which the test says what becomes, and what its kubelet did, in order. */
async function setUp(t: TestContext, more: Partial<ShutdownOptions> = {}) {
  const directory = await mkdtemp(join(tmpdir(), "kybern-shutdown-"));
  t.after(() => rm(directory, { recursive: true }));
  const clock = new VirtualClock(START);
  const done: string[] = [];
  const heard = new Set<() => void>();
  const say = (text: string): void => {
    done.push(text);
    for (const listener of [...heard]) listener();
  };
  /** Resolves when it was done, so many times by now. */
  const until = (text: string, times = 1): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (done.filter((one) => one === text).length < times) return;
        heard.delete(look);
        resolve();
      };
      heard.add(look);
      look();
    });
  const machine = {
    preparing: false,
    delay: 60_000,
    tell: (_active: boolean): void => {},
    replaceLogind: (): void => {},
    loseLock: (): void => {},
    ends: new Map<string, () => void>(),
  };
  const pods: Pod[] = [];
  const options: ShutdownOptions = {
    periods: [
      { priority: 0, shutdownGracePeriodSeconds: 20 },
      { priority: 1000, shutdownGracePeriodSeconds: 10 },
    ],
    pods: {
      list: () => pods,
      evict(uid: string, { reason, graceSeconds }: PodEviction) {
        const { promise, resolve } = Promise.withResolvers<void>();
        machine.ends.set(uid, resolve);
        say(`end ${uid} ${reason} ${graceSeconds}`);
        return promise;
      },
      told: async (uid) => say(`told ${uid}`),
    },
    podsKnown: Promise.resolve(),
    async openLogind(tell) {
      const { promise: gone, resolve } = Promise.withResolvers<void>();
      machine.tell = tell;
      machine.replaceLogind = resolve;
      say("open");
      return {
        longestDelay: async () => machine.delay,
        allowDelay: async (ms) => {
          machine.delay = ms;
          say(`allow ${ms}`);
        },
        isPreparingForShutdown: async () => machine.preparing,
        gone,
        close: () => say("close"),
      };
    },
    async inhibit(): Promise<Inhibitor> {
      const { promise: released, resolve } = Promise.withResolvers<void>();
      machine.loseLock = resolve;
      say("hold");
      return {
        released,
        async release() {
          say("release");
          resolve();
        },
      };
    },
    statePath: join(directory, "state"),
    changed: () => say("changed"),
    events: {
      record(_, type, reason, note) {
        say(`${type} ${reason} ${note}`);
        return 0;
      },
    },
    node: { kind: "Node", name: "node", uid: "node" },
    clock,
    log: (level, text, facts) => say(`${level} ${text} ${facts?.error ?? ""}`.trim()),
    ...more,
  };
  const start = () => {
    const manager = startShutdownManager(options);
    t.after(() => manager.stop());
    return manager;
  };
  const addPod = (uid: string, priority: number, grace: number): void => {
    const spec = { containers: [], priority, terminationGracePeriodSeconds: grace };
    pods.push({ apiVersion: "v1", kind: "Pod", metadata: { name: uid, uid }, spec });
  };
  return { start, machine, done, until, clock, addPod, pods, statePath: options.statePath };
}

test("a shutdown ends pods of low priority first, each group in its time, and lets the machine go then", async (t) => {
  const { start, machine, done, until, addPod, pods, statePath } = await setUp(t);
  addPod("low", 0, 5);
  addPod("long", 10, 300);
  addPod("high", 5000, 300);
  addPod("over", 0, 5);
  pods.at(-1)!.status = { phase: "Succeeded" };
  const manager = start();
  await manager.ready;
  assert.deepEqual(done.splice(0), ["open", "hold"]);
  machine.tell(true);
  await until("end long Terminated 20");
  assert.equal(manager.isShuttingDown, true);
  assert.equal((await readShutdownState(statePath))?.ended, undefined);
  assert.deepEqual(done.splice(0), [
    "Normal NodeShutdown Shutdown manager detected shutdown event",
    "changed",
    "info the machine is about to be shut down: pods are ended",
    "end low Terminated 5",
    "end long Terminated 20",
  ]);
  machine.ends.get("long")?.();
  await until("told long");
  machine.ends.get("low")?.();
  await until("end high Terminated 10");
  machine.ends.get("high")?.();
  await until("info the machine may be shut down");
  assert.deepEqual(done, [
    "told long",
    "told low",
    "end high Terminated 10",
    "told high",
    "release",
    "info the machine may be shut down",
  ]);
  assert.equal(manager.isShuttingDown, true);
  assert.deepEqual(await readShutdownState(statePath), { began: START, ended: START });
  assert.match(await readFile(statePath, "utf8"), /^\{"startTime":"2026-01-01T00:00:00\.000Z","endTime":/);
});

test("a group that does not end in its time is not waited for", async (t) => {
  const { start, machine, until, clock, addPod } = await setUp(t);
  addPod("stuck", 0, 30);
  addPod("high", 1000, 30);
  await start().ready;
  machine.tell(true);
  await until("end stuck Terminated 20");
  clock.advance(20_000);
  await until("end high Terminated 10");
  clock.advance(10_000);
  await until("release");
});

test("a shutdown that is cancelled leaves pods alone whose turn has not come, and holds the lock again", async (t) => {
  const { start, machine, done, until, addPod } = await setUp(t);
  addPod("low", 0, 30);
  addPod("high", 1000, 30);
  const manager = start();
  await manager.ready;
  machine.tell(true);
  await until("end low Terminated 20");
  done.length = 0;
  machine.tell(false);
  await until("release");
  assert.deepEqual(done, [
    "Normal NodeShutdown Shutdown manager detected shutdown cancellation",
    "changed",
    "hold",
    "release",
  ]);
  assert.equal(manager.isShuttingDown, false);
});

test("a kubelet that is started in the middle of a shutdown goes on with what is left of the time", async (t) => {
  const { start, machine, done, until, addPod, clock, statePath } = await setUp(t);
  addPod("low", 0, 300);
  addPod("high", 1000, 300);
  await writeShutdownState(statePath, { began: START - 25_000 });
  machine.preparing = true;
  const manager = start();
  await until("end low Terminated 5");
  assert.equal(manager.isShuttingDown, true);
  assert.ok(!done.includes("hold"));
  clock.advance(5_000);
  await until("info the machine may be shut down");
  assert.deepEqual(await readShutdownState(statePath), { began: START - 25_000, ended: START + 5_000 });
});

test("a delay that is too short is made longer before the lock is taken", async (t) => {
  const { start, machine, done } = await setUp(t);
  machine.delay = 5_000;
  await start().ready;
  assert.deepEqual(done, ["open", "allow 30000", "hold"]);
});

test("another logind, or a lock that is lost, begins anew", async (t) => {
  const { start, machine, done, until, clock } = await setUp(t);
  await start().ready;
  machine.replaceLogind();
  await until("close");
  await settled();
  clock.advance(1000);
  await until("release");
  assert.deepEqual(done.splice(0), ["open", "hold", "close", "open", "hold", "release"]);
  await settled();
  machine.loseLock();
  await until("close");
  await settled();
  clock.advance(1000);
  await until("release");
  assert.deepEqual(done, ["close", "open", "hold", "release"]);
});

test("a machine without a message bus is told of once", async (t) => {
  const openLogind = async (): Promise<never> => {
    throw Object.assign(new Error("connect ENOENT /run/dbus/system_bus_socket"), { code: "ENOENT" });
  };
  const { start, done, clock } = await setUp(t, { openLogind });
  await start().ready;
  await settled();
  assert.equal(clock.pending, 0);
  assert.deepEqual(done, [
    "warn pods are not ended before the machine is shut down connect ENOENT /run/dbus/system_bus_socket",
  ]);
});

test("a logind that fails is tried again, and told of when it says something else", async (t) => {
  let tries = 0;
  const openLogind = async (): Promise<never> => {
    throw new Error(++tries < 3 ? "no" : "never");
  };
  const { start, done, until, clock } = await setUp(t, { openLogind });
  await start().ready;
  for (const pause of [2000, 4000]) {
    await settled();
    clock.advance(pause);
  }
  await until("warn pods are not ended before the machine is shut down never");
  assert.equal(done.length, 2);
});

/** Lets what is promised come about. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
