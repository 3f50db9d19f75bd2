import assert from "node:assert/strict";
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { MachineFacts } from "../../host/machine/machine-facts.ts";
import { cadvisorMetrics } from "./cadvisor-metrics.ts";
import { CPURates } from "./cpu-rates.ts";
import { diskUsage, NOTHING } from "./disk-usage.ts";
import { Exposition, gauge } from "./exposition.ts";
import { type Disks, makeSummary } from "./make-summary.ts";
import { mainInterface, parseInterfaces } from "./network.ts";
import type { Group, Picture } from "./picture.ts";
import { PodDisks } from "./pod-disks.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import { volumeMetrics } from "./volume-metrics.ts";

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 34191820142 2650735    0    0    0     0          0         0 34191820142 2650735    0    0    0     0       0          0
  eth0: 100 10 1 2 0 0 0 0 200 20 3 4 0 0 0 0
vethab1:1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
`;

const AT = Date.parse("2026-01-01T00:01:00Z");

function group(path: string, cpu: number, memory: number, limit?: number): Group {
  return {
    path,
    at: AT,
    usage: {
      cpu: { total: cpu * 1e9, user: cpu * 1e9, system: 0, periods: 0, throttledPeriods: 0, throttled: 0 },
      memory: {
        usage: memory + 10,
        workingSet: memory,
        rss: memory - 1,
        cache: 10,
        mappedFile: 0,
        swap: 0,
        kernel: 0,
        pageFaults: 5,
        majorPageFaults: 1,
        most: memory,
        failures: 0,
        ...(limit === undefined ? {} : { limit }),
      },
      pids: { current: 3 },
    },
    io: [{ device: "254:0", readBytes: 1, writtenBytes: 2, reads: 3, writes: 4 }],
  };
}

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", uid: "u1" },
  spec: {
    containers: [{ name: "c", image: "x" }],
    volumes: [
      { name: "scratch", emptyDir: {} },
      { name: "host", hostPath: { path: "/" } },
    ],
  },
  status: { startTime: "2026-01-01T00:00:30Z" },
};

const picture: Picture = {
  node: group("/", 100, 4000),
  nodeInterfaces: parseInterfaces(NET_DEV),
  above: [group("/kubepods", 50, 2000)],
  pods: [
    {
      pod,
      ...group("/kubepods/podu1", 2, 300, 1000),
      containers: [
        {
          name: "c",
          id: "abc",
          image: 'a"b',
          startedAt: Date.parse("2026-01-01T00:00:31Z"),
          ...group("/kubepods/podu1/abc", 1.5, 200, 1000),
        },
      ],
      sandbox: { name: "POD", id: "def", image: "", startedAt: 0, ...group("/kubepods/podu1/def", 0.1, 1) },
      interfaces: parseInterfaces(NET_DEV),
    },
  ],
};

const system = { capacity: 1000, available: 500, used: 400, inodes: 100, inodesFree: 60 };
const disks: Disks = {
  at: AT,
  node: system,
  images: system,
  imageBytes: 70,
  imageInodes: 7,
  layers: new Map([["abc", { bytes: 8, inodes: 2 }]]),
  pods: new Map([
    [
      "u1",
      {
        at: AT,
        volumes: [
          { name: "scratch", system, usage: { bytes: 16, inodes: 3 }, isLocal: true },
          { name: "host", system, usage: { bytes: 999, inodes: 99 }, isLocal: true },
        ],
        logs: new Map([["c", { bytes: 4, inodes: 1 }]]),
        hosts: { bytes: 1, inodes: 1 },
      },
    ],
  ]),
};
const facts = {
  nodeName: "n",
  bootedAt: Date.parse("2025-12-31T00:00:00Z"),
  memoryCapacity: 10_000,
  swapCapacity: 0,
};

test("parseInterfaces reads those that lead outside", () => {
  const counters = {
    rxBytes: 100,
    rxPackets: 10,
    rxErrors: 1,
    rxDropped: 2,
    txBytes: 200,
    txPackets: 20,
    txErrors: 3,
    txDropped: 4,
  };
  assert.deepEqual(parseInterfaces(NET_DEV), [{ name: "eth0", ...counters }]);
  assert.equal(mainInterface([{ name: "a" }, { name: "eth0" }])?.name, "eth0");
  assert.equal(mainInterface([{ name: "a" }])?.name, "a");
  assert.equal(mainInterface([]), undefined);
});

test("CPURates tell what is used now from two looks", () => {
  const rates = new CPURates();
  assert.equal(rates.rate("/a", 1e9, 0), undefined);
  assert.equal(rates.rate("/a", 1.1e9, 500), undefined);
  assert.equal(rates.rate("/a", 2e9, 2000), 5e8);
  assert.equal(rates.rate("/a", 2e9, 2100), 476_190_476);
  // Another group of the same name began to count anew.
  assert.equal(rates.rate("/a", 5, 3000), undefined);
  rates.forget(4000);
  assert.equal(rates.rate("/a", 9e9, 5000), undefined);
});

test("makeSummary tells node, pod and container, with disks and networks where they were asked for", () => {
  const summary = makeSummary(picture, ({ path }) => (path === "/" ? 7 : undefined), facts, disks);
  const { node, pods } = summary;
  assert.equal(node.startTime, "2025-12-31T00:00:00Z");
  assert.deepEqual(node.cpu, {
    time: "2026-01-01T00:01:00Z",
    usageNanoCores: 7,
    usageCoreNanoSeconds: 100e9,
  });
  assert.equal(node.memory?.availableBytes, 6000);
  assert.equal(node.network?.rxBytes, 100);
  assert.equal(node.fs?.inodesUsed, 40);
  assert.equal(node.runtime?.imageFs?.usedBytes, 70);
  assert.equal(node.runtime?.containerFs?.usedBytes, 8);
  const [told] = pods;
  assert.deepEqual(told?.podRef, { name: "web", namespace: "default", uid: "u1" });
  assert.equal(told?.startTime, "2026-01-01T00:00:30Z");
  assert.equal(told?.memory?.workingSetBytes, 300);
  assert.equal(told?.process_stats?.process_count, 3);
  assert.equal(told?.network?.txBytes, 200);
  assert.deepEqual(
    told?.volume?.map(({ name, usedBytes }) => [name, usedBytes]),
    [
      ["scratch", 16],
      ["host", 999],
    ],
  );
  // The layer, the log, the scratch volume and /etc/hosts; what is the host's own is not the pod's.
  assert.equal(told?.["ephemeral-storage"]?.usedBytes, 8 + 4 + 16 + 1);
  const [container] = told!.containers;
  assert.equal(container?.memory?.availableBytes, 800);
  assert.equal(container?.rootfs?.usedBytes, 8);
  assert.equal(container?.logs?.usedBytes, 4);
  assert.equal(container?.startTime, "2026-01-01T00:00:31Z");
});

test("makeSummary tells CPU and memory alone where disks were not asked for", () => {
  const { node, pods } = makeSummary(picture, () => undefined, facts);
  assert.equal(node.fs, undefined);
  assert.equal(node.network, undefined);
  assert.equal(pods[0]?.network, undefined);
  assert.equal(pods[0]?.containers[0]?.cpu?.usageCoreNanoSeconds, 1.5e9);
});

test("resourceMetrics are those that autoscalers read, and say when they were taken", () => {
  const text = resourceMetrics(picture, false);
  const container = '{container="c",namespace="default",pod="web"}';
  assert.deepEqual(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
    [
      `container_cpu_usage_seconds_total${container} 1.5 ${AT}`,
      `container_memory_working_set_bytes${container} 200 ${AT}`,
      `container_start_time_seconds${container} ${Date.parse("2026-01-01T00:00:31Z") / 1000}`,
      `node_cpu_usage_seconds_total 100 ${AT}`,
      `node_memory_working_set_bytes 4000 ${AT}`,
      `pod_cpu_usage_seconds_total{namespace="default",pod="web"} 2 ${AT}`,
      `pod_memory_working_set_bytes{namespace="default",pod="web"} 300 ${AT}`,
      "resource_scrape_error 0",
    ],
  );
  assert.ok(
    text.includes(
      "# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds",
    ),
  );
});

test("cadvisorMetrics tell whose each group is, and its network once", () => {
  const machine = {
    cores: 4,
    memoryBytes: 10,
    swapBytes: 0,
    machineID: "m",
    systemUUID: "s",
    bootID: "b",
  } as MachineFacts;
  const lines = cadvisorMetrics(picture, machine).split("\n");
  const of = (name: string): string[] => lines.filter((line) => line.startsWith(`${name}{`));
  assert.deepEqual(of("machine_cpu_cores"), [
    'machine_cpu_cores{boot_id="b",machine_id="m",system_uuid="s"} 4',
  ]);
  assert.ok(
    of("container_cpu_usage_seconds_total").includes(
      'container_cpu_usage_seconds_total{container="c",cpu="total",id="/kubepods/podu1/abc",image="a\\"b",' +
        `name="abc",namespace="default",pod="web"} 1.5 ${AT}`,
    ),
  );
  assert.equal(of("container_memory_working_set_bytes").length, 5);
  assert.deepEqual(of("container_network_receive_bytes_total").slice(1), [
    'container_network_receive_bytes_total{container="POD",id="/kubepods/podu1/def",image="",interface="eth0",' +
      `name="def",namespace="default",pod="web"} 100 ${AT}`,
  ]);
  // Who has no quota is never held up.
  assert.deepEqual(of("container_cpu_cfs_periods_total"), []);
  const names = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
  assert.equal(new Set(names).size, names.length);
});

test("Exposition escapes what labels hold, and keeps the series of a name together", () => {
  const told = new Exposition();
  const [a, b] = [gauge("a", "A"), gauge("b", "B")];
  told.add(a, [["x", 'back\\slash "and"\nline']], 1);
  told.add(b, [], 2);
  told.add(a, [["x", "y"]], 3, 5);
  assert.deepEqual(told.text().split("\n"), [
    "# HELP a A",
    "# TYPE a gauge",
    'a{x="back\\\\slash \\"and\\"\\nline"} 1',
    'a{x="y"} 3 5',
    "# HELP b B",
    "# TYPE b gauge",
    "b 2",
    "",
  ]);
});

test("diskUsage counts a file of two names once, and nothing where there is nothing", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "kybern-stats-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "a/b"), { recursive: true });
  const empty = await diskUsage(root);
  assert.equal(empty.inodes, 3);
  writeFileSync(join(root, "a/b/file"), Buffer.alloc(1 << 20, 1));
  const one = await diskUsage(root);
  assert.ok(one.bytes - empty.bytes >= 1 << 20, String(one.bytes));
  linkSync(join(root, "a/b/file"), join(root, "a/again"));
  assert.equal((await diskUsage(root)).inodes, one.inodes);
  assert.deepEqual(await diskUsage(join(root, "none")), NOTHING);
});

test("PodDisks measure a pod again after some seconds, and after a minute where that took long", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "kybern-stats-"));
  t.after(() => rmSync(root, { recursive: true }));
  const scratch = join(root, "pods/u1/volumes/kubernetes.io~empty-dir/scratch");
  const logs = join(root, "logs/default_web_u1/c");
  for (const path of [scratch, logs]) mkdirSync(path, { recursive: true });
  writeFileSync(join(logs, "0.log"), Buffer.alloc(5000, 1));
  let now = AT;
  const podDisks = new PodDisks({ root, podLogs: join(root, "logs") }, () => now);
  const first = await podDisks.of(pod);
  assert.deepEqual(
    first.volumes.map(({ name, isLocal }) => [name, isLocal]),
    [["scratch", true]],
  );
  assert.ok(first.logs.get("c")!.bytes >= 5000);
  writeFileSync(join(scratch, "file"), Buffer.alloc(100_000, 1));
  assert.equal(await podDisks.of(pod), first);
  now += 9_000;
  const second = await podDisks.of(pod);
  assert.ok(second.volumes[0]!.usage.bytes >= 100_000);

  // By this clock each look takes a second.
  const slow = new PodDisks({ root, podLogs: join(root, "logs") }, () => (now += 500));
  const third = await slow.of(pod);
  now += 50_000;
  assert.equal(await slow.of(pod), third);
  now += 10_000;
  assert.notEqual(await slow.of(pod), third);
});

test("the volume of a claim is measured where a container has it, and told once for all pods", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "kybern-stats-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "inside/data"), { recursive: true });
  const claiming: Pod = {
    ...pod,
    spec: {
      containers: [
        { name: "other", image: "x" },
        { name: "c", image: "x", volumeMounts: [{ name: "data", mountPath: "/data" }] },
      ],
      volumes: [
        { name: "data", persistentVolumeClaim: { claimName: "claim" } },
        { name: "gone", ephemeral: {} },
      ],
    },
  };
  const podDisks = new PodDisks({ root, podLogs: join(root, "logs") }, () => AT);
  const disk = await podDisks.of(claiming, (name) => (name === "c" ? join(root, "inside") : undefined));
  assert.deepEqual(
    disk.volumes.map(({ name, isLocal }) => [name, isLocal]),
    [["data", false]],
  );
  const text = volumeMetrics([
    [claiming, disk],
    [claiming, disk],
  ]);
  const of = (name: string): string[] => text.split("\n").filter((line) => line.startsWith(`${name}{`));
  const { capacity } = disk.volumes[0]!.system;
  assert.deepEqual(of("kubelet_volume_stats_capacity_bytes"), [
    `kubelet_volume_stats_capacity_bytes{namespace="default",persistentvolumeclaim="claim"} ${capacity}`,
  ]);
  const [told] = makeSummary(
    { ...picture, pods: [{ ...picture.pods[0]!, pod: claiming }] },
    () => undefined,
    facts,
    { ...disks, pods: new Map([["u1", disk]]) },
  ).pods;
  assert.deepEqual(told?.volume?.[0]?.pvcRef, { name: "claim", namespace: "default" });
  assert.equal(volumeMetrics([]), "");
});
