import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplicaSet } from "../../src/api/apps/replica-set.ts";
import { HorizontalPodAutoscaler } from "../../src/api/autoscaling/horizontal-pod-autoscaler.ts";
import { startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

const NS = "default";
const labels = { app: "web" };

test("an autoscaler keeps its target in range, and tells that there are no metrics to go by", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const sets = client.resource(ReplicaSet, NS);
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  await sets.create({
    metadata: { name: "web" },
    spec: { replicas: 5, selector: { matchLabels: labels }, template },
  });
  const autoscalers = client.resource(HorizontalPodAutoscaler, NS);
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web" };
  await autoscalers.create({ metadata: { name: "web" }, spec: { scaleTargetRef, maxReplicas: 3 } });
  await until(sets, "web", (set) => set?.spec?.replicas === 3);
  const scaled = await until(autoscalers, "web", (each) => each?.status?.desiredReplicas === 3);
  assert.equal(scaled?.status?.currentReplicas, 5);
  // A new spec is looked at right away.
  await autoscalers.patch("web", { spec: { maxReplicas: 4 } }, { type: "merge" });
  const blind = await until(autoscalers, "web", (each) =>
    Boolean(each?.status?.conditions?.some(({ reason }) => reason === "FailedGetResourceMetric")),
  );
  const active = blind?.status?.conditions?.find(({ type }) => type === "ScalingActive");
  assert.equal(
    active?.message,
    "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)",
  );
  assert.deepEqual(blind?.status?.currentMetrics, [{ type: "" }]);
  const notScalable = { apiVersion: "v1", kind: "ConfigMap", name: "web" };
  await autoscalers.create({
    metadata: { name: "odd" },
    spec: { scaleTargetRef: notScalable, maxReplicas: 3 },
  });
  const odd = await until(autoscalers, "odd", (each) => each?.status?.conditions !== undefined);
  const [able] = odd?.status?.conditions ?? [];
  assert.deepEqual(
    [able?.reason, able?.message],
    [
      "FailedGetScale",
      "the HPA controller was unable to get the target's current scale: the server could not find the requested resource",
    ],
  );
});
