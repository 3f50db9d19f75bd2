import assert from "node:assert/strict";
import { Pod, ReplicationController } from "../../../src/api/core/pods.ts";
import { ResourceQuota } from "../../../src/api/core/resource-quota.ts";
import { behaviour, maybe, names } from "./behaviour.ts";
import { NODES, ownerOf, podsOf, relabel, templateOf, untilReady } from "./workload.ts";

function controllerOf(name: string, replicas: number) {
  const labels = { app: name };
  return { metadata: { name, labels }, spec: { replicas, selector: labels, template: templateOf(name) } };
}

behaviour(
  "[sig-apps] ReplicationController should serve a basic image on each replica with a public image [Conformance]",
  async (world) => {
    await world.client.resource(ReplicationController, world.namespace).create(controllerOf("web", 1));
    const [pod] = await untilReady(world, "web", 1);
    assert.equal(ownerOf(pod!), "web");
  },
  NODES,
);

behaviour(
  "[sig-apps] ReplicationController should adopt matching pods on creation [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    const pods = client.resource(Pod, namespace);
    await pods.create({ ...templateOf("web"), metadata: { name: "orphan", labels: { app: "web" } } });
    await client.resource(ReplicationController, namespace).create(controllerOf("web", 1));
    await until(async () => ownerOf(await pods.get("orphan")) === "web");
    assert.equal((await podsOf(world, "web")).length, 1);
  },
  NODES,
);

behaviour(
  "[sig-apps] ReplicationController should release no longer matching pods [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    await client.resource(ReplicationController, namespace).create(controllerOf("web", 1));
    const [pod] = await untilReady(world, "web", 1);
    await relabel(world, pod!, "other");
    const name = pod?.metadata.name ?? "";
    await until(async () => ownerOf(await client.resource(Pod, namespace).get(name)) === undefined);
    const [other] = await untilReady(world, "web", 1);
    assert.notEqual(other?.metadata.name, name);
  },
  NODES,
);

behaviour(
  "[sig-apps] ReplicationController should surface a failure condition on a common issue like exceeded quota [Conformance]",
  async ({ client, namespace, until }) => {
    const quotas = client.resource(ResourceQuota, namespace);
    await quotas.create({ metadata: { name: "two" }, spec: { hard: { pods: "2" } } });
    await until(async () => (await quotas.get("two")).status?.hard?.pods === "2");
    const controllers = client.resource(ReplicationController, namespace);
    await controllers.create(controllerOf("web", 3));
    const failure = async () =>
      (await controllers.get("web")).status?.conditions?.find(({ type }) => type === "ReplicaFailure");
    await until(async () => (await failure())?.status === "True");
    const told = await failure();
    assert.equal(told?.reason, "FailedCreate");
    assert.match(told?.message ?? "", /exceeded quota: two/);
    await controllers.patch("web", { spec: { replicas: 2 } }, { type: "strategic" });
    await until(async () => (await failure()) === undefined);
  },
);

behaviour(
  "[sig-apps] ReplicationController should get and update a ReplicationController scale [Conformance]",
  async (world) => {
    const controllers = world.client.resource(ReplicationController, world.namespace);
    await controllers.create(controllerOf("web", 1));
    await untilReady(world, "web", 1);
    const scale = await controllers.getSubresource<ReplicationController>("web", "scale");
    assert.equal(scale.spec?.replicas, 1);
    await controllers.update({ ...scale, spec: { replicas: 2 } }, { subresource: "scale" });
    await world.until(async () => (await controllers.get("web")).status?.replicas === 2);
    assert.equal((await controllers.get("web")).spec?.replicas, 2);
  },
  NODES,
);

behaviour(
  "[sig-apps] ReplicationController should test the lifecycle of a ReplicationController [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    const controllers = client.resource(ReplicationController, namespace);
    await controllers.create(controllerOf("web", 1));
    await untilReady(world, "web", 1);
    await controllers.patch("web", { metadata: { labels: { patched: "yes" } } }, { type: "strategic" });
    assert.deepEqual(await names(client.resource(ReplicationController), "patched=yes"), ["web"]);
    const now = await controllers.get("web");
    const patch = { status: { readyReplicas: 0, availableReplicas: 0 } };
    await controllers.patch("web", patch, { type: "merge", subresource: "status" });
    await until(async () => (await controllers.get("web")).status?.availableReplicas === 1);
    const fresh = await controllers.get("web");
    await controllers.update({ ...fresh, spec: { ...now.spec, replicas: 3 } });
    await untilReady(world, "web", 3);
    await controllers.deleteCollection({ labelSelector: "patched=yes", propagationPolicy: "Background" });
    await until(async () => (await maybe(controllers, "web")) === undefined);
  },
  NODES,
);
