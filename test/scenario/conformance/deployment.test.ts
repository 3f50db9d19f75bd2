import assert from "node:assert/strict";
import { Deployment } from "../../../src/api/apps/deployment.ts";
import { ReplicaSet } from "../../../src/api/apps/replica-set.ts";
import type { Pod } from "../../../src/api/core/pods.ts";
import { controllerOf } from "../../../src/machinery/meta/owner.ts";
import { behaviour, maybe, names, type World } from "./behaviour.ts";
import { NODES, podsOf, scaleWorks, statusWorks, templateOf, untilReady, workloadOf } from "./workload.ts";

function deploymentsOf({ client, namespace }: World) {
  return client.resource(Deployment, namespace);
}

async function setsOf({ client, namespace }: World): Promise<ReplicaSet[]> {
  return (await client.resource(ReplicaSet, namespace).list({ labelSelector: "app=web" })).items;
}

async function useImage(world: World, image: string): Promise<void> {
  const patch = { spec: { template: templateOf("web", image) } };
  await deploymentsOf(world).patch("web", patch, { type: "strategic" });
}

async function untilComplete(world: World): Promise<Deployment> {
  let now: Deployment | undefined;
  await world.until(async () => {
    now = await deploymentsOf(world).get("web");
    const { metadata, spec, status } = now;
    return (
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === spec?.replicas &&
      status?.replicas === spec?.replicas &&
      status?.availableReplicas === spec?.replicas
    );
  });
  return now!;
}

function images(pods: readonly Pod[]): unknown[] {
  return [...new Set(pods.map(({ spec }) => spec?.containers[0]?.image))].sort();
}

behaviour(
  "[sig-apps] Deployment RollingUpdateDeployment should delete old pods and create new ones [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    const adopted = { ...workloadOf("web", 1), metadata: { name: "before", labels: { app: "web" } } };
    await client.resource(ReplicaSet, namespace).create(adopted);
    await untilReady(world, "web", 1);
    await deploymentsOf(world).create(workloadOf("web", 1, { template: templateOf("web", "web:2") }));
    await untilComplete(world);
    const [pod, ...none] = await untilReady(world, "web", 1);
    assert.deepEqual(none, []);
    assert.deepEqual(images([pod!]), ["web:2"]);
    const old = await client.resource(ReplicaSet, namespace).get("before");
    assert.equal(controllerOf(old)?.name, "web");
    assert.equal(old.spec?.replicas, 0);
  },
  NODES,
);

behaviour(
  "[sig-apps] Deployment RecreateDeployment should delete old pods and create new ones [Conformance]",
  async (world) => {
    await deploymentsOf(world).create(workloadOf("web", 2, { strategy: { type: "Recreate" } }));
    await untilComplete(world);
    await useImage(world, "web:2");
    const seen: string[] = [];
    await world.until(async () => {
      const now = images(await podsOf(world, "web"));
      seen.push(now.join("+"));
      return now.join() === "web:2";
    });
    assert.ok(!seen.includes("web:1+web:2"), "old and new never run together");
    await untilComplete(world);
  },
  { ...NODES, stages: [{ ready: 2000, terminate: 2000 }] },
);

behaviour(
  "[sig-apps] Deployment deployment should delete old replica sets [Conformance]",
  async (world) => {
    await deploymentsOf(world).create(workloadOf("web", 1, { revisionHistoryLimit: 0 }));
    await untilComplete(world);
    await useImage(world, "web:2");
    await untilComplete(world);
    await world.until(async () => (await setsOf(world)).length === 1);
    assert.equal((await setsOf(world))[0]?.spec?.template?.spec?.containers[0]?.image, "web:2");
  },
  NODES,
);

behaviour(
  "[sig-apps] Deployment deployment should support rollover [Conformance]",
  async (world) => {
    const strategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
    await deploymentsOf(world).create(workloadOf("web", 2, { strategy, minReadySeconds: 10 }));
    await untilComplete(world);
    await useImage(world, "web:never-ready");
    await world.until(async () => images(await podsOf(world, "web")).length === 2);
    await world.cluster.pass(60_000);
    assert.equal(images(await podsOf(world, "web")).length, 2, "the first update is stuck");
    await useImage(world, "web:3");
    await untilComplete(world);
    await world.until(async () => images(await podsOf(world, "web")).join() === "web:3");
    for (const { spec } of await setsOf(world)) {
      const wanted = spec?.template?.spec?.containers[0]?.image === "web:3" ? 2 : 0;
      assert.equal(spec?.replicas, wanted);
    }
  },
  { ...NODES, stages: [{ match: { image: "web:never-ready" }, ready: "never" }] },
);

behaviour(
  "[sig-apps] Deployment deployment should support proportional scaling [Conformance]",
  async (world) => {
    const strategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 2, maxSurge: 3 } };
    await deploymentsOf(world).create(workloadOf("web", 10, { strategy }));
    await untilComplete(world);
    await useImage(world, "web:never-ready");
    const replicas = async (): Promise<(number | undefined)[]> =>
      (await setsOf(world))
        .sort((a, b) => Date.parse(a.metadata.creationTimestamp!) - Date.parse(b.metadata.creationTimestamp!))
        .map(({ spec }) => spec?.replicas);
    await world.until(async () => (await replicas()).join() === "8,5");
    await deploymentsOf(world).patch("web", { spec: { replicas: 30 } }, { type: "strategic" });
    await world.until(async () => (await replicas()).reduce((sum, n) => sum! + n!, 0) === 33);
    assert.deepEqual(await replicas(), [20, 13]);
  },
  { nodes: 4, stages: [{ match: { image: "web:never-ready" }, ready: "never" }] },
);

behaviour(
  "[sig-apps] Deployment Deployment should have a working scale subresource [Conformance]",
  async (world) => {
    await deploymentsOf(world).create(workloadOf("web", 1));
    await untilComplete(world);
    await scaleWorks(world, Deployment, "web");
    await untilReady(world, "web", 4);
  },
  NODES,
);

behaviour(
  "[sig-apps] Deployment should validate Deployment Status endpoints [Conformance]",
  async (world) => {
    await deploymentsOf(world).create(workloadOf("web", 1));
    await untilComplete(world);
    await statusWorks(world, Deployment, "web");
  },
  NODES,
);

behaviour(
  "[sig-apps] Deployment should run the lifecycle of a Deployment [Conformance]",
  async (world) => {
    const deployments = deploymentsOf(world);
    await deployments.create({
      ...workloadOf("web", 2),
      metadata: { name: "web", labels: { app: "web", e2e: "yes" } },
    });
    await untilComplete(world);
    assert.deepEqual(await names(world.client.resource(Deployment), "e2e=yes"), ["web"]);
    const patch = {
      metadata: { labels: { patched: "yes" } },
      spec: {
        replicas: 3,
        template: { spec: { terminationGracePeriodSeconds: 0, ...templateOf("web", "web:2").spec } },
      },
    };
    await deployments.patch("web", patch, { type: "strategic" });
    const patched = await untilComplete(world);
    assert.equal(patched.metadata.labels?.patched, "yes");
    assert.deepEqual(images(await untilReady(world, "web", 3)), ["web:2"]);
    const status = { status: { readyReplicas: 1, availableReplicas: 1 } };
    await deployments.patch("web", status, { type: "merge", subresource: "status" });
    await world.until(async () => (await deployments.get("web")).status?.readyReplicas === 3);
    await deployments.deleteCollection({ labelSelector: "e2e=yes" });
    await world.until(async () => (await maybe(deployments, "web")) === undefined);
    await world.until(async () => (await podsOf(world, "web")).length === 0);
  },
  NODES,
);
