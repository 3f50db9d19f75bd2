import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Namespace } from "../../src/api/core/namespace.ts";
import { ServiceAccount } from "../../src/api/core/service-account.ts";
import { ClusterRoleBinding } from "../../src/api/rbac/cluster-role-binding.ts";
import { startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

test("every namespace has a default service account, and gets it back when it is deleted", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(Namespace).create({ metadata: { name: "new" } });
  for (const namespace of ["default", "kube-system", "kube-public", "kube-node-lease", "new"]) {
    const accounts = client.resource(ServiceAccount, namespace);
    const first = await until(accounts, "default", (account) => account !== undefined);
    await accounts.delete("default");
    const second = await until(
      accounts,
      "default",
      (account) => account !== undefined && account.metadata.uid !== first?.metadata.uid,
    );
    assert.notEqual(second?.metadata.uid, first?.metadata.uid);
  }
});

test("a controller may do what its own account may, and when it fails the others go on", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const bindings = client.resource(ClusterRoleBinding);
  const binding = await bindings.get("system:controller:service-account-controller");
  await bindings.delete("system:controller:service-account-controller");
  const accounts = client.resource(ServiceAccount, "default");
  await accounts.delete("default");
  await client.resource(Namespace).create({ metadata: { name: "new" } });
  await until(client.resource(ConfigMap, "new"), "kube-root-ca.crt", (map) => map !== undefined);
  assert.deepEqual((await accounts.list()).items, []);
  const { name, labels, annotations } = binding.metadata;
  await bindings.create({ ...binding, metadata: { name, labels, annotations } });
  await until(accounts, "default", (account) => account !== undefined);
});

test("a controller gets a new token when its service account is made again", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const own = client.resource(ServiceAccount, "kube-system");
  const first = await until(own, "service-account-controller", (account) => account !== undefined);
  await own.delete("service-account-controller");
  await client.resource(ServiceAccount, "default").delete("default");
  await until(client.resource(ServiceAccount, "default"), "default", (account) => account !== undefined);
  const second = await own.get("service-account-controller");
  assert.notEqual(second.metadata.uid, first?.metadata.uid);
});

test("every namespace has the root CA, and gets it back when it is deleted or changed", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(Namespace).create({ metadata: { name: "new" } });
  const maps = client.resource(ConfigMap, "new");
  const isThere = (map: ConfigMap | undefined): boolean =>
    /^-----BEGIN CERTIFICATE-----/.test(map?.data?.["ca.crt"] ?? "");
  const first = await until(maps, "kube-root-ca.crt", isThere);
  await maps.delete("kube-root-ca.crt");
  const second = await until(
    maps,
    "kube-root-ca.crt",
    (map) => isThere(map) && map?.metadata.uid !== first?.metadata.uid,
  );
  assert.deepEqual(second?.data, first?.data);
  await maps.patch("kube-root-ca.crt", { data: { "ca.crt": "forged" } }, { type: "merge" });
  const third = await until(maps, "kube-root-ca.crt", isThere);
  assert.deepEqual(third?.data, first?.data);
});

test("a cluster without controllers leaves objects as they were written", async () => {
  await using cluster = await startCluster({ controllers: false });
  const { client } = cluster;
  await client.resource(Namespace).create({ metadata: { name: "new" } });
  assert.deepEqual((await client.resource(ServiceAccount).list()).items, []);
});
