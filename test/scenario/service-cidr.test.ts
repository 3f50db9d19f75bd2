import assert from "node:assert/strict";
import { test } from "node:test";
import { ValidatingAdmissionPolicy } from "../../src/api/admissionregistration/validating-admission-policy.ts";
import { IPAddress } from "../../src/api/networking/ip-address.ts";
import { ServiceCIDR } from "../../src/api/networking/service-cidr.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { startCluster } from "../../src/testing/index.ts";

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
