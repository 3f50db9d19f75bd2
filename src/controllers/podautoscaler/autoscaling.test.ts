import assert from "node:assert/strict";
import { test } from "node:test";
import type { HorizontalPodAutoscaler, MetricSpec } from "../../api/schema/autoscaling.v2.generated.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../base/clock.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import type { FoundScale } from "../workloads/scales.ts";
import { Autoscaling } from "./autoscaling.ts";
import type { Metrics } from "./metrics-api.ts";
import { MetricError, type PodMetric } from "./replica-calculator.ts";

const cpu: MetricSpec = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
};

interface World {
  replicas: number;
  selector: string;
  /** Of each pod, in thousandths of what it requests; undefined: no metrics API. */
  use?: number;
  total: number;
  refuses?: string;
  isGone?: boolean;
}

function setUp(metrics: MetricSpec[] = [cpu]) {
  const clock = new VirtualClock();
  const world: World = { replicas: 4, selector: "app=web", use: 500, total: 0 };
  const told: string[] = [];
  const pods = (): Pod[] =>
    Array.from({ length: world.replicas }, (_, i) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `p${i}`, namespace: "ns", labels: { app: "web" } },
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] },
      status: {
        phase: "Running",
        startTime: "2020-01-01T00:00:00Z",
        conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2020-01-01T00:00:00Z" }],
      },
    }));
  const absent = () => new MetricError("unable to fetch metrics from resource metrics API: absent");
  const port: Metrics = {
    async resource() {
      const { use } = world;
      if (use === undefined) throw absent();
      const metric: PodMetric = { milli: use, at: clock.now(), window: 30_000 };
      return new Map(pods().map(({ metadata }) => [metadata.name!, metric]));
    },
    pods: async () => new Map(),
    object: async () => world.total,
    external: async () => [world.total],
  };
  const scale = (): FoundScale => ({
    resource: {
      group: "apps",
      version: "v1",
      kind: "Deployment",
      plural: "deployments",
      scope: "Namespaced",
    },
    scale: {
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: { name: "web", namespace: "ns" },
      spec: { replicas: world.replicas },
      status: { replicas: world.replicas, selector: world.selector },
    },
  });
  const autoscaling = new Autoscaling({
    scales: {
      get: async () => (world.isGone ? undefined : scale()),
      async set(_, replicas) {
        if (world.refuses) throw new Error(world.refuses);
        world.replicas = replicas;
      },
    },
    metrics: port,
    pods: { list: pods } as unknown as Lister<Pod>,
    events: { record: (_o, _t, reason, note) => told.push(`${reason}: ${note}`) } satisfies EventRecorder,
  });
  let autoscaler: HorizontalPodAutoscaler = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "web", namespace: "ns" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 2,
      maxReplicas: 20,
      metrics,
    },
  };
  const look = async (key = "ns/web") => {
    const status = (await autoscaling.look(key, autoscaler, clock.now())).status();
    autoscaler = { ...autoscaler, status };
    const conditions: Record<string, string> = {};
    for (const { type, status: is, reason } of status.conditions ?? []) conditions[type] = `${is} ${reason}`;
    return { ...status, conditions };
  };
  return { clock, world, told, look, autoscaling };
}

test("a target that is at its goal is left as it is", async () => {
  const { look, told, world } = setUp();
  const status = await look();
  assert.equal(world.replicas, 4);
  assert.deepEqual(status.conditions, {
    AbleToScale: "True ReadyForNewScale",
    ScalingActive: "True ValidMetricFound",
    ScalingLimited: "False DesiredWithinRange",
  });
  assert.deepEqual([status.currentReplicas, status.desiredReplicas, status.lastScaleTime], [4, 4, undefined]);
  assert.deepEqual(status.currentMetrics, [
    {
      type: "Resource",
      resource: { name: "cpu", current: { averageUtilization: 50, averageValue: "500m" } },
    },
  ]);
  assert.deepEqual(told, []);
});

test("a busy target grows at once, and an idle one shrinks after five minutes", async () => {
  const { look, told, world, clock } = setUp();
  world.use = 750;
  const grown = await look();
  assert.deepEqual([world.replicas, grown.currentReplicas, grown.desiredReplicas], [6, 4, 6]);
  assert.equal(grown.conditions.AbleToScale, "True SucceededRescale");
  assert.notEqual(grown.lastScaleTime, undefined);
  assert.deepEqual(told, [
    "SuccessfulRescale: New size: 6; reason: cpu resource utilization (percentage of request) above target",
  ]);
  world.use = 100;
  for (let i = 0; i < 20; i++) {
    clock.advance(15_000);
    assert.equal((await look()).conditions.AbleToScale, "True ScaleDownStabilized");
  }
  assert.equal(world.replicas, 6);
  clock.advance(15_000);
  await look();
  assert.equal(world.replicas, 2);
  assert.equal(told.at(-1), "SuccessfulRescale: New size: 2; reason: All metrics below target");
});

test("a target outside of the range is brought into it without metrics; one of none is left off", async () => {
  const { look, told, world } = setUp();
  world.use = undefined;
  world.replicas = 30;
  assert.deepEqual((await look()).currentMetrics, []);
  world.replicas = 1;
  await look();
  assert.equal(world.replicas, 2);
  assert.deepEqual(told, [
    "SuccessfulRescale: New size: 20; reason: Current number of replicas above Spec.MaxReplicas",
    "SuccessfulRescale: New size: 2; reason: Current number of replicas below Spec.MinReplicas",
  ]);
  world.replicas = 0;
  const off = await look();
  assert.equal(off.conditions.ScalingActive, "False ScalingDisabled");
  assert.deepEqual([world.replicas, off.desiredReplicas], [0, 0]);
});

test("where there are no metrics the target stays, and the conditions and events say why", async () => {
  const { look, told, world } = setUp();
  world.use = undefined;
  const { conditions } = await look();
  assert.deepEqual(conditions, {
    AbleToScale: "True SucceededGetScale",
    ScalingActive: "False FailedGetResourceMetric",
  });
  const why =
    "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: absent";
  assert.deepEqual(told, [
    `FailedGetResourceMetric: ${why}`,
    `FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
  ]);
  assert.equal(world.replicas, 4);
});

test("of several metrics the one that asks for most counts, and one that is missing lets no pods go", async () => {
  const queue: MetricSpec = {
    type: "External",
    external: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "2" } },
  };
  const { look, world, clock } = setUp([cpu, queue]);
  world.total = 14_000;
  const both = await look();
  assert.equal(world.replicas, 7);
  assert.deepEqual(both.currentMetrics?.[1]?.external?.current, { averageValue: "3500m" });
  world.use = undefined;
  world.total = 2000;
  clock.advance(600_000);
  const { conditions, currentMetrics } = await look();
  assert.equal(conditions.ScalingActive, "False FailedGetResourceMetric");
  assert.equal(world.replicas, 7);
  const [missing, known] = currentMetrics ?? [];
  assert.deepEqual([missing, known?.external?.current], [{ type: "" }, { averageValue: "286m" }]);
  world.total = 30_000;
  assert.equal((await look()).conditions.ScalingActive, "True ValidMetricFound");
  assert.equal(world.replicas, 14);
});

test("what fails is named after its own metric, and an external metric after its selector as upstream prints it", async () => {
  const memory: MetricSpec = {
    type: "Resource",
    resource: { name: "memory", target: { type: "AverageValue", averageValue: "1" } },
  };
  const queue = (matchLabels?: Record<string, string>): MetricSpec => ({
    type: "External",
    external: {
      metric: { name: "queue", ...(matchLabels && { selector: { matchLabels } }) },
      target: { type: "AverageValue", averageValue: "2" },
    },
  });
  const absent = setUp([queue(), memory]);
  absent.world.use = undefined;
  await absent.look();
  assert.match(absent.told.at(-1)!, /first error is: failed to get memory resource metric value: /);
  const plain = setUp([queue()]);
  plain.world.total = 14_000;
  await plain.look();
  assert.deepEqual(plain.told, [
    "SuccessfulRescale: New size: 7; reason: external metric queue(nil) above target",
  ]);
  const selected = setUp([queue({ topic: "b", app: "a" })]);
  selected.world.total = 14_000;
  await selected.look();
  assert.deepEqual(selected.told, [
    "SuccessfulRescale: New size: 7; reason: external metric queue(&LabelSelector{MatchLabels:map[string]string{app: a,topic: b,},MatchExpressions:[]LabelSelectorRequirement{},}) above target",
  ]);
});

test("a metric of an object is set against all pods together", async () => {
  const describedObject = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", name: "main" };
  const target = { type: "Value", value: "10" };
  const { look, world, told } = setUp([
    { type: "Object", object: { describedObject, metric: { name: "requests" }, target } },
  ]);
  world.total = 15_000;
  const { currentMetrics } = await look();
  assert.equal(world.replicas, 6);
  assert.deepEqual(currentMetrics?.[0]?.object?.current, { value: "15" });
  assert.deepEqual(told, ["SuccessfulRescale: New size: 6; reason: Ingress metric requests above target"]);
});

test("a target that is gone, cannot be set, or selects nothing, is told of", async () => {
  const { look, world, told } = setUp();
  world.isGone = true;
  assert.equal((await look()).conditions.AbleToScale, "False FailedGetScale");
  assert.equal(told.pop(), 'FailedGetScale: deployments.apps "web" not found');
  world.isGone = false;
  world.selector = "";
  assert.equal((await look()).conditions.ScalingActive, "False InvalidSelector");
  assert.deepEqual(told.splice(-2), [
    "SelectorRequired: selector is required",
    "FailedComputeMetricsReplicas: selector is required",
  ]);
  world.selector = "app=web";
  world.use = 1000;
  world.refuses = "no";
  const refused = await look();
  assert.deepEqual([refused.conditions.AbleToScale, world.replicas], ["False FailedUpdateScale", 4]);
  assert.match(told.pop()!, /^FailedRescale: New size: 8; reason: .* above target; error: no$/);
});

test("two autoscalers of the same pods stand still, until one is gone", async () => {
  const { look, world, told, autoscaling } = setUp();
  await look();
  world.use = 1000;
  assert.equal((await look("ns/other")).conditions.ScalingActive, "False AmbiguousSelector");
  const message = "pods by selector app=web are controlled by multiple HPAs: [ns/other ns/web]";
  assert.deepEqual(told, [`AmbiguousSelector: ${message}`, `FailedComputeMetricsReplicas: ${message}`]);
  autoscaling.forget("ns/other");
  await look();
  assert.equal(world.replicas, 8);
});
