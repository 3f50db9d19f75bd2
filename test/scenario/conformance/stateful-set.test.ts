import assert from "node:assert/strict";
import { StatefulSet } from "../../../src/api/apps/stateful-set.ts";
import { isPodReady } from "../../../src/api/core/pod/state.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { behaviour, maybe, names, type World } from "./behaviour.ts";
import {
  collectionWorks,
  NODES,
  podsOf,
  scaleWorks,
  statusWorks,
  templateOf,
  untilReady,
  workloadOf,
} from "./workload.ts";

function setsOf({ client, namespace }: World) {
  return client.resource(StatefulSet, namespace);
}

function setOf(name: string, replicas: number, more: object = {}) {
  return workloadOf(name, replicas, { serviceName: name, ...more });
}

async function scaleTo(world: World, replicas: number): Promise<void> {
  await setsOf(world).patch("web", { spec: { replicas } }, { type: "strategic" });
}

async function useImage(world: World, image: string): Promise<void> {
  await setsOf(world).patch("web", { spec: { template: templateOf("web", image) } }, { type: "strategic" });
}

async function untilUpdated(world: World): Promise<StatefulSet> {
  await world.until(async () => {
    const { metadata, spec, status } = await setsOf(world).get("web");
    return (
      status?.observedGeneration === metadata.generation &&
      status?.currentRevision === status?.updateRevision &&
      status?.readyReplicas === spec?.replicas
    );
  });
  return setsOf(world).get("web");
}

function byName(pods: readonly Pod[]): Record<string, Pod> {
  return Object.fromEntries(pods.map((pod) => [pod.metadata.name, pod]));
}

function imageOf(pod: Pod | undefined): string | undefined {
  return pod?.spec?.containers[0]?.image;
}

/** Pods as they are made and go, in order. */
async function record(world: World, during: () => Promise<void>): Promise<string[]> {
  const seen: string[] = [];
  const stopping = new AbortController();
  const { client, namespace } = world;
  const { metadata } = await client.resource(Pod, namespace).list();
  const options = { resourceVersion: metadata.resourceVersion, signal: stopping.signal };
  const watching = (async () => {
    for await (const { type, object } of client.resource(Pod, namespace).watch(options)) {
      if (type === "ADDED") seen.push(`+${object.metadata.name}`);
      if (type === "DELETED") seen.push(`-${object.metadata.name}`);
    }
  })().catch(() => {});
  await during();
  await world.cluster.settle();
  stopping.abort();
  await watching;
  return seen;
}

const GATE = "example.com/healthy";

/** Pods are ready only while a test says so. */
function gatedTemplate() {
  const template = templateOf("web");
  return { ...template, spec: { ...template.spec, readinessGates: [{ conditionType: GATE }] } };
}

async function setHealthy(world: World, name: string, healthy: boolean): Promise<void> {
  const pods = world.client.resource(Pod, world.namespace);
  await world.until(async () => (await maybe(pods, name))?.status?.phase === "Running");
  const status = { conditions: [{ type: GATE, status: healthy ? "True" : "False" }] };
  await pods.patch(name, { status }, { type: "strategic", subresource: "status" });
  await world.until(async () => isPodReady(await pods.get(name)) === healthy);
}

async function setHealthyAndGone(world: World, name: string): Promise<void> {
  const pods = world.client.resource(Pod, world.namespace);
  const status = { conditions: [{ type: GATE, status: "True" }] };
  await pods.patch(name, { status }, { type: "strategic", subresource: "status" });
  await world.until(async () => (await maybe(pods, name)) === undefined);
}

behaviour(
  "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Scaling should happen in predictable order and halt if any stateful pod is unhealthy [Slow] [Conformance]",
  async (world) => {
    const count = async (): Promise<number> => (await podsOf(world, "web")).length;
    await setsOf(world).create(setOf("web", 3, { template: gatedTemplate() }));
    for (const [i, name] of ["web-0", "web-1", "web-2"].entries()) {
      await world.until(async () => (await count()) === i + 1);
      await world.cluster.pass(60_000);
      assert.equal(await count(), i + 1, "the next one waits");
      await setHealthy(world, name, true);
    }

    await setHealthy(world, "web-0", false);
    await scaleTo(world, 4);
    await world.cluster.pass(60_000);
    assert.equal(await count(), 3);
    await setHealthy(world, "web-0", true);
    await setHealthy(world, "web-3", true);

    const all = ["web-0", "web-1", "web-2", "web-3"];
    for (const name of all) await setHealthy(world, name, false);
    await scaleTo(world, 0);
    await world.cluster.pass(60_000);
    assert.equal(await count(), 4);
    const down = await record(world, async () => {
      // The highest goes first, and none before it is healthy but the first.
      for (const name of all.reverse()) if (name !== "web-0") await setHealthyAndGone(world, name);
      await untilReady(world, "web", 0);
    });
    assert.deepEqual(down, ["-web-3", "-web-2", "-web-1", "-web-0"]);
  },
  NODES,
);

behaviour(
  "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Burst scaling should run to completion even with unhealthy pods [Slow] [Conformance]",
  async (world) => {
    const template = gatedTemplate();
    await setsOf(world).create(setOf("web", 1, { podManagementPolicy: "Parallel", template }));
    await setHealthy(world, "web-0", true);
    await setHealthy(world, "web-0", false);
    await scaleTo(world, 3);
    await setHealthy(world, "web-2", true);
    await setHealthy(world, "web-1", true);
    await scaleTo(world, 0);
    await world.until(async () => (await podsOf(world, "web")).length === 0);
    assert.equal((await setsOf(world).get("web")).spec?.replicas, 0);
  },
  NODES,
);

behaviour(
  "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Should recreate evicted statefulset [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    const pods = client.resource(Pod, namespace);
    await setsOf(world).create(setOf("web", 1));
    const [first] = await untilReady(world, "web", 1);
    const evicted = { status: { phase: "Failed", reason: "Evicted" } };
    await pods.patch("web-0", evicted, { type: "merge", subresource: "status" });
    await until(async () => {
      const pod = await maybe(pods, "web-0");
      return pod !== undefined && pod.metadata.uid !== first?.metadata.uid && isPodReady(pod);
    });
  },
  NODES,
);

behaviour(
  "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a working scale subresource [Conformance]",
  async (world) => {
    await setsOf(world).create(setOf("web", 1));
    await untilReady(world, "web", 1);
    await scaleWorks(world, StatefulSet, "web");
    await untilReady(world, "web", 4);
  },
  NODES,
);

behaviour(
  "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should list, patch and delete a collection of StatefulSets [Conformance]",
  async (world) => {
    const sets = setsOf(world);
    await sets.create(setOf("web", 1));
    await untilReady(world, "web", 1);
    const patch = {
      metadata: { labels: { "test-ss": "patched" } },
      spec: { replicas: 2, template: { spec: { containers: [{ name: "main", image: "web:2" }] } } },
    };
    await sets.patch("web", patch, { type: "strategic" });
    await untilUpdated(world);
    assert.deepEqual(await names(world.client.resource(StatefulSet), "test-ss=patched"), ["web"]);
    assert.deepEqual((await podsOf(world, "web")).map(imageOf), ["web:2", "web:2"]);
    await collectionWorks(world, StatefulSet, "test-ss=patched", 1);
  },
  NODES,
);

behaviour(
  "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate Statefulset Status endpoints [Conformance]",
  async (world) => {
    await setsOf(world).create(setOf("web", 1));
    await untilReady(world, "web", 1);
    await statusWorks(world, StatefulSet, "web");
  },
  NODES,
);

behaviour(
  "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform rolling updates and roll backs of template modifications [Conformance]",
  async (world) => {
    await setsOf(world).create(setOf("web", 3));
    await untilReady(world, "web", 3);
    const before = await untilUpdated(world);
    const first = before.status?.currentRevision;
    assert.ok(first);
    const order = await record(world, async () => {
      await useImage(world, "web:2");
      await world.until(async () => (await setsOf(world).get("web")).status?.updateRevision !== first);
      assert.equal((await setsOf(world).get("web")).status?.currentRevision, first);
      await untilUpdated(world);
    });
    assert.deepEqual(
      order.filter((event) => event.startsWith("-")),
      ["-web-2", "-web-1", "-web-0"],
    );
    const updated = await untilUpdated(world);
    const second = updated.status?.currentRevision;
    assert.notEqual(second, first);
    for (const pod of await podsOf(world, "web")) {
      assert.equal(imageOf(pod), "web:2");
      assert.equal(pod.metadata.labels?.["controller-revision-hash"], second);
    }
    await useImage(world, "web:1");
    await world.until(async () => (await setsOf(world).get("web")).status?.updateRevision === first);
    const back = await untilUpdated(world);
    assert.equal(back.status?.currentRevision, first, "a rollback makes no new revision");
    assert.deepEqual((await podsOf(world, "web")).map(imageOf), ["web:1", "web:1", "web:1"]);
  },
  // Pods take their time, so that the update can be looked at while it goes on.
  { ...NODES, stages: [{ ready: 5000 }] },
);

behaviour(
  "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform canary updates and phased rolling updates of template modifications [Conformance]",
  async (world) => {
    const partition = (at: number) => ({
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: at } },
    });
    const images = async (): Promise<unknown[]> => {
      const pods = byName(await untilReady(world, "web", 3));
      return ["web-0", "web-1", "web-2"].map((name) => imageOf(pods[name]));
    };
    const move = (at: number) => setsOf(world).patch("web", { spec: partition(at) }, { type: "strategic" });
    await setsOf(world).create(setOf("web", 3, partition(3)));
    await untilReady(world, "web", 3);
    await useImage(world, "web:2");
    await world.cluster.pass(60_000);
    assert.deepEqual(await images(), ["web:1", "web:1", "web:1"]);

    await move(2);
    await world.until(async () => (await images())[2] === "web:2");
    assert.deepEqual(await images(), ["web:1", "web:1", "web:2"]);

    const pods = world.client.resource(Pod, world.namespace);
    const killed = byName(await podsOf(world, "web"));
    for (const name of ["web-0", "web-2"]) await pods.delete(name);
    await world.until(async () => {
      const now = byName(await podsOf(world, "web"));
      return ["web-0", "web-2"].every(
        (name) => now[name] !== undefined && now[name].metadata.uid !== killed[name]?.metadata.uid,
      );
    });
    assert.deepEqual(await images(), ["web:1", "web:1", "web:2"]);

    for (const at of [1, 0]) {
      await move(at);
      await world.until(async () => (await images())[at] === "web:2");
    }
    const { status } = await untilUpdated(world);
    assert.equal(status?.currentRevision, status?.updateRevision);
    assert.deepEqual(await images(), ["web:2", "web:2", "web:2"]);
  },
  NODES,
);
