import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { Namespace } from "../../src/api/core/namespace.ts";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { ResourceQuota } from "../../src/api/core/resource-quota.ts";
import { ServiceAccount } from "../../src/api/core/service-account.ts";
import { Service } from "../../src/api/core/services.ts";
import { ResourceClaim } from "../../src/api/resource/resource-claim.ts";
import type { Client } from "../../src/client/client.ts";
import { startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

/** A namespace with a service account, so that it takes pods. */
async function makeNamespace(client: Client, name: string): Promise<void> {
  await client.resource(Namespace).create({ metadata: { name } });
  await until(client.resource(ServiceAccount, name), "default", (account) => account !== undefined);
}

/** Waits until the quota `q` says that so much is used. */
function used(client: Client, namespace: string, wanted: Record<string, string>) {
  return until(client.resource(ResourceQuota, namespace), "q", (quota) => {
    const said = quota?.status?.used ?? {};
    return Object.entries(wanted).every(([name, value]) => said[name] === value);
  });
}

function podOf(name: string, cpu: string) {
  const containers = [{ name: "c", image: "x", resources: { requests: { cpu }, limits: { memory: "1Gi" } } }];
  return { metadata: { name }, spec: { containers } };
}

test("a quota counts what is there when it is made, and gives back what goes", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeNamespace(client, "a");
  const pods = client.resource(Pod, "a");
  await pods.create(podOf("one", "300m"));
  const hard = { pods: "2", "requests.cpu": "1", "limits.memory": "4Gi", "count/pods": "5" };
  const quotas = client.resource(ResourceQuota, "a");
  await quotas.create({ metadata: { name: "q" }, spec: { hard } });
  const fresh = await used(client, "a", { pods: "1", "requests.cpu": "300m" });
  assert.deepEqual(fresh?.status, {
    hard,
    used: { pods: "1", "requests.cpu": "300m", "limits.memory": "1Gi", "count/pods": "1" },
  });
  await assert.rejects(pods.create(podOf("two", "800m")), {
    reason: "Forbidden",
    message:
      'pods "two" is forbidden: exceeded quota: q, requested: requests.cpu=800m, used: requests.cpu=300m, limited: requests.cpu=1',
  });
  await pods.create(podOf("two", "700m"));
  await assert.rejects(
    pods.create(podOf("three", "0")),
    /exceeded quota: q, requested: pods=1, used: pods=2/,
  );
  await pods.delete("one", { gracePeriodSeconds: 0 });
  await used(client, "a", { pods: "1", "requests.cpu": "700m", "limits.memory": "1Gi" });
  await pods.create(podOf("three", "300m"));
  await used(client, "a", { pods: "2", "requests.cpu": "1" });
});

test("a pod that has ended uses nothing but its place in the count of objects", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeNamespace(client, "a");
  const hard = { pods: "1", "requests.cpu": "1", "count/pods": "2" };
  await client.resource(ResourceQuota, "a").create({ metadata: { name: "q" }, spec: { hard } });
  await used(client, "a", { pods: "0", "requests.cpu": "0" });
  const pods = client.resource(Pod, "a");
  const pod = await pods.create(podOf("one", "1"));
  await pods.updateStatus({ ...pod, status: { phase: "Succeeded" } });
  await used(client, "a", { pods: "0", "requests.cpu": "0", "count/pods": "1" });
  await pods.create(podOf("two", "1"));
});

test("a quota follows changes of its limits and of the objects it counts", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeNamespace(client, "a");
  const quotas = client.resource(ResourceQuota, "a");
  const hard = { "services.nodeports": "1", "count/resourceclaims.resource.k8s.io": "1" };
  await quotas.create({ metadata: { name: "q" }, spec: { hard } });
  await used(client, "a", { "services.nodeports": "0", "count/resourceclaims.resource.k8s.io": "0" });
  const services = client.resource(Service, "a");
  await services.create({ metadata: { name: "s" }, spec: { type: "NodePort", ports: [{ port: 80 }] } });
  await used(client, "a", { "services.nodeports": "1" });
  await services.patch("s", { spec: { type: "ClusterIP" } }, { type: "merge" });
  await used(client, "a", { "services.nodeports": "0" });
  const devices = "gpu.deviceclass.resource.k8s.io/devices";
  const exactly = { deviceClassName: "gpu", count: 3 };
  const spec = { devices: { requests: [{ name: "r", exactly }] } };
  await client.resource(ResourceClaim, "a").create({ metadata: { name: "c" }, spec });
  await quotas.patch("q", { spec: { hard: { ...hard, [devices]: "4" } } }, { type: "merge" });
  const quota = await used(client, "a", { [devices]: "3" });
  assert.deepEqual(quota?.status?.hard, { ...hard, [devices]: "4" });
});

test("what was charged for a request that failed in the end is given back", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeNamespace(client, "a");
  await until(client.resource(ConfigMap, "a"), "kube-root-ca.crt", (map) => map !== undefined);
  await client.resource(ResourceQuota, "a").create({
    metadata: { name: "q" },
    spec: { hard: { configmaps: "3" } },
  });
  await used(client, "a", { configmaps: "1" });
  const maps = client.resource(ConfigMap, "a");
  await maps.create({ metadata: { name: "m" } });
  await assert.rejects(maps.create({ metadata: { name: "m" } }), { reason: "AlreadyExists" });
  await used(client, "a", { configmaps: "2" });
  await maps.create({ metadata: { name: "n" } });
  await used(client, "a", { configmaps: "3" });
});

test("a quota whose scope leaves pods out does not count them", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeNamespace(client, "a");
  const pods = client.resource(Pod, "a");
  await pods.create(podOf("counted", "1"));
  await pods.create({ metadata: { name: "free" }, spec: { containers: [{ name: "c", image: "x" }] } });
  await client.resource(ResourceQuota, "a").create({
    metadata: { name: "q" },
    spec: { hard: { pods: "9" }, scopes: ["NotBestEffort"] },
  });
  await used(client, "a", { pods: "1" });
});
