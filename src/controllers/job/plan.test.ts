/** The decisions of the job controller, from what it sees to what it does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { JobSpec, JobStatus } from "../../api/schema/batch.v1.generated.ts";
import { endingOf } from "./ending.ts";
import { COMPLETION_INDEX, FAILURE_COUNT, TRACKING } from "./job-pods.ts";
import { lookAt } from "./job-view.ts";
import { podMaker } from "./make-pod.ts";
import { planPods } from "./plan-pods.ts";
import { type Done, planStatus } from "./plan-status.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");
const NOTHING: Done = { created: 0, removed: [] };

function jobOf(spec: Partial<JobSpec>, status?: JobStatus): Job {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "job", namespace: "ns", uid: "j" },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      template,
      ...spec,
    },
    status,
  };
}

let made = 0;
function podOf(phase: string, more: Pod["metadata"] & { index?: number } = {}): Pod {
  const { index, annotations, ...metadata } = more;
  const creationTimestamp = "2026-01-01T00:00:00Z";
  const indexed: Record<string, string> = index === undefined ? {} : { [COMPLETION_INDEX]: `${index}` };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `pod-${made}`,
      uid: `u${made++}`,
      creationTimestamp,
      finalizers: [TRACKING],
      annotations: { ...indexed, ...annotations },
      ...metadata,
    },
    status: { phase },
  };
}

function podsPlan(job: Job, pods: readonly Pod[], now = NOW) {
  const view = lookAt(job, pods, undefined);
  return planPods(view, endingOf(view, now) !== undefined, now);
}

function statusPlan(job: Job, pods: readonly Pod[], done = NOTHING) {
  const view = lookAt(job, pods, undefined);
  const ending = endingOf(view, NOW);
  return planStatus(view, ending, done, NOW, !ending);
}

describe("the pods of a job", () => {
  it("are as many as may run and are still needed", () => {
    const job = jobOf({ parallelism: 4, completions: 5 }, { succeeded: 3 });
    assert.equal(podsPlan(job, []).create, 2);
    assert.equal(podsPlan(job, [podOf("Running")]).create, 1);
    assert.equal(podsPlan(jobOf({ parallelism: 2000, completions: 2000 }), []).create, 500);
  });

  it("are no more once one succeeded where no number is asked for", () => {
    const job = jobOf({ parallelism: 3, completions: undefined });
    assert.equal(podsPlan(job, [podOf("Running")]).create, 2);
    assert.equal(podsPlan(job, [podOf("Running"), podOf("Succeeded")]).create, 0);
  });

  it("that do least are removed first where fewer may run", () => {
    const running = { ...podOf("Running"), spec: { nodeName: "n", containers: [] } };
    const pending = podOf("Pending");
    const { remove, uncounted } = podsPlan(jobOf({ parallelism: 1, completions: 5 }), [running, pending]);
    assert.deepEqual([remove, uncounted], [[pending], true]);
  });

  it("are replaced while they terminate, unless the job waits for their end", () => {
    const leaving = podOf("Running", { deletionTimestamp: "2026-01-01T00:00:00Z" });
    assert.equal(podsPlan(jobOf({}), [leaving]).create, 1);
    assert.equal(podsPlan(jobOf({ podReplacementPolicy: "Failed" }), [leaving]).create, 0);
  });

  it("get the lowest index that neither runs nor succeeded nor failed", () => {
    const job = jobOf(
      { parallelism: 3, completions: 8, completionMode: "Indexed", backoffLimitPerIndex: 1 },
      { completedIndexes: "0,2", failedIndexes: "1" },
    );
    assert.deepEqual(podsPlan(job, [podOf("Running", { index: 3 })]).indexes, [4, 5]);
  });

  it("that share an index are left with one", () => {
    const job = jobOf({ parallelism: 3, completions: 3, completionMode: "Indexed" });
    const pods = [
      podOf("Running", { index: 1 }),
      podOf("Pending", { index: 1 }),
      podOf("Running", { index: 7 }),
    ];
    assert.deepEqual(new Set(podsPlan(job, pods).remove), new Set([pods[1], pods[2]]));
  });

  it("wait for their own index only", () => {
    const job = jobOf({ parallelism: 2, completions: 2, completionMode: "Indexed", backoffLimitPerIndex: 3 });
    const failed = podOf("Failed", { index: 0, annotations: { [FAILURE_COUNT]: "1" } });
    const failedAt = Date.parse(failed.metadata.creationTimestamp!);
    const plan = podsPlan(job, [failed], failedAt + 5000);
    assert.deepEqual([plan.indexes, plan.after], [[1], 15_000]);
    const view = lookAt(job, [failed], undefined);
    const next = podMaker(job)(0, view.replaced.get(0));
    assert.equal(next.metadata.annotations?.[FAILURE_COUNT], "2");
  });
});

describe("the count of a job's pods", () => {
  it("notes an end before the finalizer goes, and counts it after", () => {
    const job = jobOf({ parallelism: 2, completions: 3 });
    const pod = podOf("Succeeded");
    const first = statusPlan(job, [pod]);
    assert.deepEqual(first.status.uncountedTerminatedPods, { succeeded: [pod.metadata.uid] });
    assert.equal(first.status.succeeded, undefined);
    assert.deepEqual(first.release, [pod]);
    // The controller ended before the finalizer went: the same again, and nothing is counted twice.
    const again = statusPlan({ ...job, status: first.status }, [pod]);
    assert.deepEqual(again.status, first.status);
    assert.deepEqual(again.release, [pod]);
    const released = { ...pod, metadata: { ...pod.metadata, finalizers: [] } };
    const last = statusPlan({ ...job, status: first.status }, [released]);
    assert.equal(last.status.succeeded, 1);
    assert.deepEqual(last.status.uncountedTerminatedPods, {});
    const still = statusPlan({ ...job, status: last.status }, [released]);
    assert.deepEqual(still.status, last.status);
  });

  it("counts a pod that vanished with its finalizer off", () => {
    const job = jobOf({ completions: 3 }, { failed: 1, uncountedTerminatedPods: { failed: ["gone"] } });
    assert.equal(statusPlan(job, []).status.failed, 2);
  });

  it("notes 500 ends at most at a time", () => {
    const pods = Array.from({ length: 700 }, () => podOf("Succeeded"));
    const { status, release } = statusPlan(jobOf({ parallelism: 9, completions: 900 }), pods);
    assert.equal(status.uncountedTerminatedPods?.succeeded?.length, 500);
    assert.equal(release.length, 500);
  });

  it("keeps the failed pod that tells how often its index failed", () => {
    const job = jobOf({ parallelism: 2, completions: 2, completionMode: "Indexed", backoffLimitPerIndex: 3 });
    const failed = podOf("Failed", { index: 0 });
    assert.deepEqual(statusPlan(job, [failed]).release, []);
    const next = podOf("Running", { index: 0, annotations: { [FAILURE_COUNT]: "1" } });
    assert.deepEqual(statusPlan(job, [failed, next]).release, [failed]);
  });

  it("finishes only when nothing is uncounted and nothing terminates", () => {
    const job = jobOf({ backoffLimit: 0 }, { failed: 1 });
    const leaving = podOf("Running", { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [] });
    const waits = statusPlan(job, [leaving]);
    assert.deepEqual(
      waits.status.conditions?.map(({ type }) => type),
      ["FailureTarget"],
    );
    const done = statusPlan({ ...job, status: waits.status }, []);
    assert.deepEqual(
      done.status.conditions?.map(({ type }) => type),
      ["FailureTarget", "Failed"],
    );
    assert.equal(done.event?.reason, "BackoffLimitExceeded");
  });

  it("completes at once where nothing is to be done", () => {
    const { status, event } = statusPlan(jobOf({ completions: 0 }), []);
    assert.equal(status.completionTime, "2026-01-01T01:00:00Z");
    assert.equal(event?.reason, "Completed");
  });
});

describe("a job ends", () => {
  it("with too many restarts where they are", () => {
    const template = { spec: { restartPolicy: "OnFailure", containers: [{ name: "c", image: "i" }] } };
    const container = { name: "c", image: "i", imageID: "", ready: false, restartCount: 2 };
    const pod = podOf("Running");
    pod.status!.containerStatuses = [container];
    const look = (backoffLimit: number) =>
      endingOf(lookAt(jobOf({ template, backoffLimit }), [pod], undefined), NOW)?.reason;
    assert.equal(look(2), "BackoffLimitExceeded");
    assert.equal(look(3), undefined);
  });

  it("at its deadline, whose time stands still while it is suspended", () => {
    const status = { startTime: "2026-01-01T00:59:00Z" };
    const look = (spec: Partial<JobSpec>) =>
      endingOf(lookAt(jobOf(spec, status), [], undefined), NOW)?.reason;
    assert.equal(look({ activeDeadlineSeconds: 60 }), "DeadlineExceeded");
    assert.equal(look({ activeDeadlineSeconds: 61 }), undefined);
    assert.equal(look({ activeDeadlineSeconds: 60, suspend: true }), undefined);
  });
});
