import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import {
  averageReplicas,
  groupPods,
  type PodMetric,
  requestsOf,
  sharedReplicas,
  totalReplicas,
  utilizationReplicas,
} from "./replica-calculator.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");
const tolerances = { up: 0.1, down: 0.1 };

interface Shape {
  phase?: string;
  ready?: boolean;
  /** Seconds ago. */
  started?: number;
  changed?: number;
  leaving?: boolean;
  cpu?: string;
}

function podOf(name: string, shape: Shape = {}): Pod {
  const { phase = "Running", ready = true, started = 3600, changed = 3600, leaving, cpu = "1" } = shape;
  const at = (ago: number) => new Date(NOW - ago * 1000).toISOString();
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, ...(leaving && { deletionTimestamp: at(1) }) },
    spec: { containers: [{ name: "c", resources: { requests: { cpu } } }] },
    status: {
      phase,
      startTime: at(started),
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: at(changed) }],
    },
  };
}

function metric(milli: number, ago = 0): PodMetric {
  return { milli, at: NOW - ago * 1000, window: 60_000 };
}

function many(count: number, shape: Shape = {}): Pod[] {
  return Array.from({ length: count }, (_, i) => podOf(`p${i}`, shape));
}

function metricsOf(...amounts: number[]): Map<string, PodMetric> {
  return new Map(amounts.map((milli, i) => [`p${i}`, metric(milli)]));
}

function byUse(pods: Pod[], amounts: Map<string, PodMetric>, target: number, current = pods.length): number {
  return utilizationReplicas(pods, amounts, target, { current, tolerances, resource: "cpu", now: NOW })
    .replicas;
}

test("utilization asks for as many pods as bring it to the target, rounded up", () => {
  const pods = many(3);
  assert.equal(byUse(pods, metricsOf(300, 500, 700), 30), 5);
  assert.equal(byUse(pods, metricsOf(100, 100, 100), 50), 1);
  const { utilization, milli } = utilizationReplicas(pods, metricsOf(300, 500, 700), 30, {
    current: 3,
    tolerances,
    resource: "cpu",
    now: NOW,
  });
  assert.deepEqual([utilization, milli], [50, 500]);
});

test("nothing changes within the tolerance, which each direction may have its own of", () => {
  const pods = many(2);
  assert.equal(byUse(pods, metricsOf(550, 550), 50), 2);
  assert.equal(byUse(pods, metricsOf(560, 560), 50), 3);
  assert.equal(byUse(pods, metricsOf(450, 450), 50), 2);
  const context = { current: 2, resource: "cpu", now: NOW };
  const wide = { ...context, tolerances: { up: 0.5, down: 0.1 } };
  assert.equal(utilizationReplicas(pods, metricsOf(700, 700), 50, wide).replicas, 2);
  const exact = { ...context, tolerances: { up: 0, down: 0 } };
  assert.equal(utilizationReplicas(pods, metricsOf(510, 510), 50, exact).replicas, 3);
});

test("a pod without a metric is taken to use nothing where more are asked for, and its request where fewer are", () => {
  const pods = many(4);
  assert.equal(byUse(pods, metricsOf(1000, 1000, 1000), 50), 6);
  assert.equal(byUse(pods, metricsOf(200, 200, 200), 50), 4);
  assert.equal(byUse(pods, metricsOf(10, 10, 10), 100), 1);
});

test("pods that start count as using nothing, and never turn growth into shrinking", () => {
  const pods = [
    podOf("p0"),
    podOf("p1", { ready: false, started: 20, changed: 10 }),
    podOf("p2", { phase: "Pending" }),
  ];
  assert.equal(byUse(pods, metricsOf(1000, 900, 0), 25), 4);
  assert.equal(byUse(pods, metricsOf(500, 900, 0), 30), 3);
});

test("without pods, or without a metric of one that counts, nothing is asked for", () => {
  assert.throws(() => byUse([], metricsOf(1), 50, 1), { message: /^no pods returned by selector/ });
  const why = { message: "did not receive metrics for targeted pods (pods might be unready)" };
  assert.throws(() => byUse(many(2), new Map(), 50), why);
  assert.throws(() => byUse(many(1, { leaving: true }), metricsOf(1), 50), why);
});

test("pods are grouped by what their metric is worth", () => {
  const pods = [
    podOf("ready"),
    podOf("failed", { phase: "Failed" }),
    podOf("leaving", { leaving: true }),
    podOf("pending", { phase: "Pending" }),
    podOf("missing"),
    podOf("starting", { started: 100, ready: false, changed: 90 }),
    podOf("fresh", { started: 100, changed: 30 }),
    podOf("settled", { started: 200, changed: 100 }),
    podOf("never", { started: 600, ready: false, changed: 590 }),
    podOf("broken", { started: 600, ready: false, changed: 100 }),
  ];
  const metrics = new Map(pods.map(({ metadata }) => [metadata.name!, metric(1)]));
  metrics.delete("missing");
  assert.deepEqual(groupPods(pods, metrics, "cpu", NOW), {
    ready: 3,
    ignored: ["failed", "leaving"],
    unready: ["pending", "starting", "fresh", "never"],
    missing: ["missing"],
  });
  assert.deepEqual(groupPods(pods, metrics, "memory", NOW).unready, ["pending"]);
});

test("a request that is missing is named, and one of the whole pod or of a container is taken", () => {
  const pod = podOf("p", { cpu: "250m" });
  pod.spec!.containers.push({ name: "d", resources: { requests: { cpu: "1" } } });
  pod.spec!.initContainers = [
    { name: "once" },
    { name: "side", restartPolicy: "Always", resources: { requests: { cpu: "50m" } } },
  ];
  assert.deepEqual([...requestsOf([pod], "cpu")], [["p", 1300]]);
  assert.deepEqual([...requestsOf([pod], "cpu", "d")], [["p", 1000]]);
  assert.throws(() => requestsOf([pod], "memory"), {
    message: "missing request for memory in container c of Pod p",
  });
  pod.spec!.resources = { requests: { memory: "2" } };
  assert.deepEqual([...requestsOf([pod], "memory")], [["p", 2000]]);
});

test("an average asks for as many pods as bring it to the target", () => {
  const context = { current: 3, tolerances, resource: "", now: NOW };
  assert.deepEqual(averageReplicas(many(3), metricsOf(20_000, 10_000, 30_000), 10_000, context), {
    replicas: 6,
    milli: 20_000,
    utilization: undefined,
  });
  assert.equal(averageReplicas(many(3), metricsOf(1000, 1000), 10_000, context).replicas, 2);
  assert.equal(averageReplicas(many(3), metricsOf(30_000, 30_000), 10_000, context).replicas, 6);
});

test("a total is set against the pods that are ready, or makes the first pods", () => {
  const pods = [podOf("a"), podOf("b"), podOf("c", { ready: false })];
  const context = { current: 3, tolerances };
  assert.equal(totalReplicas(pods, 20_000, 10_000, context).replicas, 4);
  assert.equal(totalReplicas(pods, 10_500, 10_000, context).replicas, 3);
  assert.equal(totalReplicas([], 25_000, 10_000, { current: 0, tolerances }).replicas, 3);
});

test("a total that is shared is divided by the part of each", () => {
  assert.deepEqual(sharedReplicas(8600, 2000, 4, tolerances), { replicas: 4, milli: 2150 });
  assert.deepEqual(sharedReplicas(9000, 2000, 4, tolerances), { replicas: 5, milli: 2250 });
});
