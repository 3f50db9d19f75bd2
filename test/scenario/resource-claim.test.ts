import assert from "node:assert/strict";
import { test } from "node:test";
import { Event } from "../../src/api/events/event.ts";
import { ResourceClaim } from "../../src/api/resource/resource-claim.ts";
import { ResourceClaimTemplate } from "../../src/api/resource/resource-claim-template.ts";
import type { Client } from "../../src/client/client.ts";
import { Pod, startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

const DEVICES = { requests: [{ name: "gpu", exactly: { deviceClassName: "gpu.example.com" } }] };
const FINALIZER = "resource.kubernetes.io/delete-protection";

function podOf(name: string, source: object, spec: object = {}) {
  const resourceClaims = [{ name: "gpu", ...source }];
  const containers = [{ name: "c", image: "x" }];
  return {
    metadata: { name },
    spec: { resourceClaims, containers, terminationGracePeriodSeconds: 0, ...spec },
  };
}

async function makeTemplate(client: Client): Promise<void> {
  const metadata = { labels: { of: "template" }, annotations: { note: "kept" } };
  await client
    .resource(ResourceClaimTemplate, "default")
    .create({ metadata: { name: "one-gpu" }, spec: { metadata, spec: { devices: DEVICES } } });
}

/** The name of the claim that was made for the pod, once its status tells. */
async function claimNameOf(client: Client, name: string): Promise<string> {
  const pod = await until(
    client.resource(Pod, "default"),
    name,
    (pod) => pod?.status?.resourceClaimStatuses?.[0]?.resourceClaimName !== undefined,
  );
  return pod?.status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? "";
}

/** As the scheduler does it. */
async function allocate(client: Client, name: string, pods: readonly Pod[]): Promise<ResourceClaim> {
  const claims = client.resource(ResourceClaim, "default");
  const found = await claims.get(name);
  const metadata = { ...found.metadata, finalizers: [FINALIZER] };
  const held = await claims.update({ ...found, metadata });
  const results = [{ request: "gpu", driver: "gpu.example.com", pool: "pool", device: "gpu-0" }];
  const reservedFor = pods.map(({ metadata: { name = "", uid = "" } }) => ({ resource: "pods", name, uid }));
  const status = { allocation: { devices: { results } }, ...(pods.length > 0 && { reservedFor }) };
  return claims.updateStatus({ ...held, status });
}

test("a pod gets a claim of its own from a template, and the claim goes when the pod has ended", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await makeTemplate(client);
  const pods = client.resource(Pod, "default");
  await pods.create(podOf("trainer", { resourceClaimTemplateName: "one-gpu" }, { nodeName: "n" }));
  const name = await claimNameOf(client, "trainer");
  assert.match(name, /^trainer-gpu-[a-z0-9]{5}$/);
  const claims = client.resource(ResourceClaim, "default");
  const claim = await claims.get(name);
  const pod = await pods.get("trainer");
  assert.deepEqual(claim.metadata.labels, { of: "template" });
  assert.deepEqual(claim.metadata.annotations, {
    note: "kept",
    "resource.kubernetes.io/pod-claim-name": "gpu",
  });
  assert.equal(claim.metadata.ownerReferences?.[0]?.uid, pod.metadata.uid);
  await allocate(client, name, [pod]);
  const options = { type: "merge", subresource: "status" } as const;
  await pods.patch("trainer", { status: { phase: "Succeeded" } }, options);
  await until(claims, name, (one) => one === undefined);
});

test("a pod whose template is missing is told so, and gets its claim once the template is there", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  await client.resource(Pod, "default").create(podOf("early", { resourceClaimTemplateName: "one-gpu" }));
  const fieldSelector = "involvedObject.name=early,reason=FailedResourceClaimCreation";
  const events = client.resource(Event, "default").watch({ fieldSelector, resourceVersion: "0" });
  for await (const { object } of events) {
    assert.match(
      object.message ?? "",
      /^PodResourceClaim gpu: resource claim template "one-gpu": .* not found$/,
    );
    break;
  }
  await makeTemplate(client);
  assert.match(await claimNameOf(client, "early"), /^early-gpu-/);
});

test("a claim that users share is given back when the last of them is gone", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const claims = client.resource(ResourceClaim, "default");
  await claims.create({ metadata: { name: "shared" }, spec: { devices: DEVICES } });
  const pods = client.resource(Pod, "default");
  const users = [];
  for (const name of ["first", "second"]) {
    users.push(await pods.create(podOf(name, { resourceClaimName: "shared" }, { nodeName: "n" })));
  }
  await allocate(client, "shared", users);
  await pods.delete("first", { gracePeriodSeconds: 0 });
  const left = await until(claims, "shared", (claim) => claim?.status?.reservedFor?.length === 1);
  assert.equal(left?.status?.reservedFor?.[0]?.name, "second");
  assert.ok(left?.status?.allocation);
  await pods.delete("second", { gracePeriodSeconds: 0 });
  const free = await until(claims, "shared", (claim) => !claim?.metadata.finalizers?.length);
  assert.equal(free?.status?.allocation, undefined);
  assert.equal(free?.status?.reservedFor, undefined);
});

test("an allocated claim is reserved for a pod that has its node without the scheduler", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const claims = client.resource(ResourceClaim, "default");
  await claims.create({ metadata: { name: "ready" }, spec: { devices: DEVICES } });
  const pod = await client
    .resource(Pod, "default")
    .create(podOf("direct", { resourceClaimName: "ready" }, { nodeName: "n" }));
  await allocate(client, "ready", []);
  const claim = await until(claims, "ready", (one) => one?.status?.reservedFor !== undefined);
  assert.deepEqual(claim?.status?.reservedFor, [{ resource: "pods", name: "direct", uid: pod.metadata.uid }]);
});

test("a claim that is deleted while it is allocated and unused goes", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const claims = client.resource(ResourceClaim, "default");
  await claims.create({ metadata: { name: "spare" }, spec: { devices: DEVICES } });
  await allocate(client, "spare", []);
  await claims.delete("spare");
  await until(claims, "spare", (claim) => claim === undefined);
});
