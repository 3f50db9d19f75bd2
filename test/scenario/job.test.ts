/** Jobs as the conformance tests know them, with pods whose end the test says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobSpec } from "../../src/api/schema/batch.v1.generated.ts";
import type { PodStatus } from "../../src/api/schema/core.v1.generated.ts";
import { type Cluster, Job, Namespace, Pod, startCluster, VirtualClock } from "../../src/testing/index.ts";
import { until } from "./until.ts";
import { untilAll } from "./until-all.ts";

const NAMESPACE = "default";
const LIMIT = { timeout: 240_000 };

function jobOf(name: string, spec: Partial<JobSpec>, restartPolicy = "Never") {
  const template = { spec: { restartPolicy, containers: [{ name: "work", image: "work:1" }] } };
  return { metadata: { name }, spec: { template, ...spec } };
}

function clients(cluster: Cluster) {
  return { jobs: cluster.client.resource(Job, NAMESPACE), pods: cluster.client.resource(Pod, NAMESPACE) };
}

function podsOf(cluster: Cluster, job: string, is: (pods: readonly Pod[]) => boolean): Promise<Pod[]> {
  const pods = cluster.client.resource(Pod, NAMESPACE);
  return untilAll(pods, `batch.kubernetes.io/job-name=${job}`, is);
}

function isActive({ metadata, status }: Pod): boolean {
  return !metadata.deletionTimestamp && status?.phase !== "Failed" && status?.phase !== "Succeeded";
}

function active(cluster: Cluster, job: string, count: number): Promise<Pod[]> {
  return podsOf(cluster, job, (pods) => pods.filter(isActive).length === count).then((pods) =>
    pods.filter(isActive),
  );
}

function isTracked({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes("batch.kubernetes.io/job-tracking") ?? false;
}

function indexOf(pod: Pod): number {
  return Number(pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"]);
}

/** As a kubelet would tell it. */
async function end(cluster: Cluster, pod: Pod, exitCode: number, more: PodStatus = {}): Promise<void> {
  const time = "2026-01-01T00:00:00Z";
  const terminated = { exitCode, startedAt: time, finishedAt: time };
  const status = {
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    containerStatuses: [
      {
        name: "work",
        image: "work:1",
        imageID: "",
        ready: false,
        restartCount: 0,
        state: { terminated },
      },
    ],
    ...more,
  };
  await cluster.client
    .resource(Pod, NAMESPACE)
    .patch(pod.metadata.name ?? "", { status }, { type: "strategic", subresource: "status" });
}

function conditions(job: Job | undefined): string[] {
  return (job?.status?.conditions ?? [])
    .filter(({ status }) => status === "True")
    .map(({ type, reason }) => `${type} ${reason}`);
}

function has(job: Job | undefined, type: string): boolean {
  return job?.status?.conditions?.some((c) => c.type === type && c.status === "True") ?? false;
}

test("a job runs as many pods as it may at a time until enough succeeded", LIMIT, async () => {
  await using cluster = await startCluster();
  const { jobs, pods } = clients(cluster);
  await jobs.create(jobOf("sum", { parallelism: 2, completions: 3 }));
  const [first, second] = await active(cluster, "sum", 2);
  await until(jobs, "sum", (job) => job?.status?.active === 2 && job.status.startTime !== undefined);
  await end(cluster, first!, 0);
  await until(jobs, "sum", (job) => job?.status?.succeeded === 1);
  await end(cluster, second!, 0);
  const [third] = await active(cluster, "sum", 1);
  await end(cluster, third!, 0);
  const job = await until(jobs, "sum", (now) => has(now, "Complete"));
  assert.deepEqual(conditions(job), ["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]);
  const { succeeded, failed, active: left, ready, terminating, uncountedTerminatedPods } = job!.status!;
  assert.deepEqual(
    { succeeded, failed, left, ready, terminating, uncountedTerminatedPods },
    {
      succeeded: 3,
      failed: undefined,
      left: undefined,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
    },
  );
  assert.ok(job!.status!.completionTime);
  const all = await pods.list();
  assert.equal(all.items.length, 3);
  assert.ok(all.items.every((pod) => !isTracked(pod)));
});

test(
  "pods of an indexed job have their index as label, annotation, variable and host name",
  LIMIT,
  async () => {
    await using cluster = await startCluster();
    const { jobs } = clients(cluster);
    await jobs.create(jobOf("parts", { parallelism: 3, completions: 3, completionMode: "Indexed" }));
    const pods = await active(cluster, "parts", 3);
    assert.deepEqual(pods.map(indexOf).sort(), [0, 1, 2]);
    for (const pod of pods) {
      const index = `${indexOf(pod)}`;
      assert.equal(pod.metadata.labels?.["batch.kubernetes.io/job-completion-index"], index);
      assert.equal(pod.spec?.hostname, `parts-${index}`);
      assert.ok(pod.metadata.name?.startsWith(`parts-${index}-`));
      assert.deepEqual(
        pod.spec?.containers[0]?.env?.map(({ name }) => name),
        ["JOB_COMPLETION_INDEX"],
      );
      await end(cluster, pod, 0);
    }
    const job = await until(jobs, "parts", (now) => has(now, "Complete"));
    assert.equal(job?.status?.completedIndexes, "0-2");
  },
);

test("each index has retries of its own, and all are executed though some fail", LIMIT, async () => {
  const clock = new VirtualClock(Date.parse("2026-01-01T01:00:00Z"));
  await using cluster = await startCluster({ clock });
  const { jobs } = clients(cluster);
  const spec = { parallelism: 4, completions: 4, completionMode: "Indexed", backoffLimitPerIndex: 1 };
  await jobs.create(jobOf("odd", spec));
  for (const pod of await active(cluster, "odd", 4)) await end(cluster, pod, indexOf(pod) % 2);
  const again = await active(cluster, "odd", 2);
  assert.deepEqual(again.map(indexOf).sort(), [1, 3]);
  for (const pod of again) {
    assert.equal(pod.metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"], "1");
    await end(cluster, pod, 1);
  }
  const job = await until(jobs, "odd", (now) => has(now, "Failed"));
  assert.deepEqual(conditions(job), ["FailureTarget FailedIndexes", "Failed FailedIndexes"]);
  const { completedIndexes, failedIndexes, succeeded, failed } = job!.status!;
  assert.deepEqual(
    { completedIndexes, failedIndexes, succeeded, failed },
    { completedIndexes: "0,2", failedIndexes: "1,3", succeeded: 2, failed: 4 },
  );
});

test("a job ends as soon as more indexes failed than it allows", LIMIT, async () => {
  await using cluster = await startCluster();
  const { jobs } = clients(cluster);
  await jobs.create(
    jobOf("few", {
      parallelism: 3,
      completions: 10,
      completionMode: "Indexed",
      backoffLimitPerIndex: 0,
      maxFailedIndexes: 0,
    }),
  );
  const pods = await active(cluster, "few", 3);
  await end(cluster, pods.find((pod) => indexOf(pod) === 0)!, 1);
  const job = await until(jobs, "few", (now) => has(now, "Failed"));
  assert.equal(conditions(job).at(-1), "Failed MaxFailedIndexesExceeded");
  assert.equal(job?.status?.failedIndexes, "0");
  await podsOf(cluster, "few", (left) => !left.some(isActive));
});

test("a job fails early where its pod failure policy says so of an exit code", LIMIT, async () => {
  await using cluster = await startCluster();
  const { jobs } = clients(cluster);
  const onExitCodes = { containerName: "work", operator: "In", values: [42] };
  const podFailurePolicy = { rules: [{ action: "FailJob", onExitCodes }] };
  await jobs.create(jobOf("fatal", { parallelism: 2, completions: 4, podFailurePolicy }));
  const [pod] = await active(cluster, "fatal", 2);
  await end(cluster, pod!, 42);
  const job = await until(jobs, "fatal", (now) => has(now, "Failed"));
  const failed = job?.status?.conditions?.find(({ type }) => type === "Failed");
  assert.equal(failed?.reason, "PodFailurePolicy");
  const message = `Container work for pod default/${pod!.metadata.name} failed with exit code 42 matching FailJob rule at index 0`;
  assert.equal(failed?.message, message);
});

test("a disruption that the policy ignores does not count, and the pod is replaced", LIMIT, async () => {
  const clock = new VirtualClock(Date.parse("2026-01-01T01:00:00Z"));
  await using cluster = await startCluster({ clock });
  const { jobs } = clients(cluster);
  const rules = [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }];
  const spec = { completions: 1, completionMode: "Indexed", backoffLimit: 0, podFailurePolicy: { rules } };
  await jobs.create(jobOf("patient", spec));
  const [pod] = await active(cluster, "patient", 1);
  const disrupted = { type: "DisruptionTarget", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" };
  await end(cluster, pod!, 137, { conditions: [disrupted] });
  const [next] = await podsOf(cluster, "patient", (pods) =>
    pods.some((now) => isActive(now) && now.metadata.uid !== pod!.metadata.uid),
  ).then((pods) => pods.filter(isActive));
  await end(cluster, next!, 0);
  const job = await until(jobs, "patient", (now) => has(now, "Complete"));
  assert.equal(job?.status?.failed, undefined);
});

test("an index fails for good where the policy says FailIndex", LIMIT, async () => {
  await using cluster = await startCluster();
  const { jobs } = clients(cluster);
  const onExitCodes = { operator: "In", values: [42] };
  await jobs.create(
    jobOf("index", {
      parallelism: 2,
      completions: 2,
      completionMode: "Indexed",
      backoffLimitPerIndex: 5,
      podFailurePolicy: { rules: [{ action: "FailIndex", onExitCodes }] },
    }),
  );
  for (const pod of await active(cluster, "index", 2)) await end(cluster, pod, indexOf(pod) === 1 ? 42 : 0);
  const job = await until(jobs, "index", (now) => has(now, "Failed"));
  assert.equal(job?.status?.failedIndexes, "1");
  assert.equal(job?.status?.completedIndexes, "0");
  assert.equal(job?.status?.failed, 1);
});

for (const [what, rule] of [
  ["succeededCount", { succeededCount: 1 }],
  ["succeededIndexes", { succeededIndexes: "1" }],
] as const) {
  test(`a success policy's ${what} ends a job while other indexes are pending`, LIMIT, async () => {
    await using cluster = await startCluster();
    const { jobs } = clients(cluster);
    const successPolicy = { rules: [rule] };
    await jobs.create(
      jobOf("enough", { parallelism: 2, completions: 5, completionMode: "Indexed", successPolicy }),
    );
    const pods = await active(cluster, "enough", 2);
    await end(cluster, pods.find((pod) => indexOf(pod) === 1)!, 0);
    const job = await until(jobs, "enough", (now) => has(now, "Complete"));
    assert.deepEqual(conditions(job), ["SuccessCriteriaMet SuccessPolicy", "Complete SuccessPolicy"]);
    assert.equal(job?.status?.completedIndexes, "1");
    assert.equal(job?.status?.failed, undefined);
    await podsOf(cluster, "enough", (left) => !left.some(isActive));
  });
}

test(
  "a failed pod is replaced after 10 s, the next after 20 s, until the limit is reached",
  LIMIT,
  async () => {
    const clock = new VirtualClock(Date.parse("2026-01-01T00:00:00Z"));
    await using cluster = await startCluster({ clock });
    const { jobs } = clients(cluster);
    await jobs.create(jobOf("fails", { backoffLimit: 1 }));
    const [pod] = await active(cluster, "fails", 1);
    await end(cluster, pod!, 1);
    await until(jobs, "fails", (job) => job?.status?.failed === 1 && !job.status.active);
    clock.advance(9_000);
    assert.equal((await cluster.client.resource(Pod, NAMESPACE).list()).items.length, 1);
    clock.advance(1_000);
    const [second] = await active(cluster, "fails", 1);
    await end(cluster, second!, 1);
    const job = await until(jobs, "fails", (now) => has(now, "Failed"));
    assert.equal(conditions(job).at(-1), "Failed BackoffLimitExceeded");
    assert.equal(job?.status?.failed, 2);
  },
);

test("a suspended job has no pods, and its time begins as it is resumed", LIMIT, async () => {
  const clock = new VirtualClock(Date.parse("2026-01-01T00:00:00Z"));
  await using cluster = await startCluster({ clock });
  const { jobs } = clients(cluster);
  await jobs.create(jobOf("paused", { suspend: true, activeDeadlineSeconds: 60, parallelism: 2 }));
  const suspended = await until(jobs, "paused", (job) => has(job, "Suspended"));
  assert.equal(suspended?.status?.startTime, undefined);
  const setSuspend = (suspend: boolean) => jobs.patch("paused", { spec: { suspend } }, { type: "merge" });
  clock.advance(3_600_000);
  await setSuspend(false);
  await active(cluster, "paused", 2);
  const resumed = await until(jobs, "paused", (job) => job?.status?.active === 2);
  assert.equal(resumed?.status?.startTime, "2026-01-01T01:00:00Z");
  assert.equal(resumed?.status?.conditions?.[0]?.reason, "JobResumed");
  await setSuspend(true);
  await podsOf(cluster, "paused", (pods) => pods.length === 0);
  const again = await until(jobs, "paused", (job) => has(job, "Suspended") && !job?.status?.active);
  assert.equal(again?.status?.failed, undefined);
  await setSuspend(false);
  await active(cluster, "paused", 2);
  await until(jobs, "paused", (job) => job?.status?.active === 2);
  clock.advance(60_000);
  const failed = await until(jobs, "paused", (job) => has(job, "Failed"));
  assert.equal(conditions(failed).at(-1), "Failed DeadlineExceeded");
});

test("a job takes its orphans back and lets go of pods it no longer selects", LIMIT, async () => {
  await using cluster = await startCluster();
  const { jobs, pods } = clients(cluster);
  await jobs.create(jobOf("owner", { parallelism: 2, completions: 2 }));
  const [orphan, other] = await active(cluster, "owner", 2);
  const job = await jobs.get("owner");
  await pods.patch(orphan!.metadata.name!, { metadata: { ownerReferences: null } }, { type: "merge" });
  const adopted = await until(
    pods,
    orphan!.metadata.name!,
    (pod) => pod?.metadata.ownerReferences?.[0]?.uid === job.metadata.uid,
  );
  assert.deepEqual(adopted?.metadata.finalizers, ["batch.kubernetes.io/job-tracking"]);
  await pods.patch(other!.metadata.name!, { metadata: { labels: null } }, { type: "merge" });
  const released = await until(
    pods,
    other!.metadata.name!,
    (pod) => (pod?.metadata.ownerReferences ?? []).length === 0,
  );
  assert.ok(!isTracked(released!));
  await active(cluster, "owner", 2);
});

test("pods of a deleted job lose the finalizer that would keep them", LIMIT, async () => {
  await using cluster = await startCluster();
  const { jobs, pods } = clients(cluster);
  await jobs.create(jobOf("gone", { parallelism: 2, completions: 2 }));
  await active(cluster, "gone", 2);
  await jobs.delete("gone", { propagationPolicy: "Background" });
  await podsOf(cluster, "gone", (left) => !left.some(isTracked));
  for (const { metadata } of (await pods.list()).items) await pods.delete(metadata.name!).catch(() => {});
  await podsOf(cluster, "gone", (left) => left.length === 0);
});

test("a job that another controller manages is left alone", LIMIT, async () => {
  await using cluster = await startCluster();
  const { jobs, pods } = clients(cluster);
  await jobs.create(jobOf("theirs", { managedBy: "example.com/other" }));
  await jobs.create(jobOf("ours", {}));
  await active(cluster, "ours", 1);
  await until(jobs, "ours", (job) => job?.status?.active === 1);
  assert.deepEqual((await jobs.get("theirs")).status, {});
  assert.equal((await pods.list({ labelSelector: "batch.kubernetes.io/job-name=theirs" })).items.length, 0);
});

test("nothing is made where a namespace is on its way out", LIMIT, async () => {
  await using cluster = await startCluster();
  await cluster.client.resource(Namespace).create({ metadata: { name: "short" } });
  const jobs = cluster.client.resource(Job, "short");
  await jobs.create(jobOf("late", { suspend: true }));
  await until(jobs, "late", (job) => has(job, "Suspended"));
  await cluster.client.resource(Namespace).delete("short");
  await until(cluster.client.resource(Namespace), "short", (namespace) => namespace === undefined);
});
