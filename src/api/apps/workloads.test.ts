import assert from "node:assert/strict";
import { test } from "node:test";
import { HorizontalPodAutoscaler } from "../autoscaling/index.ts";
import { CronJob, Job } from "../batch/index.ts";
import { scheduleError } from "../batch/schedule.ts";
import { countIndexes } from "../batch/validate-success-policy.ts";
import { ReplicationController } from "../core/pods.ts";
import type { KubeObject } from "../object.ts";
import type { RequestContext, Resource } from "../resource.ts";
import { ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet } from "./index.ts";

const context = {} as RequestContext;
const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx" }] } };
const workload = { selector: { matchLabels: labels }, template };
const once = { metadata: { labels }, spec: { ...template.spec, restartPolicy: "Never" } };

/** A new object of the kind, as the server has it before validation. */
function made<T extends KubeObject>(resource: Resource<T>, fields: Record<string, unknown>): T {
  const { group, version, kind } = resource;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const object = structuredClone({ apiVersion, kind, metadata: { name: "web", uid: "1-2-3" }, ...fields });
  resource.defaults?.(object as unknown as T);
  resource.prepareForCreate?.(object as unknown as T, context);
  return object as unknown as T;
}

function wrong<T extends KubeObject>(resource: Resource<T>, object: T, old?: T): string[] {
  const errors = [...(resource.validate?.(object, context) ?? [])];
  if (old) errors.push(...(resource.validateUpdate?.(object, old, context) ?? []));
  return errors.map(({ field, body }) => `${field}: ${body}`);
}

function check<T extends KubeObject>(
  resource: Resource<T>,
  good: Record<string, unknown>,
  bad: [string, Record<string, unknown>, string][],
): void {
  test(`${resource.kind} accepts what is right`, () => {
    assert.deepEqual(wrong(resource, made(resource, good)), []);
  });
  for (const [what, fields, error] of bad) {
    test(`${resource.kind} refuses ${what}`, () => {
      const errors = wrong(resource, made(resource, fields));
      assert.ok(errors.includes(error), errors.join("\n"));
    });
  }
}

const other = { ...workload, selector: { matchLabels: { app: "other" } } };
const mismatch =
  'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`';

check(Deployment, { spec: workload }, [
  ["a selector of other pods", { spec: other }, mismatch],
  [
    "an update that may do nothing",
    { spec: { ...workload, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: "0%" } } } },
    "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
  ],
  [
    "pods that end",
    { spec: { ...workload, template: once } },
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
]);
check(ReplicaSet, { spec: workload }, [
  ["no selector", { spec: { template } }, "spec.selector: Required value"],
  ["a template that no selector takes", { spec: { template } }, mismatch],
]);
const mounting = (name: string) => ({
  ...template,
  spec: { containers: [{ name: "c", image: "i", volumeMounts: [{ name, mountPath: "/data" }] }] },
});
const volumeClaimTemplates = [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } }];
check(
  StatefulSet,
  { spec: { ...workload, template: mounting("data"), volumeClaimTemplates, serviceName: "web" } },
  [
    [
      "mounts of neither a volume nor a claim",
      { spec: { ...workload, template: mounting("other"), volumeClaimTemplates } },
      'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "other"',
    ],
    [
      "an unknown policy",
      { spec: { ...workload, podManagementPolicy: "Any" } },
      "spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'",
    ],
  ],
);
check(DaemonSet, { spec: workload }, [
  [
    "surge and absence at once",
    { spec: { ...workload, updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } } },
    "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
  ],
]);
check(ControllerRevision, { data: {}, revision: 1 }, [
  ["no data", { revision: 1 }, "data: Required value: data is mandatory"],
]);
check(ReplicationController, { spec: { template } }, [
  ["no template", { spec: { selector: labels } }, "spec.template: Required value"],
]);
check(Job, { spec: { template: once } }, [
  [
    "pods that never end",
    { spec: { template } },
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    "indexes without a number",
    { spec: { template: once, completionMode: "Indexed", parallelism: 1 } },
    "spec.completions: Required value: when completion mode is Indexed",
  ],
]);
check(CronJob, { spec: { schedule: "*/5 * * * *", jobTemplate: { spec: { template: once } } } }, [
  [
    "an unknown time zone",
    { spec: { schedule: "@daily", timeZone: "Mars/Olympus", jobTemplate: { spec: { template: once } } } },
    'spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus',
  ],
]);
const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
check(HorizontalPodAutoscaler, { spec: { scaleTargetRef, maxReplicas: 3 } }, [
  [
    "a maximum below the minimum",
    { spec: { scaleTargetRef, minReplicas: 4, maxReplicas: 3 } },
    "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`",
  ],
]);

test("Deployment defaults are upstream's", () => {
  const { replicas, strategy, revisionHistoryLimit, progressDeadlineSeconds } =
    made(Deployment, { spec: workload }).spec ?? {};
  assert.deepEqual(
    { replicas, strategy, revisionHistoryLimit, progressDeadlineSeconds },
    {
      replicas: 1,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
  );
});

test("Deployment keeps its selector", () => {
  const errors = wrong(Deployment, made(Deployment, { spec: other }), made(Deployment, { spec: workload }));
  assert.ok(
    errors.includes('spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable'),
    errors.join("\n"),
  );
});

test("Job selects its own pods by its uid", () => {
  const { spec } = made(Job, { spec: { template: once } });
  assert.deepEqual(spec?.selector, { matchLabels: { "batch.kubernetes.io/controller-uid": "1-2-3" } });
  assert.deepEqual(spec?.template.metadata?.labels, {
    app: "web",
    "job-name": "web",
    "batch.kubernetes.io/job-name": "web",
    "controller-uid": "1-2-3",
    "batch.kubernetes.io/controller-uid": "1-2-3",
  });
});

test("scheduleError knows cron", () => {
  for (const good of ["0 0 1 1 *", "*/15 0-6,12 * jan-mar mon", "@hourly", "@every 1h30m"]) {
    assert.equal(scheduleError(good), undefined, good);
  }
  assert.equal(scheduleError("* * * *"), "expected exactly 5 fields, found 4: [* * * *]");
  assert.equal(scheduleError("60 * * * *"), "end of range (60) above maximum (59): 60");
});

test("countIndexes counts intervals", () => {
  assert.equal(countIndexes("0,2-4", 5), 4);
  assert.equal(typeof countIndexes("3,1", 5), "string");
});

test("autoscaling/v1 keeps what it has no field for", () => {
  const [v1] = HorizontalPodAutoscaler.alternates;
  const pods = {
    type: "Pods",
    pods: { metric: { name: "q" }, target: { type: "AverageValue", averageValue: "1" } },
  };
  const cpu = {
    type: "Resource",
    resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
  };
  const stored = made(HorizontalPodAutoscaler, {
    spec: { scaleTargetRef, maxReplicas: 3, metrics: [cpu, pods] },
  });
  const old = v1?.fromStored(stored) as KubeObject & { spec: { targetCPUUtilizationPercentage: number } };
  assert.equal(old.spec.targetCPUUtilizationPercentage, 70);
  assert.deepEqual(v1?.toStored(old), stored);
});
