/** The figures that controllers keep beside those of their queues, against upstream's list where it is there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { HorizontalPodAutoscaler } from "../../src/api/autoscaling/horizontal-pod-autoscaler.ts";
import { CronJob } from "../../src/api/batch/cron-job.ts";
import { Job } from "../../src/api/batch/job.ts";
import { MetricSet } from "../../src/base/metrics/metric-set.ts";
import { silentRecorder } from "../../src/client/events/event-recorder.ts";
import { controllers } from "../../src/controllers/index.ts";
import { AutoscalerMetrics } from "../../src/controllers/podautoscaler/autoscaler-metrics.ts";
import { startControllers } from "../../src/controllers/runtime/start-controllers.ts";
import { Pod, Service, startCluster, VirtualClock } from "../../src/testing/index.ts";

interface Listed {
  name: string;
  subsystem?: string;
  namespace?: string;
  type: string;
  help: string;
  stabilityLevel: string;
  labels?: string[];
  buckets?: (number | string)[];
}

const LIST = new URL("../../../shared/reference/stable-metrics-list.yaml", import.meta.url);
const skip = existsSync(LIST) ? false : "the reference list of metrics is absent";

const OWNED =
  /^(job_controller|cronjob_controller|endpoint_slice_controller|horizontal_pod_autoscaler_controller|node_collector|running_managed)_/;
const CHOSEN = [
  "job-controller",
  "cronjob-controller",
  "endpointslice-controller",
  "node-lifecycle-controller",
  "horizontal-pod-autoscaler-controller",
];

/** Figures after a job, a cron job, a service and an autoscaler were seen to. */
async function exposition(): Promise<string> {
  const clock = new VirtualClock(Date.parse("2026-01-01T00:00:30Z"));
  await using cluster = await startCluster({
    clock,
    controllers: ["serviceaccount-controller"],
    scheduler: false,
  });
  const { client } = cluster;
  const figures = new MetricSet();
  const running = startControllers(
    controllers.filter(({ name }) => CHOSEN.includes(name)),
    {
      client,
      clientOf: () => client,
      eventsOf: () => silentRecorder,
      clock,
      random: () => 0,
      settings: { rootCA: "", clusterCIDRs: [], serviceCIDRs: [], loadBalancerRanges: [] },
      figures,
      log: () => {},
    },
  );
  const containers = [{ name: "main", image: "main:1" }];
  const template = { spec: { restartPolicy: "Never", containers } };
  const jobs = client.resource(Job, "default");
  await jobs.create({ metadata: { name: "once" }, spec: { template } });
  const rules = [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }];
  await jobs.create({ metadata: { name: "disrupted" }, spec: { template, podFailurePolicy: { rules } } });
  await client.resource(CronJob, "default").create({
    metadata: { name: "often" },
    spec: { schedule: "* * * * *", jobTemplate: { spec: { template } } },
  });
  await client.resource(Service, "default").create({
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }], trafficDistribution: "PreferClose" },
  });
  await client.resource(HorizontalPodAutoscaler, "default").create({
    metadata: { name: "web" },
    spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "none" } },
  });
  await cluster.pass(5_000);
  const pods = client.resource(Pod, "default");
  for (const { metadata } of (await pods.list()).items) {
    const conditions = [{ type: "DisruptionTarget", status: "True" }];
    const isDisrupted = metadata.name!.startsWith("disrupted");
    const status = isDisrupted ? { phase: "Failed", conditions } : { phase: "Succeeded" };
    await pods.patch(metadata.name!, { status }, { type: "strategic", subresource: "status" });
  }
  await cluster.pass(60_000);
  await running.stop();
  return figures.exposition();
}

/** Of one sample of each family: its labels and, of histograms, the bounds of its buckets. */
function seen(text: string, name: string): { labels: string[]; bounds: string[] } {
  const labels = new Set<string>();
  const bounds = new Set<string>();
  for (const line of text.split("\n")) {
    if (!/^[a-z_]+/.exec(line)?.[0].startsWith(name)) continue;
    for (const [, label = "", value = ""] of line.matchAll(/([a-z_]+)="([^"]*)"/g)) {
      if (label !== "le") labels.add(label);
      else if (value !== "+Inf") bounds.add(value);
    }
  }
  return { labels: [...labels].sort(), bounds: [...bounds] };
}

test("controllers' figures have upstream's names, types, helps, labels and buckets", { skip }, async () => {
  const text = await exposition();
  const measured = new MetricSet();
  new AutoscalerMetrics(measured).computed("Resource", 1, 2, 3);
  const listed = (parse(readFileSync(LIST, "utf8")) as Listed[])
    .map((each) => ({ ...each, full: [each.namespace, each.subsystem, each.name].filter(Boolean).join("_") }))
    .filter(({ full }) => OWNED.test(full));
  const missing: string[] = [];
  for (const { full, type, help, stabilityLevel, labels = [], buckets = [] } of listed) {
    const own = text.includes(`# TYPE ${full} `);
    if (!own) {
      missing.push(full);
      continue;
    }
    // The list has some helps as Go's source has them.
    const told = help.replaceAll("`", full.startsWith("job_") ? "" : "`").replaceAll("\n", "\\n");
    assert.ok(text.includes(`# HELP ${full} [${stabilityLevel}] ${told}\n`), full);
    assert.ok(text.includes(`# TYPE ${full} ${type.toLowerCase()}\n`), full);
    const samples = seen(full.includes("metric_computation") ? measured.exposition() : text, full);
    // Evicting a node takes nodes that fail: its label is declared beside its name.
    if (full !== "node_collector_evictions_total") assert.deepEqual(samples.labels, labels.toSorted(), full);
    assert.deepEqual(samples.bounds.map(Number), buckets.map(Number), full);
  }
  assert.deepEqual(missing, []);
  assert.equal(listed.length, 19);
});

test("controllers count what they did", async () => {
  const text = await exposition();
  for (const sample of [
    'running_managed_controllers{name="job-controller",manager="kube-controller-manager"} 1',
    'job_controller_jobs_finished_total{completion_mode="NonIndexed",result="succeeded",reason="CompletionsReached"} 1',
    'job_controller_job_pods_finished_total{completion_mode="NonIndexed",result="succeeded"} 1',
    'job_controller_pod_failures_handled_by_failure_policy_total{action="Ignore"} 1',
    'job_controller_terminated_pods_tracking_finalizer_total{event="add"} 2',
    'job_controller_terminated_pods_tracking_finalizer_total{event="delete"} 2',
    "cronjob_controller_job_creation_skew_duration_seconds_count 1",
    "endpoint_slice_controller_num_endpoint_slices 1",
    'endpoint_slice_controller_services_count_by_traffic_distribution{traffic_distribution="PreferClose"} 1',
  ]) {
    assert.ok(text.includes(`${sample}\n`), `${sample}\n${text}`);
  }
  assert.match(text, /job_controller_job_syncs_total\{.*result="success",action="pods_created"\} 4/);
  assert.match(text, /controller_reconciliations_total\{action="none",error="internal"\} [1-9]/);
});
