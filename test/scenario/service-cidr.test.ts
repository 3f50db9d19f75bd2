import assert from "node:assert/strict";
import { test } from "node:test";
import { ValidatingAdmissionPolicy } from "../../src/api/admissionregistration/validating-admission-policy.ts";
import { Service } from "../../src/api/core/services.ts";
import { IPAddress } from "../../src/api/networking/ip-address.ts";
import { ServiceCIDR } from "../../src/api/networking/service-cidr.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

test("a ServiceCIDR becomes ready, and is kept while addresses are its own", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const ranges = cluster.client.resource(ServiceCIDR);
  await ranges.create({ metadata: { name: "more" }, spec: { cidrs: ["10.200.0.0/24"] } });
  await cluster.pass(1_000);
  const ready = async (name: string) =>
    (await ranges.get(name)).status?.conditions?.find(({ type }) => type === "Ready");
  for (const name of ["kubernetes", "more"]) {
    assert.equal((await ready(name))?.status, "True");
    assert.equal((await ready(name))?.message, "Kubernetes Service CIDR is ready");
    const { finalizers } = (await ranges.get(name)).metadata;
    assert.deepEqual(finalizers, ["networking.k8s.io/service-cidr-finalizer"]);
  }
  const addresses = cluster.client.resource(IPAddress);
  const labels = {
    "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    "ipaddress.kubernetes.io/ip-family": "IPv4",
  };
  const parentRef = { resource: "services", namespace: "default", name: "s" };
  await addresses.create({ metadata: { name: "10.200.0.7", labels }, spec: { parentRef } });
  await ranges.delete("more");
  await cluster.pass(60_000);
  assert.equal((await ready("more"))?.reason, "Terminating");
  await addresses.delete("10.200.0.7");
  await cluster.pass(11_000);
  await assert.rejects(ranges.get("more"), { reason: "NotFound" });
});

test("Services get addresses of a ServiceCIDR, which stays until they are gone, and an IPAddress of one comes back", async () => {
  await using cluster = await startCluster();
  const { client } = cluster;
  const [ranges, addresses] = [client.resource(ServiceCIDR), client.resource(IPAddress)];
  const services = client.resource(Service, "default");
  const asking = { metadata: { name: "web" }, spec: { clusterIP: "192.0.2.7", ports: [{ port: 80 }] } };
  await assert.rejects(services.create(asking), /the provided network does not match the current range$/);
  await ranges.create({ metadata: { name: "more" }, spec: { cidrs: ["192.0.2.0/28"] } });
  const isReady = (range: ServiceCIDR | undefined, is: string): boolean =>
    range?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === is) ?? false;
  await until(ranges, "more", (range) => isReady(range, "True"));
  await services.create(asking);
  const { metadata } = await addresses.get("192.0.2.7");
  await addresses.delete("192.0.2.7");
  const again = await until(addresses, "192.0.2.7", (address) => {
    return address !== undefined && address.metadata.uid !== metadata.uid;
  });
  assert.equal(again?.spec.parentRef?.name, "web");
  await ranges.delete("more");
  await until(ranges, "more", (range) => isReady(range, "False"));
  const next = { ...asking, metadata: { name: "next" }, spec: { ...asking.spec, clusterIP: "192.0.2.8" } };
  await assert.rejects(services.create(next), /the provided network does not match the current range$/);
  await services.delete("web");
  await until(addresses, "192.0.2.7", (address) => address === undefined);
});

test("a ValidatingAdmissionPolicy says which generation was looked at", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const policies = cluster.client.resource(ValidatingAdmissionPolicy);
  const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }];
  await policies.create({
    metadata: { name: "p" },
    spec: { matchConstraints: { resourceRules: rules }, validations: [{ expression: "true" }] },
  });
  await cluster.pass(1_000);
  assert.equal((await policies.get("p")).status?.observedGeneration, 1);
  await policies.patch("p", { spec: { failurePolicy: "Ignore" } }, { type: "merge" });
  await cluster.pass(1_000);
  assert.equal((await policies.get("p")).status?.observedGeneration, 2);
});
