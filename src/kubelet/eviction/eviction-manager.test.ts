import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../base/clock.ts";
import type { PodEviction, RunningPods } from "../ports.ts";
import type { Disks } from "../stats/make-summary.ts";
import type { Group } from "../stats/picture.ts";
import { type EvictionOptions, startEvictionManager } from "./eviction-manager.ts";
import { parseThresholds } from "./thresholds.ts";

const GI = 2 ** 30;
const MI = 2 ** 20;

function group(workingSet: number): Group {
  return { path: "/", at: 0, io: [], usage: { memory: { workingSet } as never, pids: { current: 1 } } };
}

function pod(name: string, more: Partial<NonNullable<Pod["spec"]>> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, uid: name, namespace: "default" },
    spec: { containers: [{ name: "c", image: "x" }], ...more },
    status: { phase: "Running", qosClass: "BestEffort" },
  };
}

function setUp(pods: Pod[], more: Partial<EvictionOptions> = {}) {
  const clock = new VirtualClock();
  const state = {
    used: GI,
    memory: new Map<string, number>(),
    free: 50 * GI,
    scratch: 0,
    measured: 0,
    reclaimed: 0,
    changes: 0,
  };
  const evictions: (PodEviction & { uid: string })[] = [];
  const events: string[] = [];
  const gone = new Set<string>();
  const running = () => pods.filter(({ metadata }) => !gone.has(metadata.uid!));
  const system = () => ({ capacity: 100 * GI, available: state.free, used: 0, inodes: 100, inodesFree: 90 });
  const disks = async (of: readonly Pod[]): Promise<Disks> => {
    state.measured++;
    const disk = {
      at: 0,
      volumes: [
        { name: "scratch", system: system(), usage: { bytes: state.scratch, inodes: 1 }, isLocal: true },
      ],
      logs: new Map(),
      hosts: { bytes: 0, inodes: 0 },
    };
    return {
      at: 0,
      node: system(),
      images: system(),
      imageBytes: 0,
      imageInodes: 0,
      layers: new Map(),
      pods: new Map(of.map(({ metadata }) => [metadata.uid!, disk])),
    };
  };
  const manager = startEvictionManager({
    thresholds: parseThresholds({}),
    pods: {
      list: running,
      evict: async (uid: string, eviction: PodEviction) => {
        evictions.push({ uid, ...eviction });
        gone.add(uid);
        state.used -= state.memory.get(uid) ?? 0;
      },
    } as Partial<RunningPods> as RunningPods,
    stats: {
      whole: () => ({ node: group(state.used), kubepods: group(0) }),
      fileSystems: async () => ({ node: system(), images: system() }),
      disks,
      picture: async () => ({
        node: group(state.used),
        nodeInterfaces: [],
        above: [],
        pods: running().map((each) => ({
          pod: each,
          ...group(state.memory.get(each.metadata.uid!) ?? 0),
          containers: [],
          interfaces: [],
        })),
      }),
    },
    memoryCapacity: 8 * GI,
    allocatableMemory: 8 * GI,
    processes: () => ({ most: 1000, current: 10 }),
    reclaimDisk: async () => {
      state.reclaimed++;
    },
    changed: () => state.changes++,
    events: { record: (_, type, reason, note) => events.push(`${type} ${reason} ${note}`) },
    clock,
    ...more,
  });
  return { manager, state, evictions, events, clock };
}

test("a machine with enough is looked at cheaply, and nobody must go", async () => {
  const { manager, state, evictions } = setUp([pod("a")]);
  await manager.look();
  assert.deepEqual(evictions, []);
  assert.equal(state.measured, 0);
  assert.deepEqual(manager.pressure, { memory: false, disk: false, pid: false });
  await manager.stop();
});

test("where memory is short one pod at a time goes, until there is enough", async () => {
  const { manager, state, evictions, events } = setUp([pod("small"), pod("large"), pod("medium")]);
  await manager.look();
  for (const [uid, memory] of [
    ["small", 10 * MI],
    ["medium", 30 * MI],
    ["large", 90 * MI],
  ] as const) {
    state.memory.set(uid, memory);
  }
  state.used = 8 * GI - 10 * MI;
  await manager.look();
  assert.deepEqual(evictions, [
    {
      uid: "large",
      reason: "Evicted",
      message: "The node was low on resource: memory. Threshold quantity: 100Mi, available: 10Mi. ",
      graceSeconds: 1,
      disruption: "TerminationByKubelet",
    },
  ]);
  assert.deepEqual(manager.pressure, { memory: true, disk: false, pid: false });
  assert.equal(state.changes, 1);
  assert.match(events[0]!, /^Warning Evicted The node was low on resource: memory/);
  await manager.look();
  assert.equal(evictions.length, 1);
  // Until it is over for good, who asks for nothing is not taken in.
  assert.equal(manager.refuses(pod("new")), "The node had condition: [MemoryPressure]. ");
  const asks = { ...pod("asks"), status: { qosClass: "Burstable" } };
  assert.equal(manager.refuses(asks), undefined);
  const tolerations = [{ key: "node.kubernetes.io/memory-pressure", operator: "Exists" }];
  assert.equal(manager.refuses(pod("tolerant", { tolerations })), undefined);
  await manager.stop();
});

test("pods that the system stands on stay", async () => {
  const mirror = pod("mirror");
  mirror.metadata.annotations = { "kubernetes.io/config.mirror": "x" };
  const { manager, state, evictions } = setUp([pod("critical", { priority: 2_000_000_000 }), mirror]);
  state.used = 8 * GI;
  await manager.look();
  await manager.look();
  assert.deepEqual(evictions, []);
  assert.equal(manager.refuses(pod("new", { priority: 2_000_000_000 })), undefined);
  await manager.stop();
});

test("where the disk is short what nobody uses is removed before a pod goes", async () => {
  let state: ReturnType<typeof setUp>["state"] | undefined;
  const enough = async (): Promise<void> => {
    state!.reclaimed++;
    if (state!.reclaimed > 1) state!.free = 50 * GI;
  };
  const made = setUp([pod("a")], { reclaimDisk: enough });
  state = made.state;
  await made.manager.look();
  state.free = 5 * GI;
  await made.manager.look();
  assert.equal(made.evictions.length, 1);
  assert.match(
    made.evictions[0]!.message,
    /^The node was low on resource: ephemeral-storage\. Threshold quantity: 10Gi/,
  );
  await made.manager.look();
  assert.equal(state.reclaimed, 2);
  assert.equal(made.evictions.length, 1);
  await made.manager.stop();
});

test("a pod goes when its volume grows beyond its limit, and pods without limits are not measured", async () => {
  const limited = pod("limited", { volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Mi" } }] });
  const { manager, state, evictions } = setUp([limited, pod("free")]);
  await manager.look();
  assert.deepEqual(evictions, []);
  state.scratch = 2 * MI;
  await manager.look();
  assert.deepEqual(
    evictions.map(({ uid, message, graceSeconds, disruption }) => [uid, message, graceSeconds, disruption]),
    [["limited", 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ', 1, undefined]],
  );
  const { measured } = state;
  await manager.look();
  assert.equal(state.measured, measured);
  await manager.stop();
});

test("a soft threshold gives pods the time that they ask for, up to a limit", async () => {
  const thresholds = parseThresholds({
    evictionHard: {},
    evictionSoft: { "memory.available": "1Gi" },
    evictionSoftGracePeriod: { "memory.available": "10s" },
  });
  const made = setUp([pod("a", { terminationGracePeriodSeconds: 20 })], { thresholds, maxGraceSeconds: 60 });
  made.state.used = 7.5 * GI;
  await made.manager.look();
  assert.equal(made.manager.pressure.memory, true);
  assert.equal(made.evictions.length, 0);
  made.clock.advance(10_000);
  await made.manager.look();
  assert.equal(made.evictions[0]?.graceSeconds, 20);
  await made.manager.stop();
});

test("the machine is looked at every ten seconds, until it is stopped", async () => {
  const { manager, clock, state, evictions } = setUp([pod("a")]);
  await manager.look();
  await new Promise<void>((resolve) => setImmediate(resolve));
  state.used = 8 * GI;
  clock.advance(10_000);
  await manager.look();
  assert.equal(evictions.length, 1);
  await manager.stop();
  assert.equal(clock.pending, 0);
});
