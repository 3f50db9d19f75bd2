import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import { driverOfConfiguration } from "./cgroup-driver.ts";
import { containerResources } from "./container-resources.ts";
import { quotaOf, sharesOf, sharesOfWeight, weightOf } from "./cpu.ts";
import { filesOf, hugepageSize, podGroupLimits } from "./group-limits.ts";
import { GroupNames } from "./group-names.ts";
import { oomScoreOf } from "./oom-score.ts";
import { allocatableOf, excessReservation, podsLimits } from "./reservations.ts";

const GI = 2 ** 30;

function container(
  name: string,
  requests?: Record<string, string>,
  limits?: Record<string, string>,
): Container {
  return { name, image: "x", ...(requests || limits ? { resources: { requests, limits } } : {}) };
}

function pod(containers: Container[], more: Partial<NonNullable<Pod["spec"]>> = {}): Pod {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p", uid: "u" }, spec: { containers, ...more } };
}

test("CPU becomes shares, quota and weight within the kernel's bounds", () => {
  assert.deepEqual([0, 1, 100, 1000, 1e9].map(sharesOf), [2, 2, 102, 1024, 262_144]);
  assert.deepEqual(
    [0, 1, 10, 250, 4000].map((milli) => quotaOf(milli)),
    [undefined, 1000, 1000, 25_000, 400_000],
  );
  assert.deepEqual([2, 102, 1024, 262_144].map(weightOf), [1, 17, 100, 10_000]);
  for (const weight of [1, 17, 100, 5000, 10_000]) assert.equal(weightOf(sharesOfWeight(weight)), weight);
});

test("podGroupLimits limits memory only where every container is limited", () => {
  const limited = container("a", { cpu: "100m", memory: "64Mi" }, { cpu: "200m", memory: "128Mi" });
  assert.deepEqual(podGroupLimits(pod([limited])), {
    cpuShares: 102,
    cpuQuota: 20_000,
    cpuPeriod: 100_000,
    memory: 128 * 2 ** 20,
  });
  assert.deepEqual(podGroupLimits(pod([limited, container("b", { cpu: "100m" })])), { cpuShares: 204 });
  assert.deepEqual(podGroupLimits(pod([container("c")]), { maxPids: 50 }), { cpuShares: 2, pids: 50 });
});

test("podGroupLimits counts overhead, init containers, and what the pod itself says", () => {
  const one = container("a", { cpu: "1" }, { cpu: "1", memory: "1Gi" });
  const first = container("i", { cpu: "2" }, { cpu: "2", memory: "512Mi" });
  const overhead = { cpu: "500m", memory: "256Mi" };
  assert.deepEqual(podGroupLimits(pod([one], { initContainers: [first], overhead })), {
    cpuShares: 2560,
    cpuQuota: 250_000,
    cpuPeriod: 100_000,
    memory: 1.25 * GI,
  });
  const resources = { requests: { cpu: "3" }, limits: { cpu: "4", memory: "2Gi" } };
  assert.deepEqual(podGroupLimits(pod([container("a")], { resources })), {
    cpuShares: 3072,
    cpuQuota: 400_000,
    cpuPeriod: 100_000,
    memory: 2 * GI,
  });
});

test("podGroupLimits allows no huge pages but those that were asked for", () => {
  const asks = container("a", { cpu: "1", "hugepages-2Mi": "4Mi" }, { "hugepages-2Mi": "4Mi" });
  const { hugepages } = podGroupLimits(pod([asks]), { hugepageSizes: ["2MB", "1GB"] });
  assert.deepEqual(
    [...hugepages!],
    [
      ["2MB", 4 * 2 ** 20],
      ["1GB", 0],
    ],
  );
  assert.equal(hugepageSize("hugepages-1Gi"), "1GB");
  assert.equal(hugepageSize("hugepages-64Ki"), "64KB");
  assert.equal(hugepageSize("memory"), undefined);
});

test("filesOf names the files of either version, and writes the period before the quota", () => {
  const limits = {
    cpuShares: 1024,
    cpuQuota: 50_000,
    cpuPeriod: 100_000,
    memory: -1,
    pids: -1,
    hugepages: new Map([["2MB", 0]]),
  };
  assert.deepEqual(filesOf(limits, 1), [
    ["cpu.shares", "1024"],
    ["cpu.cfs_period_us", "100000"],
    ["cpu.cfs_quota_us", "50000"],
    ["memory.limit_in_bytes", "-1"],
    ["pids.max", "max"],
    ["hugetlb.2MB.limit_in_bytes", "0"],
  ]);
  assert.deepEqual(filesOf(limits, 2), [
    ["cpu.weight", "100"],
    ["cpu.max", "50000 100000"],
    ["memory.max", "max"],
    ["pids.max", "max"],
    ["hugetlb.2MB.max", "0"],
  ]);
});

test("GroupNames are paths or slices, and tell the pod again", () => {
  const paths = new GroupNames("cgroupfs");
  assert.equal(paths.ofPod("Guaranteed", "1-2"), "/kubepods/pod1-2");
  assert.equal(paths.ofPod("BestEffort", "1-2"), "/kubepods/besteffort/pod1-2");
  assert.equal(paths.parentOf("/kubepods/pod1-2"), "/kubepods/pod1-2");
  assert.equal(paths.podOf("pod1-2"), "1-2");
  assert.equal(paths.podOf("burstable"), undefined);
  assert.equal(new GroupNames("cgroupfs", "/a/b").kubepods, "/a/b/kubepods");

  const slices = new GroupNames("systemd");
  const slice = slices.ofPod("Burstable", "1-2");
  assert.equal(slice, "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice");
  assert.equal(slices.parentOf(slice), "kubepods-burstable-pod1_2.slice");
  assert.equal(slices.podOf("kubepods-burstable-pod1_2.slice"), "1-2");
  assert.equal(slices.podOf("kubepods-burstable.slice"), undefined);
});

test("oomScoreOf ranks containers by class and by the memory they asked for", () => {
  const score = (given: Pod, index = 0) => oomScoreOf(given, given.spec!.containers[index]!, 10 * GI);
  const guaranteed = container("a", { cpu: "1", memory: "1Gi" }, { cpu: "1", memory: "1Gi" });
  assert.equal(score(pod([guaranteed])), -997);
  assert.equal(score(pod([container("a")])), 1000);
  assert.equal(score(pod([container("a", { memory: "1Gi" })])), 900);
  assert.equal(score(pod([container("a", { memory: "10Gi" })])), 3);
  assert.equal(score(pod([container("a", { cpu: "1" })])), 999);
  const critical = { priority: 2_000_001_000, priorityClassName: "system-node-critical" };
  assert.equal(score(pod([container("a")], critical)), -997);
  // 4Gi of the pod, less the 1Gi of its containers, in two parts.
  const shared = pod([container("a", { memory: "1Gi" }), container("b")], {
    resources: { requests: { memory: "4Gi" } },
  });
  assert.deepEqual([score(shared), score(shared, 1)], [750, 850]);
});

test("oomScoreOf lets no sidecar go before every container that it is there for", () => {
  const sidecar: Container = { ...container("s", { memory: "1Mi" }), restartPolicy: "Always" };
  const given = pod([container("a", { memory: "1Gi" }), container("b", { memory: "2Gi" })], {
    initContainers: [sidecar],
  });
  assert.equal(oomScoreOf(given, sidecar, 10 * GI), 900);
});

test("containerResources takes a limit for the request that is not said, and fits the machine", () => {
  const limits = { cpu: "500m", memory: "128Mi" };
  const one = container("a", { memory: "128Mi" }, limits);
  const settings = {
    memoryCapacity: 10 * GI,
    cgroupVersion: 1,
    lowestOomScoreAdj: 0,
    swapLimits: true,
  } as const;
  assert.deepEqual(containerResources(pod([one, container("b")]), one, settings), {
    cpuShares: 512,
    cpuQuota: 50_000,
    cpuPeriod: 100_000,
    memoryLimitInBytes: 128 * 2 ** 20,
    memorySwapLimitInBytes: 128 * 2 ** 20,
    oomScoreAdj: 988,
    hugepageLimits: [],
  });
  const free = container("b");
  assert.deepEqual(
    containerResources(pod([free]), free, { ...settings, cgroupVersion: 2, hugepageSizes: ["2MB"] }),
    {
      cpuShares: 2,
      cpuQuota: 0,
      cpuPeriod: 100_000,
      oomScoreAdj: 1000,
      hugepageLimits: [{ pageSize: "2MB", limit: 0 }],
      unified: new Map([
        ["memory.oom.group", "1"],
        ["memory.swap.max", "0"],
      ]),
    },
  );
});

test("containerResources gives containers without limits those of the whole pod", () => {
  const free = container("a");
  const resources = { limits: { cpu: "2", memory: "1Gi" } };
  const given = containerResources(pod([free], { resources }), free, {
    memoryCapacity: 10 * GI,
    cgroupVersion: 1,
  });
  assert.deepEqual([given.cpuShares, given.cpuQuota, given.memoryLimitInBytes], [2048, 200_000, GI]);
});

test("allocatableOf leaves what nobody reserved, and never less than nothing", () => {
  const capacity = { cpu: "2", memory: "4Gi", "hugepages-2Mi": "1Gi", pods: "110", "example.com/gpu": "1" };
  const left = allocatableOf(capacity, {
    kube: { cpu: "500m", memory: "512Mi" },
    system: { cpu: "3", memory: "512Mi" },
    eviction: { memory: "100Mi" },
  });
  assert.deepEqual(Object.fromEntries(left), {
    cpu: "0",
    memory: "1948Mi",
    "hugepages-2Mi": "1Gi",
    pods: "110",
    "example.com/gpu": "1",
  });
});

test("driverOfConfiguration reads what containerd says of the runtime that it takes by default", () => {
  const told = (SystemdCgroup: boolean) =>
    JSON.stringify({
      containerd: { defaultRuntimeName: "runc", runtimes: { runc: { options: { SystemdCgroup } } } },
    });
  assert.equal(driverOfConfiguration(told(true)), "systemd");
  assert.equal(driverOfConfiguration(told(false)), "cgroupfs");
  assert.equal(driverOfConfiguration(""), "cgroupfs");
});

test("podsLimits holds all pods to what is not reserved, of processes only where they are reserved", () => {
  const machine = { cores: 2, memoryBytes: 2 ** 30, processes: 1000 };
  assert.deepEqual(podsLimits(machine, {}), { cpuShares: 2048, memory: 2 ** 30 });
  const reserved = { kube: { cpu: "500m", memory: "256Mi", pid: "100" }, system: { memory: "256Mi" } };
  assert.deepEqual(podsLimits(machine, reserved), { cpuShares: 1536, memory: 2 ** 29, pids: 900 });
});

test("excessReservation tells what is reserved and not there", () => {
  const capacity = { cpu: "2", memory: "1Gi" };
  assert.equal(excessReservation(capacity, { kube: { cpu: "1" }, system: { cpu: "1" } }), undefined);
  assert.equal(
    excessReservation(capacity, { kube: { memory: "1Gi" }, system: { memory: "1Mi" } }),
    'invalid Node Allocatable configuration. Resource "memory" has a reservation of 1025Mi but capacity of 1Gi. Expected capacity >= reservation',
  );
});
