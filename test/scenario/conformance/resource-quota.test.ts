import assert from "node:assert/strict";
import { ReplicaSet } from "../../../src/api/apps/replica-set.ts";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Pod, ReplicationController } from "../../../src/api/core/pods.ts";
import { ResourceQuota } from "../../../src/api/core/resource-quota.ts";
import { Secret } from "../../../src/api/core/secret.ts";
import { Service } from "../../../src/api/core/services.ts";
import type { KubeObject } from "../../../src/api/object.ts";
import type { Resource } from "../../../src/api/resource.ts";
import { behaviour, makeNamespace, maybe, names, type World } from "./behaviour.ts";

type Amounts = Record<string, string>;

function quotasOf({ client, namespace }: World) {
  return client.resource(ResourceQuota, namespace);
}

/** Lets time pass until the quota says that exactly so much of these is used. */
async function used(world: World, name: string, wanted: Amounts): Promise<void> {
  await world.until(async () => {
    const said = (await quotasOf(world).get(name)).status?.used ?? {};
    return Object.entries(wanted).every(([resource, amount]) => said[resource] === amount);
  });
}

const HARD = {
  cpu: "1",
  memory: "500Mi",
  pods: "5",
  services: "10",
  "services.nodeports": "1",
  "services.loadbalancers": "1",
  replicationcontrollers: "10",
  resourcequotas: "1",
  configmaps: "10",
  secrets: "10",
  "count/replicasets.apps": "5",
  "requests.ephemeral-storage": "50Gi",
  "requests.example.com/dongle": "3",
};

async function makeQuota(world: World, hard: Amounts = HARD): Promise<void> {
  await quotasOf(world).create({ metadata: { name: "quota" }, spec: { hard } });
  await used(world, "quota", "resourcequotas" in hard ? { resourcequotas: "1" } : {});
  await world.until(async () => (await quotasOf(world).get("quota")).status?.hard !== undefined);
}

behaviour(
  "[sig-api-machinery] ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated. [Conformance]",
  async (world) => {
    await makeQuota(world);
    const { status } = await quotasOf(world).get("quota");
    assert.deepEqual(status?.hard, HARD);
    assert.deepEqual(Object.keys(status?.used ?? {}).sort(), Object.keys(HARD).sort());
  },
);

behaviour(
  "[sig-api-machinery] ResourceQuota should be able to update and delete ResourceQuota. [Conformance]",
  async (world) => {
    const quotas = quotasOf(world);
    const made = await quotas.create({
      metadata: { name: "quota" },
      spec: { hard: { cpu: "1", memory: "500Mi" } },
    });
    assert.deepEqual(made.spec?.hard, { cpu: "1", memory: "500Mi" });
    const now = await quotas.get("quota");
    await quotas.update({ ...now, spec: { hard: { cpu: "2", memory: "1Gi" } } });
    assert.deepEqual((await quotas.get("quota")).spec?.hard, { cpu: "2", memory: "1Gi" });
    await quotas.delete("quota");
    assert.equal(await maybe(quotas, "quota"), undefined);
  },
);

/** The quota charges what is made and gives it back when it goes. */
function lifeOf<T extends KubeObject>(
  what: string,
  resource: Resource<T>,
  object: unknown,
  charged: (base: (name: string) => number) => Amounts,
): void {
  behaviour(
    `[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a ${what}. [Conformance]`,
    async (world) => {
      await makeQuota(world);
      const before = (await quotasOf(world).get("quota")).status?.used ?? {};
      const objects = world.client.resource(resource, world.namespace);
      await objects.create(object as never);
      await used(
        world,
        "quota",
        charged((name) => Number(before[name])),
      );
      // Orphaning, the default of ReplicationControllers, would wait for the garbage collector.
      await objects.delete("charged", { propagationPolicy: "Background" });
      await used(world, "quota", before);
    },
  );
}

const SELECTED = { selector: { matchLabels: { app: "none" } } };
const TEMPLATE = {
  metadata: { labels: { app: "none" } },
  spec: { containers: [{ name: "main", image: "web:1" }] },
};

lifeOf("configMap", ConfigMap, { metadata: { name: "charged" }, data: { a: "b" } }, (had) => ({
  configmaps: String(had("configmaps") + 1),
}));

lifeOf("secret", Secret, { metadata: { name: "charged" }, stringData: { a: "b" } }, (had) => ({
  secrets: String(had("secrets") + 1),
}));

lifeOf(
  "service",
  Service,
  { metadata: { name: "charged" }, spec: { type: "NodePort", ports: [{ port: 80 }] } },
  () => ({ services: "1", "services.nodeports": "1" }),
);

lifeOf(
  "replica set",
  ReplicaSet,
  { metadata: { name: "charged" }, spec: { replicas: 0, ...SELECTED, template: TEMPLATE } },
  () => ({ "count/replicasets.apps": "1" }),
);

lifeOf(
  "replication controller",
  ReplicationController,
  { metadata: { name: "charged" }, spec: { replicas: 0, selector: { app: "none" }, template: TEMPLATE } },
  () => ({ replicationcontrollers: "1" }),
);

function podOf(name: string, amounts: Amounts, more: object = {}) {
  const resources = { requests: amounts, limits: amounts };
  return { metadata: { name }, spec: { containers: [{ name: "main", image: "web:1", resources }], ...more } };
}

behaviour(
  "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a pod. [Conformance]",
  async (world) => {
    await makeQuota(world);
    const pods = world.client.resource(Pod, world.namespace);
    const asked = {
      cpu: "500m",
      memory: "252Mi",
      "ephemeral-storage": "30Gi",
      "example.com/dongle": "2",
    };
    await pods.create(podOf("charged", asked));
    const taken = {
      pods: "1",
      cpu: "500m",
      memory: "252Mi",
      "requests.ephemeral-storage": "30Gi",
      "requests.example.com/dongle": "2",
    };
    await used(world, "quota", taken);
    const small = { cpu: "100m", memory: "100Mi", "ephemeral-storage": "1Gi" };
    const tooMuch: Amounts[] = [{ cpu: "600m" }, { "example.com/dongle": "2" }];
    for (const more of tooMuch) {
      await assert.rejects(pods.create(podOf("too-much", { ...small, ...more })), /exceeded quota: quota/);
    }
    const resources = { requests: { cpu: "100m", memory: "100Mi" } };
    const patch = { spec: { containers: [{ name: "main", resources }] } };
    await assert.rejects(pods.patch("charged", patch, { type: "strategic" }), { reason: "Invalid" });
    await used(world, "quota", taken);
    await pods.delete("charged", { gracePeriodSeconds: 0 });
    await used(world, "quota", {
      pods: "0",
      cpu: "0",
      memory: "0",
      "requests.ephemeral-storage": "0",
      "requests.example.com/dongle": "0",
    });
  },
);

async function makeScoped(world: World, name: string, scopes: string[], hard: Amounts): Promise<void> {
  await quotasOf(world).create({ metadata: { name }, spec: { hard, scopes } });
  await used(world, name, { pods: "0" });
}

/** A pod is charged to one quota and not to the other, and given back. */
async function chargedTo(world: World, quota: string, other: string, pod: object): Promise<void> {
  const pods = world.client.resource(Pod, world.namespace);
  const { name = "" } = (await pods.create(pod as never)).metadata;
  await used(world, quota, { pods: "1" });
  await world.cluster.pass(5000);
  await used(world, other, { pods: "0" });
  await pods.delete(name, { gracePeriodSeconds: 0 });
  await used(world, quota, { pods: "0" });
}

behaviour(
  "[sig-api-machinery] ResourceQuota should verify ResourceQuota with best effort scope. [Conformance]",
  async (world) => {
    await makeScoped(world, "best", ["BestEffort"], { pods: "5" });
    await makeScoped(world, "not-best", ["NotBestEffort"], { pods: "5" });
    const plain = { metadata: { name: "plain" }, spec: { containers: [{ name: "main", image: "web:1" }] } };
    await chargedTo(world, "best", "not-best", plain);
    await chargedTo(world, "not-best", "best", podOf("burst", { cpu: "500m", memory: "200Mi" }));
  },
);

behaviour(
  "[sig-api-machinery] ResourceQuota should verify ResourceQuota with terminating scopes. [Conformance]",
  async (world) => {
    const hard = {
      pods: "5",
      "requests.cpu": "1",
      "requests.memory": "500Mi",
      "limits.cpu": "2",
      "limits.memory": "1Gi",
    };
    await makeScoped(world, "terminating", ["Terminating"], hard);
    await makeScoped(world, "not-terminating", ["NotTerminating"], hard);
    const amounts = { cpu: "500m", memory: "200Mi" };
    await chargedTo(world, "not-terminating", "terminating", podOf("endless", amounts));
    const ending = podOf("ending", amounts, { activeDeadlineSeconds: 3600 });
    await chargedTo(world, "terminating", "not-terminating", ending);
  },
);

behaviour(
  "[sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota [Conformance]",
  async (world) => {
    const { client, until } = world;
    const quotas = quotasOf(world);
    const labels = { "e2e-rq-label": "quota" };
    await quotas.create({
      metadata: { name: "quota", labels },
      spec: { hard: { cpu: "1", memory: "500Mi" } },
    });
    await makeNamespace(client, until, "elsewhere");
    assert.deepEqual(await names(client.resource(ResourceQuota), "e2e-rq-label=quota"), ["quota"]);
    const patch = { metadata: { labels: { quota: "patched" } }, spec: { hard: { memory: "750Mi" } } };
    const patched = await quotas.patch("quota", patch, { type: "strategic" });
    assert.equal(patched.metadata.labels?.quota, "patched");
    assert.deepEqual(patched.spec?.hard, { cpu: "1", memory: "750Mi" });
    await quotas.deleteCollection({ labelSelector: "quota=patched" });
    await until(async () => (await names(quotas)).length === 0);
  },
);

behaviour(
  "[sig-api-machinery] ResourceQuota should apply changes to a resourcequota status [Conformance]",
  async (world) => {
    const quotas = quotasOf(world);
    const hardOf = async (): Promise<unknown> => (await quotas.get("quota")).status?.hard;
    const settled = (hard: Amounts) =>
      world.until(async () => JSON.stringify(await hardOf()) === JSON.stringify(hard));
    await quotas.create({ metadata: { name: "quota" }, spec: { hard: { cpu: "500m", memory: "500Mi" } } });
    await settled({ cpu: "500m", memory: "500Mi" });

    const now = await quotas.get("quota");
    const mine = { cpu: "250m", memory: "250Mi" };
    const updated = await quotas.updateStatus({ ...now, status: { ...now.status, hard: mine } });
    assert.deepEqual(updated.status?.hard, mine);
    assert.deepEqual(updated.spec?.hard, { cpu: "500m", memory: "500Mi" });
    await settled({ cpu: "500m", memory: "500Mi" });

    const hard = { cpu: "1", memory: "1Gi" };
    await quotas.patch("quota", { spec: { hard } }, { type: "strategic" });
    await settled(hard);
    const read = await quotas.getSubresource<ResourceQuota>("quota", "status");
    assert.deepEqual(read.status?.hard, hard);
    const options = { type: "merge", subresource: "status" } as const;
    const patched = await quotas.patch("quota", { status: { hard: { cpu: "2", memory: "2Gi" } } }, options);
    assert.deepEqual(patched.status?.hard, { cpu: "2", memory: "2Gi" });
    assert.deepEqual(patched.spec?.hard, hard);
    await settled(hard);
  },
);
