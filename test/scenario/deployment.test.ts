import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployment } from "../../src/api/apps/deployment.ts";
import { ReplicaSet } from "../../src/api/apps/replica-set.ts";
import { Pod } from "../../src/api/core/pods.ts";
import { Event } from "../../src/api/events/event.ts";
import type { Client } from "../../src/client/client.ts";
import { startCluster, VirtualClock } from "../../src/testing/index.ts";
import { setReady } from "./pod-status.ts";
import { runPods } from "./run-pods.ts";
import { until } from "./until.ts";
import { untilAll } from "./until-all.ts";

const SPACE = "default";
const REVISION = "deployment.kubernetes.io/revision";

function deployment(name: string, replicas: number, spec: object = {}) {
  const labels = { app: name };
  const containers = [{ name: "web", image: "web:1" }];
  const template = { metadata: { labels }, spec: { containers } };
  return { metadata: { name }, spec: { replicas, selector: { matchLabels: labels }, template, ...spec } };
}

const isObserved = (found: Deployment | undefined): boolean =>
  found?.status?.observedGeneration === found?.metadata.generation;

const image = (to: string) => ({
  spec: { template: { spec: { containers: [{ name: "web", image: to }] } } },
});

function setImage(client: Client, name: string, to: string) {
  return client.resource(Deployment, SPACE).patch(name, image(to), { type: "strategic" });
}

function reasonOf(found: Deployment | undefined, type = "Progressing"): string | undefined {
  return found?.status?.conditions?.find((condition) => condition.type === type)?.reason;
}

/** Done as `kubectl rollout status` sees it, and told so. */
function rolledOut(client: Client, name: string): Promise<Deployment | undefined> {
  return until(client.resource(Deployment, SPACE), name, (found) => {
    const { spec, status, metadata } = found ?? {};
    const { observedGeneration = 0, updatedReplicas, replicas, availableReplicas } = status ?? {};
    const wanted = spec?.replicas;
    if (observedGeneration < (metadata?.generation ?? 0)) return false;
    if (updatedReplicas !== wanted || replicas !== wanted || availableReplicas !== wanted) return false;
    return reasonOf(found) === "NewReplicaSetAvailable" && status?.terminatingReplicas === 0;
  });
}

async function replicaSetsOf(client: Client, name: string): Promise<ReplicaSet[]> {
  const { items } = await client.resource(ReplicaSet, SPACE).list({ labelSelector: `app=${name}` });
  return items.sort((a, b) => revision(a) - revision(b));
}

function revision({ metadata }: ReplicaSet | Deployment): number {
  return Number(metadata.annotations?.[REVISION]);
}

const sizes = (sets: readonly ReplicaSet[]): (number | undefined)[] => sets.map(({ spec }) => spec?.replicas);
const imageOf = ({ spec }: ReplicaSet | Pod): string | undefined => {
  const pod = spec && "template" in spec ? spec.template?.spec : (spec as Pod["spec"]);
  return pod?.containers[0]?.image;
};

test("a deployment makes a replica set of its template, and tells when all is available", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, SPACE, "app=web");
  await client.resource(Deployment, SPACE).create(deployment("web", 3));
  const done = await rolledOut(client, "web");
  const [set, ...others] = await replicaSetsOf(client, "web");
  assert.deepEqual(others, []);
  const hash = set!.metadata.labels?.["pod-template-hash"];
  assert.match(hash ?? "", /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  assert.equal(set!.metadata.name, `web-${hash}`);
  assert.deepEqual(set!.spec?.selector, { matchLabels: { app: "web", "pod-template-hash": hash } });
  assert.deepEqual(set!.metadata.annotations, {
    [REVISION]: "1",
    "deployment.kubernetes.io/desired-replicas": "3",
    "deployment.kubernetes.io/max-replicas": "4",
  });
  assert.equal(revision(done!), 1);
  const { conditions, ...counts } = done!.status!;
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    terminatingReplicas: 0,
  });
  assert.deepEqual(
    conditions?.map(({ type, status, reason, message }) => [type, status, reason, message]).sort(),
    [
      ["Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."],
      [
        "Progressing",
        "True",
        "NewReplicaSetAvailable",
        `ReplicaSet "web-${hash}" has successfully progressed.`,
      ],
    ],
  );
  const events = await untilAll(client.resource(Event, SPACE), "", (all) =>
    all.some(({ reason }) => reason === "ScalingReplicaSet"),
  );
  const scaled = events.find(({ reason }) => reason === "ScalingReplicaSet");
  assert.equal(scaled?.message, `Scaled up replica set web-${hash} from 0 to 3`);
});

test("a rolling update never goes beyond its surge, nor below what must be available", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, SPACE, "app=web");
  const strategy = { rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } };
  await client.resource(Deployment, SPACE).create(deployment("web", 10, { strategy }));
  await rolledOut(client, "web");
  await setImage(client, "web", "web:2");
  const steps: [number, number][] = [];
  await until(client.resource(Deployment, SPACE), "web", (found) => {
    const { spec, status, metadata } = found!;
    if (status?.observedGeneration !== metadata.generation) return false;
    steps.push([status?.replicas ?? 0, status?.availableReplicas ?? 0]);
    return status?.updatedReplicas === spec?.replicas && status?.replicas === spec?.replicas;
  });
  assert.ok(steps.length > 3, "it went in steps");
  for (const [replicas, available] of steps) {
    assert.ok(replicas <= 12, `${replicas} pods`);
    assert.ok(available >= 9, `${available} available`);
  }
  await rolledOut(client, "web");
  const sets = await replicaSetsOf(client, "web");
  assert.deepEqual(sizes(sets), [0, 10]);
  assert.deepEqual(sets.map(revision), [1, 2]);
  const pods = await untilAll(client.resource(Pod, SPACE), "app=web", ({ length }) => length === 10);
  assert.deepEqual(new Set(pods.map(imageOf)), new Set(["web:2"]));
});

test("a deployment that recreates starts no new pod before the last old one has ended", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, SPACE, "app=web");
  const { metadata, spec } = deployment("web", 2, { strategy: { type: "Recreate" } });
  // Pods of a node end when its kubelet says so: here, when the test does.
  const template = { ...spec.template, spec: { ...spec.template.spec, nodeName: "away" } };
  await client.resource(Deployment, SPACE).create({ metadata, spec: { ...spec, template } });
  await rolledOut(client, "web");
  await setImage(client, "web", "web:2");
  const pods = client.resource(Pod, SPACE);
  const old = await untilAll(pods, "app=web", (all) => all.every((pod) => pod.metadata.deletionTimestamp));
  await until(
    client.resource(Deployment, SPACE),
    "web",
    (found) => isObserved(found) && found?.status?.replicas === undefined,
  );
  for (const pod of old) {
    assert.deepEqual(sizes(await replicaSetsOf(client, "web")), [0]);
    await pods.delete(pod.metadata.name!, { gracePeriodSeconds: 0 });
  }
  await rolledOut(client, "web");
  assert.deepEqual(sizes(await replicaSetsOf(client, "web")), [0, 2]);
});

test("a template that changes back takes its replica set again, under a new revision", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, SPACE, "app=web");
  await client.resource(Deployment, SPACE).create(deployment("web", 2));
  await rolledOut(client, "web");
  await setImage(client, "web", "web:2");
  await rolledOut(client, "web");
  await setImage(client, "web", "web:1");
  const back = await rolledOut(client, "web");
  assert.equal(revision(back!), 3);
  const sets = await replicaSetsOf(client, "web");
  assert.deepEqual(sets.map(imageOf), ["web:2", "web:1"]);
  assert.deepEqual(sets.map(revision), [2, 3]);
  assert.equal(sets[1]?.metadata.annotations?.["deployment.kubernetes.io/revision-history"], "1");
});

test("a deployment goes back to an earlier revision by annotation, and not while it is paused", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const deployments = client.resource(Deployment, SPACE);
  await using _ = runPods(client, SPACE, "app=web");
  await deployments.create(deployment("web", 1));
  await rolledOut(client, "web");
  await setImage(client, "web", "web:2");
  await rolledOut(client, "web");
  const annotations = { "deprecated.deployment.rollback.to": "0" };
  await deployments.patch("web", { metadata: { annotations }, spec: { paused: true } }, { type: "merge" });
  const paused = await until(deployments, "web", (found) => reasonOf(found) === "DeploymentPaused");
  assert.equal(paused?.metadata.annotations?.["deprecated.deployment.rollback.to"], "0");
  await deployments.patch("web", { spec: { paused: false } }, { type: "merge" });
  const back = await until(deployments, "web", (found) => revision(found!) === 3);
  assert.equal(back?.metadata.annotations?.["deprecated.deployment.rollback.to"], undefined);
  assert.equal(back?.spec?.template.spec?.containers[0]?.image, "web:1");
  assert.equal(back?.spec?.template.metadata?.labels?.["pod-template-hash"], undefined);
  await rolledOut(client, "web");
  const events = await untilAll(client.resource(Event, SPACE), "", (all) =>
    all.some(({ reason }) => reason === "DeploymentRollback"),
  );
  const told = events.find(({ reason }) => reason === "DeploymentRollback");
  assert.equal(told?.message, 'Rolled back deployment "web" to revision 1');
});

test("a rollout is overtaken by a newer one, however far it got", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, SPACE, "app=web");
  await client.resource(Deployment, SPACE).create(deployment("web", 5));
  for (let version = 2; version <= 6; version++) await setImage(client, "web", `web:${version}`);
  await rolledOut(client, "web");
  const sets = await replicaSetsOf(client, "web");
  const active = sets.filter(({ spec }) => spec?.replicas !== 0);
  assert.deepEqual(active.map(imageOf), ["web:6"]);
});

test("a deployment keeps no more old replica sets than its history allows", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, SPACE, "app=web");
  await client.resource(Deployment, SPACE).create(deployment("web", 1, { revisionHistoryLimit: 1 }));
  for (const version of [1, 2, 3, 4]) {
    await setImage(client, "web", `web:${version}`);
    await rolledOut(client, "web");
  }
  const kept = await untilAll(client.resource(ReplicaSet, SPACE), "app=web", ({ length }) => length === 2);
  assert.deepEqual(kept.map(imageOf).sort(), ["web:3", "web:4"]);
});

test("a deployment scaled amid a rollout shares the change out among its replica sets", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const strategy = { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
  const deployments = client.resource(Deployment, SPACE);
  {
    await using _ = runPods(client, SPACE, "app=web");
    await deployments.create(deployment("web", 10, { strategy }));
    await rolledOut(client, "web");
  }
  // Nothing of the new version becomes ready: 2 old ones may go, and 3 more be there.
  await setImage(client, "web", "web:2");
  const sets = client.resource(ReplicaSet, SPACE);
  const amid = (wanted: number[]) =>
    untilAll(sets, "app=web", (all) => {
      const now = all.toSorted((a, b) => revision(a) - revision(b)).map(({ spec }) => spec?.replicas);
      return JSON.stringify(now) === JSON.stringify(wanted);
    });
  await amid([8, 5]);
  await deployments.patch("web", { spec: { replicas: 30 } }, { type: "merge", subresource: "scale" });
  const scaled = await amid([20, 13]);
  for (const { metadata } of scaled) {
    assert.equal(metadata.annotations?.["deployment.kubernetes.io/desired-replicas"], "30");
    assert.equal(metadata.annotations?.["deployment.kubernetes.io/max-replicas"], "33");
  }
});

test("a paused deployment is scaled but not rolled out, until it is resumed", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await using _ = runPods(client, SPACE, "app=web");
  const deployments = client.resource(Deployment, SPACE);
  await deployments.create(deployment("web", 2));
  await rolledOut(client, "web");
  await deployments.patch("web", { spec: { paused: true } }, { type: "merge" });
  const paused = await until(deployments, "web", (found) => reasonOf(found) === "DeploymentPaused");
  assert.equal(paused?.status?.conditions?.find(({ type }) => type === "Progressing")?.status, "Unknown");
  await setImage(client, "web", "web:2");
  await deployments.patch("web", { spec: { replicas: 3 } }, { type: "merge" });
  await until(deployments, "web", (found) => isObserved(found) && found?.status?.availableReplicas === 3);
  const before = await replicaSetsOf(client, "web");
  assert.deepEqual(before.map(imageOf), ["web:1"]);
  await deployments.patch("web", { spec: { paused: false } }, { type: "merge" });
  await rolledOut(client, "web");
  assert.deepEqual((await replicaSetsOf(client, "web")).map(imageOf), ["web:1", "web:2"]);
});

test("a rollout that does not move in time is told to have failed, and goes on once it can", async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ clock });
  const { client } = cluster;
  const deployments = client.resource(Deployment, SPACE);
  await deployments.create(deployment("web", 1, { progressDeadlineSeconds: 60 }));
  await until(deployments, "web", (found) => found?.status?.updatedReplicas === 1);
  clock.advance(50_000);
  assert.equal(reasonOf(await deployments.get("web")), "ReplicaSetUpdated");
  clock.advance(12_000);
  const late = await until(deployments, "web", (found) => reasonOf(found) === "ProgressDeadlineExceeded");
  const condition = late?.status?.conditions?.find(({ type }) => type === "Progressing");
  assert.equal(condition?.status, "False");
  assert.match(condition?.message ?? "", /^ReplicaSet "web-\w+" has timed out progressing\.$/);
  const [pod] = (await client.resource(Pod, SPACE).list()).items;
  await setReady(client, pod!, true, clock.now());
  await rolledOut(client, "web");
});

test("a deployment adopts a replica set that it selects, and one that has its template is its new one", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const { spec } = deployment("web", 2);
  const sets = client.resource(ReplicaSet, SPACE);
  await sets.create({ metadata: { name: "old-web", labels: { app: "web" } }, spec });
  await client.resource(Deployment, SPACE).create(deployment("web", 3));
  const adopted = await until(sets, "old-web", (set) => set?.spec?.replicas === 3);
  assert.equal(adopted?.metadata.ownerReferences?.[0]?.kind, "Deployment");
  assert.equal(revision(adopted!), 1);
  assert.equal((await replicaSetsOf(client, "web")).length, 1);
});

test("a deployment whose replica set's name is taken makes it under another", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const sets = client.resource(ReplicaSet, SPACE);
  const deployments = client.resource(Deployment, SPACE);
  await deployments.create(deployment("web", 1));
  const [first] = await untilAll(sets, "app=web", ({ length }) => length === 1);
  await deployments.delete("web", { propagationPolicy: "Background" });
  await sets.delete(first!.metadata.name!).catch(() => {});
  await until(sets, first!.metadata.name!, (set) => set === undefined);
  const { metadata, spec } = first!;
  const template = { ...spec!.template, metadata: { labels: { app: "other" } } };
  const selector = { matchLabels: { app: "other" } };
  await sets.create({ metadata: { name: metadata.name! }, spec: { replicas: 0, selector, template } });
  await until(deployments, "web", (found) => found === undefined);
  await deployments.create(deployment("web", 1));
  const told = await until(deployments, "web", (found) => found?.status?.updatedReplicas === 1);
  assert.equal(told?.status?.collisionCount, 1);
  const [second] = await untilAll(sets, "app=web", ({ length }) => length === 1);
  assert.notEqual(second!.metadata.name, metadata.name);
});
