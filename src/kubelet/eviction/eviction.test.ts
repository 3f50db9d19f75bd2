import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { containerStorageMessage, nodeLowMessage } from "./messages.ts";
import { hasImageDisk, observe } from "./observe.ts";
import { NO_PRESSURE, nextPressure, type Observations } from "./pressure.ts";
import { type PodUse, partsOf, rankPods } from "./rank.ts";
import { brokenStorageLimit, hasStorageLimits } from "./storage-limits.ts";
import { parseThresholds, reservedForEviction, type Signal } from "./thresholds.ts";

const GI = 2 ** 30;
const MI = 2 ** 20;

function pod(name: string, spec: Partial<NonNullable<Pod["spec"]>> = {}): Pod {
  const containers = [{ name: "c", image: "x" }];
  return { apiVersion: "v1", kind: "Pod", metadata: { name, uid: name }, spec: { containers, ...spec } };
}

function asking(name: string, request: string, priority = 0): Pod {
  return pod(name, {
    containers: [
      { name: "c", image: "x", resources: { requests: { memory: request, "ephemeral-storage": request } } },
    ],
    priority,
  });
}

function use(of: Pod, more: Partial<PodUse>): [string, PodUse] {
  const none = { bytes: 0, inodes: 0 };
  return [of.metadata.uid!, { pod: of, memory: 0, processes: 0, containers: [], volumes: none, ...more }];
}

function observed(of: Partial<Record<Signal, [available: number, capacity: number]>>): Observations {
  return new Map(
    Object.entries(of).map(([signal, [available, capacity]]) => [signal as Signal, { available, capacity }]),
  );
}

test("parseThresholds takes upstream's defaults, and watches what pods may use as it watches the machine", () => {
  const thresholds = parseThresholds({});
  assert.deepEqual(
    thresholds.map(({ signal, grace }) => [signal, grace]),
    [
      ["memory.available", 0],
      ["nodefs.available", 0],
      ["nodefs.inodesFree", 0],
      ["imagefs.available", 0],
      ["imagefs.inodesFree", 0],
      ["allocatableMemory.available", 0],
    ],
  );
  assert.deepEqual(reservedForEviction(thresholds, { memory: 8 * GI, "ephemeral-storage": 100 * GI }), {
    memory: "100Mi",
    "ephemeral-storage": "10Gi",
  });
});

test("parseThresholds takes soft thresholds with their grace, and says what is wrong", () => {
  const [soft] = parseThresholds({
    evictionHard: { "nodefs.available": "0%" },
    evictionSoft: { "memory.available": "1Gi" },
    evictionSoftGracePeriod: { "memory.available": "1m30s" },
    evictionMinimumReclaim: { "memory.available": "100Mi" },
  });
  assert.equal(soft?.grace, 90_000);
  assert.ok(soft?.minReclaim && "quantity" in soft.minReclaim);
  assert.throws(
    () => parseThresholds({ evictionSoft: { "memory.available": "1Gi" } }),
    /grace period must be specified/,
  );
  assert.throws(
    () => parseThresholds({ evictionHard: { "memory.free": "1Gi" } }),
    /unsupported eviction signal/,
  );
  assert.throws(() => parseThresholds({ evictionHard: { "memory.available": "-1" } }), /must be positive/);
  assert.throws(() => parseThresholds({ evictionHard: { "memory.available": "130%" } }), /no percentage/);
});

test("a hard threshold is due at once, and its condition stays for the transition period", () => {
  const thresholds = parseThresholds({ evictionHard: { "memory.available": "100Mi" }, enforcePods: false });
  const low = observed({ "memory.available": [50 * MI, GI] });
  const fine = observed({ "memory.available": [500 * MI, GI] });
  const first = nextPressure(NO_PRESSURE, thresholds, low, 0, 300_000);
  assert.deepEqual(first.pressure, { memory: true, disk: false, pid: false });
  assert.deepEqual(first.due, thresholds);
  const over = nextPressure(first.state, thresholds, fine, 10_000, 300_000);
  assert.deepEqual(over.due, []);
  assert.equal(over.pressure.memory, true);
  assert.equal(nextPressure(over.state, thresholds, fine, 299_999, 300_000).pressure.memory, true);
  assert.equal(nextPressure(over.state, thresholds, fine, 300_000, 300_000).pressure.memory, false);
});

test("a soft threshold is due after its grace period, and not where it was over in between", () => {
  const thresholds = parseThresholds({
    evictionHard: {},
    evictionSoft: { "nodefs.available": "20%" },
    evictionSoftGracePeriod: { "nodefs.available": "1m" },
  });
  const low = observed({ "nodefs.available": [10, 100] });
  const fine = observed({ "nodefs.available": [30, 100] });
  const step = (state: typeof NO_PRESSURE, seen: Observations, now: number) =>
    nextPressure(state, thresholds, seen, now, 0);
  const first = step(NO_PRESSURE, low, 0);
  assert.deepEqual([first.due.length, first.pressure.disk], [0, false]);
  assert.equal(step(first.state, low, 60_000).due.length, 1);
  const between = step(first.state, fine, 30_000);
  assert.equal(step(between.state, low, 60_000).due.length, 0);
});

test("a threshold that was met is over only when the minimum more is left", () => {
  const thresholds = parseThresholds({
    evictionHard: { "nodefs.available": "10%" },
    evictionMinimumReclaim: { "nodefs.available": "5%" },
  });
  const seen = (available: number) => observed({ "nodefs.available": [available, 100] });
  assert.equal(nextPressure(NO_PRESSURE, thresholds, seen(12), 0, 0).due.length, 0);
  const met = nextPressure(NO_PRESSURE, thresholds, seen(9), 0, 0);
  assert.equal(nextPressure(met.state, thresholds, seen(14), 1, 0).due.length, 1);
  assert.equal(nextPressure(met.state, thresholds, seen(15), 1, 0).due.length, 0);
});

test("memory comes before disks, and what cannot be seen is no reason", () => {
  const thresholds = parseThresholds({
    evictionHard: { "nodefs.available": "10%", "memory.available": "1Gi" },
  });
  const seen = observed({ "nodefs.available": [1, 100], "memory.available": [1, GI] });
  const { due } = nextPressure(NO_PRESSURE, thresholds, seen, 0, 0);
  assert.deepEqual(
    due.map(({ signal }) => signal),
    ["memory.available", "nodefs.available"],
  );
});

test("observe tells what is left in the words of the signals", () => {
  const group = (workingSet: number) => ({
    path: "/",
    at: 0,
    io: [],
    usage: { memory: { workingSet } as never },
  });
  const system = { capacity: 100, available: 40, used: 50, inodes: 0, inodesFree: 0 };
  const seen = {
    node: group(3 * GI),
    kubepods: group(GI),
    memoryCapacity: 8 * GI,
    allocatableMemory: 7 * GI,
    fileSystems: { node: system, images: { ...system, inodes: 10, inodesFree: 5 } },
    processes: { most: 1000, current: 300 },
  };
  assert.deepEqual(Object.fromEntries(observe(seen)), {
    "memory.available": { available: 5 * GI, capacity: 8 * GI },
    "allocatableMemory.available": { available: 6 * GI, capacity: 7 * GI },
    "nodefs.available": { available: 40, capacity: 100 },
    "imagefs.available": { available: 40, capacity: 100 },
    "imagefs.inodesFree": { available: 5, capacity: 10 },
    "containerfs.available": { available: 40, capacity: 100 },
    "containerfs.inodesFree": { available: 5, capacity: 10 },
    "pid.available": { available: 700, capacity: 1000 },
  });
  assert.equal(hasImageDisk(seen.fileSystems), true);
  assert.equal(hasImageDisk({ node: system, images: system }), false);
});

test("rankPods puts first who uses more than it asked for, then who matters less, then who uses the most", () => {
  const modest = asking("modest", "2Gi");
  const greedy = asking("greedy", "1Gi");
  const greedier = asking("greedier", "1Gi");
  const important = asking("important", "1Mi", 1000);
  const unknown = asking("unknown", "1Gi");
  const uses = new Map([
    use(modest, { memory: GI }),
    use(greedy, { memory: 1.5 * GI }),
    use(greedier, { memory: 3 * GI }),
    use(important, { memory: 5 * GI }),
  ]);
  const names = rankPods([modest, greedy, important, greedier, unknown], uses, "memory").map(
    ({ metadata }) => metadata.name,
  );
  assert.deepEqual(names, ["unknown", "greedier", "greedy", "important", "modest"]);
});

test("rankPods goes by priority, then by processes, where those are short", () => {
  const [few, many, important] = [pod("few"), pod("many"), pod("important", { priority: 9 })];
  const uses = new Map([
    use(few, { processes: 3 }),
    use(many, { processes: 30 }),
    use(important, { processes: 300 }),
  ]);
  assert.deepEqual(
    rankPods([important, few, many], uses, "pids").map(({ metadata }) => metadata.name),
    ["many", "few", "important"],
  );
});

test("rankPods counts what is on the disk that is short", () => {
  const [logs, layer] = [pod("logs"), pod("layer")];
  const part = (bytes: number) => ({ bytes, inodes: 1 });
  const uses = new Map([
    use(logs, { containers: [{ name: "c", memory: 0, layer: part(1), logs: part(100) }] }),
    use(layer, { containers: [{ name: "c", memory: 0, layer: part(200), logs: part(1) }] }),
  ]);
  const first = (signal: Signal, ownDisk: boolean) =>
    rankPods([logs, layer], uses, "ephemeral-storage", partsOf(signal, ownDisk))[0]?.metadata.name;
  assert.equal(first("nodefs.available", false), "layer");
  assert.equal(first("nodefs.available", true), "logs");
  assert.equal(first("imagefs.available", true), "layer");
});

test("nodeLowMessage tells what was short and which containers used more than they asked for", () => {
  const [threshold] = parseThresholds({ evictionHard: { "memory.available": "100Mi" }, enforcePods: false });
  const greedy = asking("greedy", "1Gi");
  const none = { bytes: 0, inodes: 0 };
  const containers = [{ name: "c", memory: 1.5 * GI, layer: none, logs: none }];
  const [, used] = use(greedy, { containers });
  const message = nodeLowMessage(threshold!, observed({ "memory.available": [90 * MI, GI] }), used);
  assert.equal(
    message,
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. " +
      "Container c was using 1536Mi, request is 1Gi, has larger consumption of memory. ",
  );
  assert.equal(nodeLowMessage(threshold!, new Map(), undefined), "The node was low on resource: memory. ");
});

test("brokenStorageLimit holds volumes, containers and the pod to their limits", () => {
  const limits = { "ephemeral-storage": "10Mi" };
  const containers = [{ name: "c", image: "x", resources: { limits } }];
  const volumes = [
    { name: "scratch", emptyDir: { sizeLimit: "5Mi" } },
    { name: "free", emptyDir: {} },
  ];
  const limited = pod("limited", { containers, volumes });
  const broken = (scratch: number, layer: number, total: number) =>
    brokenStorageLimit(limited, {
      volumes: new Map([
        ["scratch", scratch * MI],
        ["free", 99 * MI],
      ]),
      containers: new Map([["c", layer * MI]]),
      total: total * MI,
    })?.message;
  assert.equal(broken(5, 10, 10), undefined);
  assert.equal(broken(6, 0, 0), 'Usage of EmptyDir volume "scratch" exceeds the limit "5Mi". ');
  assert.equal(
    broken(0, 0, 11),
    "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ",
  );
  assert.equal(broken(0, 11, 10), containerStorageMessage("c", "10Mi"));
  assert.equal(hasStorageLimits(limited), true);
  assert.equal(hasStorageLimits(pod("free", { volumes: [{ name: "free", emptyDir: {} }] })), false);
});
