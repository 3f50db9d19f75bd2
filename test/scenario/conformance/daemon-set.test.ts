import assert from "node:assert/strict";
import { ControllerRevision } from "../../../src/api/apps/controller-revision.ts";
import { DaemonSet } from "../../../src/api/apps/daemon-set.ts";
import { Node } from "../../../src/api/core/node.ts";
import { isPodReady } from "../../../src/api/core/pod/state.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { controllerReference } from "../../../src/machinery/meta/owner.ts";
import { behaviour, names, type World } from "./behaviour.ts";
import { collectionWorks, podsOf, statusWorks, templateOf, untilReady } from "./workload.ts";

const NODES = { nodes: 3 };

function setsOf({ client, namespace }: World) {
  return client.resource(DaemonSet, namespace);
}

function setOf(more: object = {}) {
  const labels = { app: "agent" };
  const spec = { selector: { matchLabels: labels }, template: templateOf("agent"), ...more };
  return { metadata: { name: "agent", labels }, spec };
}

/** One ready pod on every node. */
async function untilEverywhere(world: World): Promise<Pod[]> {
  const pods = await untilReady(world, "agent", 3);
  assert.equal(new Set(pods.map(({ spec }) => spec?.nodeName)).size, 3);
  return pods;
}

async function useImage(world: World, image: string): Promise<void> {
  await setsOf(world).patch(
    "agent",
    { spec: { template: templateOf("agent", image) } },
    { type: "strategic" },
  );
}

async function untilImage(world: World, image: string): Promise<Pod[]> {
  let pods: Pod[] = [];
  await world.until(async () => {
    pods = await podsOf(world, "agent");
    return (
      pods.length === 3 && pods.every((pod) => isPodReady(pod) && pod.spec?.containers[0]?.image === image)
    );
  });
  return pods;
}

behaviour(
  "[sig-apps] Daemon set [Serial] should run and stop simple daemon [Conformance]",
  async (world) => {
    await setsOf(world).create(setOf());
    const [pod] = await untilEverywhere(world);
    await world.client.resource(Pod, world.namespace).delete(pod!.metadata.name!);
    await world.until(async () => {
      const uids = (await podsOf(world, "agent")).map(({ metadata }) => metadata.uid);
      return uids.length === 3 && !uids.includes(pod?.metadata.uid);
    });
    await untilEverywhere(world);
  },
  NODES,
);

behaviour(
  "[sig-apps] Daemon set [Serial] should run and stop complex daemon [Conformance]",
  async (world) => {
    const nodes = world.client.resource(Node);
    const color = (value: string | null) => ({ metadata: { labels: { "daemonset-color": value } } });
    const template = templateOf("agent");
    const selecting = (value: string) => ({
      template: { ...template, spec: { ...template.spec, nodeSelector: { "daemonset-color": value } } },
    });
    await setsOf(world).create(setOf(selecting("blue")));
    await world.cluster.pass(10_000);
    assert.deepEqual(await podsOf(world, "agent"), []);
    const [node] = await names(nodes);
    await nodes.patch(node!, color("blue"), { type: "merge" });
    const [pod] = await untilReady(world, "agent", 1);
    assert.equal(pod?.spec?.nodeName, node);
    await nodes.patch(node!, color("green"), { type: "merge" });
    await world.until(async () => (await podsOf(world, "agent")).length === 0);
    await setsOf(world).patch("agent", { spec: selecting("green") }, { type: "strategic" });
    const [again] = await untilReady(world, "agent", 1);
    assert.equal(again?.spec?.nodeName, node);
  },
  NODES,
);

behaviour(
  "[sig-apps] Daemon set [Serial] should retry creating failed daemon pods [Conformance]",
  async (world) => {
    await setsOf(world).create(setOf());
    const [pod] = await untilEverywhere(world);
    const pods = world.client.resource(Pod, world.namespace);
    await pods.patch(
      pod!.metadata.name!,
      { status: { phase: "Failed" } },
      { type: "merge", subresource: "status" },
    );
    await world.until(async () => {
      const now = await podsOf(world, "agent");
      return (
        now.length === 3 &&
        now.every(({ metadata, status }) => metadata.uid !== pod?.metadata.uid && status?.phase === "Running")
      );
    });
    await untilEverywhere(world);
  },
  NODES,
);

behaviour(
  "[sig-apps] Daemon set [Serial] should update pod when spec was updated and update strategy is RollingUpdate [Conformance]",
  async (world) => {
    await setsOf(world).create(setOf({ updateStrategy: { type: "RollingUpdate" } }));
    const revision = async () =>
      (await podsOf(world, "agent")).map(({ metadata }) => metadata.labels?.["controller-revision-hash"]);
    await untilEverywhere(world);
    const before = new Set(await revision());
    await useImage(world, "web:2");
    await untilImage(world, "web:2");
    const after = new Set(await revision());
    assert.equal(after.size, 1);
    assert.deepEqual(after.intersection(before).size, 0);
    const revisions = await world.client.resource(ControllerRevision, world.namespace).list();
    assert.deepEqual(revisions.items.map((item) => item.revision).sort(), [1, 2]);
  },
  NODES,
);

behaviour(
  "[sig-apps] Daemon set [Serial] should rollback without unnecessary restarts [Conformance]",
  async (world) => {
    await setsOf(world).create(setOf());
    const before = await untilEverywhere(world);
    await useImage(world, "web:never-ready");
    await world.until(async () =>
      (await podsOf(world, "agent")).some(({ spec }) => spec?.containers[0]?.image === "web:never-ready"),
    );
    await world.cluster.pass(60_000);
    const kept = (await podsOf(world, "agent")).filter(({ spec }) => spec?.containers[0]?.image === "web:1");
    assert.equal(kept.length, 2, "the update waits for its first pod");
    await useImage(world, "web:1");
    const after = (await untilImage(world, "web:1")).map(({ metadata }) => metadata.uid);
    const same = before.filter(({ metadata }) => after.includes(metadata.uid));
    assert.equal(same.length, 2, "those that were never updated were not restarted");
  },
  { ...NODES, stages: [{ match: { image: "web:never-ready" }, ready: "never" }] },
);

behaviour(
  "[sig-apps] Daemon set [Serial] should list and delete a collection of DaemonSets [Conformance]",
  async (world) => {
    await setsOf(world).create(setOf());
    await untilEverywhere(world);
    assert.deepEqual(await names(world.client.resource(DaemonSet), "app=agent"), ["agent"]);
    await collectionWorks(world, DaemonSet, "app=agent", 1);
  },
  NODES,
);

behaviour(
  "[sig-apps] Daemon set [Serial] should verify changes to a daemon set status [Conformance]",
  async (world) => {
    await setsOf(world).create(setOf());
    await untilEverywhere(world);
    await statusWorks(world, DaemonSet, "agent");
  },
  NODES,
);

behaviour(
  "[sig-apps] ControllerRevision [Serial] should manage the lifecycle of a ControllerRevision [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    const revisions = client.resource(ControllerRevision, namespace);
    const found = async (selector = "app=agent") => (await revisions.list({ labelSelector: selector })).items;
    await setsOf(world).create(setOf());
    await untilEverywhere(world);
    const [first, ...none] = await found();
    assert.deepEqual(none, []);
    const name = first?.metadata.name ?? "";
    const labelled = await revisions.patch(
      name,
      { metadata: { labels: { [name]: "patched" } } },
      { type: "strategic" },
    );
    assert.equal(labelled.metadata.labels?.[name], "patched");

    const owner = await setsOf(world).get("agent");
    await revisions.create({
      metadata: {
        name: "agent-other",
        labels: { app: "agent", "daemonset-name": "other" },
        ownerReferences: [controllerReference(owner)],
      },
      data: first?.data,
      revision: (first?.revision ?? 0) + 1,
    });
    assert.equal((await found()).length, 2);
    await revisions.delete(name);
    await until(async () => !(await names(revisions)).includes(name));

    const other = await revisions.get("agent-other");
    const labels = { ...other.metadata.labels, "agent-other": "updated" };
    await revisions.update({ ...other, metadata: { ...other.metadata, labels } });
    assert.equal((await revisions.get("agent-other")).metadata.labels?.["agent-other"], "updated");

    const template = templateOf("agent");
    const patch = {
      spec: { template: { ...template, spec: { ...template.spec, terminationGracePeriodSeconds: 1 } } },
    };
    await setsOf(world).patch("agent", patch, { type: "strategic" });
    await until(async () => (await found()).some(({ revision }) => revision === 3));
    await revisions.deleteCollection({ labelSelector: "agent-other=updated" });
    await until(async () => (await found()).every(({ metadata }) => metadata.name !== "agent-other"));
    assert.equal(Math.max(...(await found()).map(({ revision }) => revision)), 3);
  },
  NODES,
);
