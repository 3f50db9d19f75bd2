import assert from "node:assert/strict";
import { Deployment } from "../../../src/api/apps/deployment.ts";
import { ReplicaSet } from "../../../src/api/apps/replica-set.ts";
import { Pod, ReplicationController } from "../../../src/api/core/pods.ts";
import { controllerReference } from "../../../src/machinery/meta/owner.ts";
import { behaviour, maybe, names, type World } from "./behaviour.ts";
import { NODES, ownerOf, podsOf, templateOf, untilReady, workloadOf } from "./workload.ts";

const MINUTE = 60_000;

function controllersOf({ client, namespace }: World) {
  return client.resource(ReplicationController, namespace);
}

function setsOf({ client, namespace }: World) {
  return client.resource(ReplicaSet, namespace);
}

async function makeController(world: World, replicas: number, name = "web"): Promise<ReplicationController> {
  const labels = { app: name };
  const made = await controllersOf(world).create({
    metadata: { name, labels },
    spec: { replicas, selector: labels, template: templateOf(name) },
  });
  await untilReady(world, name, replicas);
  return made;
}

async function makeDeployment(world: World): Promise<void> {
  await world.client.resource(Deployment, world.namespace).create(workloadOf("web", 2));
  await untilReady(world, "web", 2);
}

behaviour(
  "[sig-api-machinery] Garbage collector should delete pods created by rc when not orphaning [Conformance]",
  async (world) => {
    await makeController(world, 2);
    await controllersOf(world).delete("web", { propagationPolicy: "Background" });
    await world.until(async () => (await podsOf(world, "web")).length === 0);
    assert.equal(await maybe(controllersOf(world), "web"), undefined);
  },
  NODES,
);

behaviour(
  "[sig-api-machinery] Garbage collector should orphan pods created by rc if delete options say so [Serial] [Conformance]",
  async (world) => {
    await makeController(world, 20);
    await controllersOf(world).delete("web", { propagationPolicy: "Orphan" });
    await world.until(async () => (await maybe(controllersOf(world), "web")) === undefined);
    await world.cluster.pass(MINUTE / 2);
    const pods = await podsOf(world, "web");
    assert.equal(pods.length, 20);
    assert.ok(pods.every((pod) => ownerOf(pod) === undefined));
  },
  NODES,
);

behaviour(
  "[sig-api-machinery] Garbage collector should delete RS created by deployment when not orphaning [Conformance]",
  async (world) => {
    await makeDeployment(world);
    const deployments = world.client.resource(Deployment, world.namespace);
    await deployments.delete("web", { propagationPolicy: "Background" });
    await world.until(async () => (await names(setsOf(world))).length === 0);
    await world.until(async () => (await podsOf(world, "web")).length === 0);
  },
  NODES,
);

behaviour(
  "[sig-api-machinery] Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan [Conformance]",
  async (world) => {
    await makeDeployment(world);
    const deployments = world.client.resource(Deployment, world.namespace);
    await deployments.delete("web", { propagationPolicy: "Orphan" });
    await world.until(async () => (await maybe(deployments, "web")) === undefined);
    await world.cluster.pass(MINUTE / 2);
    const [set, ...none] = (await setsOf(world).list()).items;
    assert.deepEqual(none, []);
    assert.equal(set?.metadata.ownerReferences?.length ?? 0, 0);
    assert.equal((await podsOf(world, "web")).length, 2);
  },
  NODES,
);

behaviour(
  "[sig-api-machinery] Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so [Serial] [Conformance]",
  async (world) => {
    await makeController(world, 10);
    await controllersOf(world).delete("web", { propagationPolicy: "Foreground" });
    const leaving = await controllersOf(world).get("web");
    assert.deepEqual(leaving.metadata.finalizers, ["foregroundDeletion"]);
    await world.until(async () => {
      const pods = await podsOf(world, "web");
      const owner = await maybe(controllersOf(world), "web");
      assert.ok(owner !== undefined || pods.length === 0, "the owner goes last");
      return owner === undefined;
    });
  },
  { ...NODES, stages: [{ terminate: { ms: 1000, jitter: 5000 } }] },
);

behaviour(
  "[sig-api-machinery] Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted [Serial] [Conformance]",
  async (world) => {
    const pods = world.client.resource(Pod, world.namespace);
    await makeController(world, 4, "leaving");
    const staying = await controllersOf(world).create({
      metadata: { name: "staying", labels: { app: "staying" } },
      spec: { replicas: 0, selector: { app: "staying" }, template: templateOf("staying") },
    });
    const all = await podsOf(world, "leaving");
    const shared = all.slice(0, 2).map(({ metadata }) => metadata.name!);
    for (const name of shared) {
      const reference = { ...controllerReference(staying), controller: false };
      await pods.patch(name, { metadata: { ownerReferences: [reference] } }, { type: "strategic" });
    }
    await controllersOf(world).delete("leaving", { propagationPolicy: "Foreground" });
    await world.until(async () => (await maybe(controllersOf(world), "leaving")) === undefined);
    await world.cluster.pass(MINUTE / 2);
    const left = await podsOf(world, "leaving");
    assert.deepEqual(left.map(({ metadata }) => metadata.name).sort(), shared.sort());
    for (const { metadata } of left) {
      assert.deepEqual(
        metadata.ownerReferences?.map(({ name }) => name),
        ["staying"],
      );
      assert.equal(metadata.deletionTimestamp, undefined);
    }
  },
  NODES,
);

behaviour(
  "[sig-api-machinery] Garbage collector should not be blocked by dependency circle [Conformance]",
  async (world) => {
    const pods = world.client.resource(Pod, world.namespace);
    const made = new Map<string, Pod>();
    for (const name of ["pod1", "pod2", "pod3"]) {
      made.set(name, await pods.create({ ...templateOf("web"), metadata: { name } }));
    }
    for (const [name, owner] of [
      ["pod1", "pod3"],
      ["pod2", "pod1"],
      ["pod3", "pod2"],
    ] as const) {
      const ownerReferences = [controllerReference(made.get(owner)!)];
      await pods.patch(name, { metadata: { ownerReferences } }, { type: "strategic" });
    }
    await pods.delete("pod1", { propagationPolicy: "Foreground" });
    await world.until(async () => (await names(pods)).length === 0);
  },
  NODES,
);
