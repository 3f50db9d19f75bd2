import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Namespace, type NamespaceCondition } from "../../src/api/core/namespace.ts";
import { Pod } from "../../src/api/core/pods.ts";
import { Secret } from "../../src/api/core/secret.ts";
import { ServiceAccount } from "../../src/api/core/service-account.ts";
import type { Client } from "../../src/client/client.ts";
import { startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

async function makeNamespace(client: Client, name: string): Promise<void> {
  await client.resource(Namespace).create({ metadata: { name } });
}

function gone(client: Client, name: string): Promise<Namespace | undefined> {
  return until(client.resource(Namespace), name, (namespace) => namespace === undefined);
}

function conditionOf(namespace: Namespace | undefined, type: string): NamespaceCondition | undefined {
  return namespace?.status?.conditions?.find((condition) => condition.type === type);
}

test("a namespace goes with everything in it", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeNamespace(client, "full");
  await makeNamespace(client, "kept");
  for (let i = 0; i < 20; i++) {
    await client.resource(ConfigMap, "full").create({ metadata: { name: `map-${i}` } });
    await client.resource(Secret, "full").create({ metadata: { name: `secret-${i}` } });
  }
  await client.resource(ConfigMap, "kept").create({ metadata: { name: "map" } });
  const marked = (await client.resource(Namespace).delete("full")) as Namespace;
  assert.equal(marked.status?.phase, "Terminating");
  await gone(client, "full");
  for (const kind of [ConfigMap, Secret, ServiceAccount]) {
    const { items } = await client.resource<never>(kind as never, "full").list();
    assert.deepEqual(items, [], kind.plural);
  }
  assert.equal((await client.resource(ConfigMap, "kept").get("map")).metadata.name, "map");
});

test("a namespace waits for a finalizer, tells of it in its status, and goes when it is taken away", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeNamespace(client, "held");
  const maps = client.resource(ConfigMap, "held");
  await maps.create({ metadata: { name: "held", finalizers: ["example.com/keep"] } });
  await maps.create({ metadata: { name: "free" } });
  await client.resource(Namespace).delete("held");
  const waiting = await until(
    client.resource(Namespace),
    "held",
    (namespace) => conditionOf(namespace, "NamespaceFinalizersRemaining")?.status === "True",
  );
  const told = waiting?.status?.conditions?.map(({ type, status, reason, message }) => [
    type,
    status,
    reason,
    message,
  ]);
  assert.deepEqual(told, [
    [
      "NamespaceDeletionDiscoveryFailure",
      "False",
      "ResourcesDiscovered",
      "All resources successfully discovered",
    ],
    [
      "NamespaceDeletionGroupVersionParsingFailure",
      "False",
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ],
    [
      "NamespaceDeletionContentFailure",
      "False",
      "ContentDeleted",
      "All content successfully deleted, may be waiting on finalization",
    ],
    [
      "NamespaceContentRemaining",
      "True",
      "SomeResourcesRemain",
      "Some resources are remaining: configmaps. has 1 resource instances",
    ],
    [
      "NamespaceFinalizersRemaining",
      "True",
      "SomeFinalizersRemain",
      "Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances",
    ],
  ]);
  assert.deepEqual(
    (await maps.list()).items.map(({ metadata }) => metadata.name),
    ["held"],
  );
  await maps.patch("held", { metadata: { finalizers: null } }, { type: "merge" });
  await gone(client, "held");
});

test("a namespace being deleted takes nothing new and gets no service account back", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeNamespace(client, "closing");
  await client
    .resource(ConfigMap, "closing")
    .create({ metadata: { name: "held", finalizers: ["example.com/keep"] } });
  await client.resource(Namespace).delete("closing");
  await until(
    client.resource(Namespace),
    "closing",
    (namespace) => conditionOf(namespace, "NamespaceContentRemaining")?.status === "True",
  );
  assert.deepEqual((await client.resource(ServiceAccount, "closing").list()).items, []);
  const patch = { metadata: { finalizers: null } };
  await client.resource(ConfigMap, "closing").patch("held", patch, { type: "merge" });
  await gone(client, "closing");
});

test("a namespace keeps what its pods need until they are gone", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeNamespace(client, "ending");
  await until(client.resource(ServiceAccount, "ending"), "default", (account) => account !== undefined);
  const pods = client.resource(Pod, "ending");
  const containers = [{ name: "web", image: "web:1" }];
  await pods.create({ metadata: { name: "web", finalizers: ["example.com/keep"] }, spec: { containers } });
  await client.resource(ConfigMap, "ending").create({ metadata: { name: "settings" } });
  await client.resource(Namespace).delete("ending");
  const waiting = await until(
    client.resource(Namespace),
    "ending",
    (namespace) => conditionOf(namespace, "NamespaceContentRemaining")?.status === "True",
  );
  assert.equal(
    conditionOf(waiting, "NamespaceContentRemaining")?.message,
    "Some resources are remaining: pods. has 1 resource instances",
  );
  assert.equal((await client.resource(ConfigMap, "ending").get("settings")).metadata.name, "settings");
  await pods.patch("web", { metadata: { finalizers: null } }, { type: "merge" });
  await gone(client, "ending");
});

test("a namespace made again under the name of one that went is usable at once", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  for (let round = 0; round < 5; round++) {
    await makeNamespace(client, "again");
    await until(client.resource(ServiceAccount, "again"), "default", (account) => account !== undefined);
    await client.resource(Namespace).delete("again");
    await gone(client, "again");
  }
});
