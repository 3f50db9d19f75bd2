import assert from "node:assert/strict";
import test from "node:test";
import { readKubeletConfiguration } from "../../kubelet/configuration/read-configuration.ts";
import type { KubeletConfiguration } from "../../kubelet/configuration/settings.ts";
import {
  evictionSettings,
  imageSettings,
  limitsOfPods,
  logSettings,
  maxPodsOf,
  nodeSettings,
  shutdownPeriods,
  sysctlPatterns,
} from "./configured-parts.ts";

function configuration(fields: Record<string, unknown>): KubeletConfiguration {
  const head = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };
  const body = new TextEncoder().encode(JSON.stringify({ ...head, ...fields }));
  return readKubeletConfiguration(body, "/").configuration;
}

test("maxPodsOf counts by cores where it is told to, and never more than the most", () => {
  assert.equal(maxPodsOf(configuration({}), 64), 110);
  assert.equal(maxPodsOf(configuration({ podsPerCore: 10 }), 4), 40);
  assert.equal(maxPodsOf(configuration({ podsPerCore: 10 }), 64), 110);
});

test("imageSettings pulls as many at a time as it is told", () => {
  const most = (fields: Record<string, unknown>): number =>
    imageSettings(configuration(fields)).maxParallelPulls;
  assert.equal(most({}), 3);
  assert.equal(most({ serializeImagePulls: true }), 1);
  assert.equal(most({ serializeImagePulls: false }), Number.POSITIVE_INFINITY);
  assert.equal(most({ maxParallelImagePulls: 7 }), 7);
});

test("imageSettings tells of all images where it is told -1", () => {
  assert.equal(imageSettings(configuration({})).mostInStatus, 50);
  assert.equal(imageSettings(configuration({ nodeStatusMaxImages: 0 })).mostInStatus, 0);
  assert.equal(
    imageSettings(configuration({ nodeStatusMaxImages: -1 })).mostInStatus,
    Number.POSITIVE_INFINITY,
  );
});

test("logSettings are in bytes and milliseconds, and less than nothing is no rotation", () => {
  const told = logSettings(configuration({ containerLogMaxSize: "1Mi", containerLogMonitorInterval: "3s" }));
  assert.deepEqual(told, { maxSize: 2 ** 20, maxFiles: 5, period: 3000 });
  assert.equal(logSettings(configuration({ containerLogMaxSize: "-1" })).maxSize, Number.POSITIVE_INFINITY);
});

test("evictionSettings watch the pods' own group where they are held to it", () => {
  const signals = (fields: Record<string, unknown>): string[] =>
    evictionSettings(configuration(fields)).thresholds.map(({ signal }) => signal);
  const evictionHard = { "memory.available": "1Gi" };
  assert.deepEqual(signals({ evictionHard }), ["memory.available", "allocatableMemory.available"]);
  assert.deepEqual(signals({ evictionHard, enforceNodeAllocatable: ["none"] }), ["memory.available"]);
  assert.equal(evictionSettings(configuration({ evictionMaxPodGracePeriod: 9 })).maxGraceSeconds, 9);
});

test("limitsOfPods leaves pods the whole machine where they are not held to less", () => {
  const machine = { cores: 1, memoryBytes: 2 ** 30, processes: 100 };
  const kubeReserved = { memory: "512Mi" };
  assert.equal(limitsOfPods(configuration({ kubeReserved }), machine).all.memory, 2 ** 29);
  const loose = configuration({ kubeReserved, enforceNodeAllocatable: [] });
  assert.equal(limitsOfPods(loose, machine).all.memory, 2 ** 30);
  assert.deepEqual(limitsOfPods(configuration({ podPidsLimit: 5, cpuCFSQuota: false }), machine).each, {
    maxPids: 5,
    cpuQuota: false,
  });
});

test("shutdownPeriods are two, or those that are given by priorities", () => {
  assert.deepEqual(shutdownPeriods(configuration({})), []);
  const two = { shutdownGracePeriod: "30s", shutdownGracePeriodCriticalPods: "10s" };
  assert.deepEqual(
    shutdownPeriods(configuration(two)).map(({ shutdownGracePeriodSeconds }) => shutdownGracePeriodSeconds),
    [20, 10],
  );
  const given = [{ priority: 5, shutdownGracePeriodSeconds: 3 }, { shutdownGracePeriodSeconds: 4 }];
  assert.deepEqual(shutdownPeriods(configuration({ shutdownGracePeriodByPodPriority: given })), [
    { priority: 5, shutdownGracePeriodSeconds: 3 },
    { priority: 0, shutdownGracePeriodSeconds: 4 },
  ]);
});

test("sysctlPatterns are with dots, however they are written", () => {
  const allowedUnsafeSysctls = ["net/core/somaxconn", "kernel.msg*"];
  assert.deepEqual(sysctlPatterns(configuration({ allowedUnsafeSysctls })), [
    "net.core.somaxconn",
    "kernel.msg*",
  ]);
});

test("nodeSettings tell an unchanged status as often as it is looked at, where that is given", () => {
  const { statusPeriod, reportPeriod, leaseSeconds } = nodeSettings(
    configuration({ nodeStatusUpdateFrequency: "20s", nodeLeaseDurationSeconds: 60 }),
  );
  assert.deepEqual([statusPeriod, reportPeriod, leaseSeconds], [20_000, 20_000, 60]);
  assert.equal(nodeSettings(configuration({})).reportPeriod, 300_000);
});
