/** Pods and jobs that are cleaned away once nobody needs them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Job, Node, Pod, startCluster, VirtualClock } from "../../src/testing/index.ts";
import { until } from "./until.ts";

const LIMIT = { timeout: 240_000 };
const KEPT = "example.com/kept";

function podOn(nodeName: string | undefined, name: string, finalizers?: string[]) {
  return {
    metadata: { name, finalizers },
    spec: { nodeName, containers: [{ name: "work", image: "work:1" }] },
  };
}

test("pods of a node that is gone fail after 40 s and go", LIMIT, async () => {
  const clock = new VirtualClock(Date.parse("2026-01-01T00:00:00Z"));
  await using cluster = await startCluster({ clock });
  const nodes = cluster.client.resource(Node);
  const pods = cluster.client.resource(Pod, "default");
  for (const name of ["gone", "stays"]) await nodes.create({ metadata: { name } });
  await pods.create(podOn("gone", "orphan", [KEPT]));
  await pods.create(podOn("stays", "other"));
  await nodes.delete("gone");
  // The quarantine begins when the controller sees it.
  const pod = await new Promise<Pod | undefined>((resolve, reject) => {
    until(pods, "orphan", (now) => now?.status?.phase === "Failed").then(resolve, reject);
    const pass = (): void => {
      clock.advance(10_000);
      setImmediate(() => (clock.now() < Date.parse("2026-01-01T00:05:00Z") ? pass() : undefined));
    };
    pass();
  });
  const condition = pod?.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  assert.equal(condition?.reason, "DeletionByPodGC");
  assert.equal(condition?.message, "PodGC: node no longer exists");
  assert.ok(Date.parse(condition?.lastTransitionTime ?? "") >= Date.parse("2026-01-01T00:00:40Z"));
  await until(pods, "orphan", (now) => now?.metadata.deletionTimestamp !== undefined);
  await pods.patch("orphan", { metadata: { finalizers: null } }, { type: "merge" });
  await until(pods, "orphan", (now) => now === undefined);
  assert.equal((await pods.get("other")).status?.phase, "Pending");
});

test("a pod that terminates on a node out of service goes at once", LIMIT, async () => {
  await using cluster = await startCluster();
  const nodes = cluster.client.resource(Node);
  const pods = cluster.client.resource(Pod, "default");
  await nodes.create({ metadata: { name: "down" } });
  await pods.create(podOn("down", "stuck"));
  await pods.delete("stuck");
  assert.notEqual((await pods.get("stuck")).metadata.deletionTimestamp, undefined);
  const taints = [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }];
  await nodes.patch("down", { spec: { taints } }, { type: "merge" });
  await until(pods, "stuck", (pod) => pod === undefined);
});

test("a pod that was never bound and is to go has failed", LIMIT, async () => {
  await using cluster = await startCluster();
  const pods = cluster.client.resource(Pod, "default");
  await pods.create(podOn(undefined, "unbound", [KEPT]));
  await pods.delete("unbound");
  await until(pods, "unbound", (pod) => pod?.status?.phase === "Failed");
});

test("a finished job goes when its time is over", LIMIT, async () => {
  const clock = new VirtualClock(Date.parse("2026-01-01T00:00:00Z"));
  await using cluster = await startCluster({ clock });
  const jobs = cluster.client.resource(Job, "default");
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "work", image: "work:1" }] } };
  const spec = { completions: 0, parallelism: 0, template };
  await jobs.create({ metadata: { name: "short" }, spec: { ...spec, ttlSecondsAfterFinished: 60 } });
  await jobs.create({ metadata: { name: "kept" }, spec });
  await until(jobs, "short", (job) => job?.status?.completionTime !== undefined);
  clock.advance(59_000);
  assert.equal((await jobs.get("short")).metadata.deletionTimestamp, undefined);
  clock.advance(1_000);
  await until(jobs, "short", (job) => job === undefined || job.metadata.deletionTimestamp !== undefined);
  assert.equal((await jobs.get("kept")).metadata.deletionTimestamp, undefined);
});
