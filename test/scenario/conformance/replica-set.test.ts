import assert from "node:assert/strict";
import { ReplicaSet } from "../../../src/api/apps/replica-set.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { behaviour } from "./behaviour.ts";
import {
  collectionWorks,
  NODES,
  ownerOf,
  podsOf,
  relabel,
  scaleWorks,
  statusWorks,
  templateOf,
  untilReady,
  workloadOf,
} from "./workload.ts";

behaviour(
  "[sig-apps] ReplicaSet should serve a basic image on each replica with a public image [Conformance]",
  async (world) => {
    await world.client.resource(ReplicaSet, world.namespace).create(workloadOf("web", 1));
    const [pod] = await untilReady(world, "web", 1);
    assert.equal(ownerOf(pod!), "web");
    assert.equal(pod?.status?.phase, "Running");
  },
  NODES,
);

behaviour(
  "[sig-apps] ReplicaSet should adopt matching pods on creation and release no longer matching pods [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    const pods = client.resource(Pod, namespace);
    await pods.create({ ...templateOf("web"), metadata: { name: "orphan", labels: { app: "web" } } });
    await client.resource(ReplicaSet, namespace).create(workloadOf("web", 1));
    await until(async () => (await podsOf(world, "web")).every((pod) => ownerOf(pod) === "web"));
    const [adopted] = await untilReady(world, "web", 1);
    assert.equal(adopted?.metadata.name, "orphan");
    await relabel(world, adopted!, "other");
    await until(async () => ownerOf(await pods.get("orphan")) === undefined);
    const [other] = await untilReady(world, "web", 1);
    assert.notEqual(other?.metadata.name, "orphan");
  },
  NODES,
);

behaviour(
  "[sig-apps] ReplicaSet Replicaset should have a working scale subresource [Conformance]",
  async (world) => {
    await world.client.resource(ReplicaSet, world.namespace).create(workloadOf("web", 1));
    await untilReady(world, "web", 1);
    await scaleWorks(world, ReplicaSet, "web");
    await untilReady(world, "web", 4);
  },
  NODES,
);

behaviour(
  "[sig-apps] ReplicaSet Replace and Patch tests [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    const sets = client.resource(ReplicaSet, namespace);
    await sets.create(workloadOf("web", 1));
    await untilReady(world, "web", 1);
    const scaled = { metadata: { labels: { "test-rs": "patched" } }, spec: { replicas: 3 } };
    await sets.patch("web", scaled, { type: "strategic" });
    await untilReady(world, "web", 3);
    await until(async () => (await sets.get("web")).status?.readyReplicas === 3);
    const now = await sets.get("web");
    assert.equal(now.metadata.labels?.["test-rs"], "patched");
    await sets.update({ ...now, spec: { ...now.spec!, replicas: 2 } });
    await untilReady(world, "web", 2);
  },
  NODES,
);

behaviour(
  "[sig-apps] ReplicaSet should list and delete a collection of ReplicaSets [Conformance]",
  async (world) => {
    await world.client.resource(ReplicaSet, world.namespace).create(workloadOf("web", 3));
    await untilReady(world, "web", 3);
    await collectionWorks(world, ReplicaSet, "app=web", 1);
  },
  NODES,
);

behaviour(
  "[sig-apps] ReplicaSet should validate Replicaset Status endpoints [Conformance]",
  async (world) => {
    await world.client.resource(ReplicaSet, world.namespace).create(workloadOf("web", 1));
    await untilReady(world, "web", 1);
    await statusWorks(world, ReplicaSet, "web");
  },
  NODES,
);
