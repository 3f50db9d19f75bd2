import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../api/core/services.ts";
import { cloudOf, localCloud } from "./local-provider.ts";

function service(uid: string, ingress: string[] = [], spec: Partial<Service["spec"]> = {}): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: uid, uid },
    spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ...spec },
    status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
  };
}

test("the local cloud knows after a restart what Services show, and gives it to nobody else", async () => {
  const { loadBalancers } = localCloud(["192.0.2.0/30"]);
  loadBalancers!.observe!("default/old", service("old", ["192.0.2.1"]));
  assert.deepEqual(await loadBalancers!.ensure(service("new"), []), {
    ingress: [{ ip: "192.0.2.2", ipMode: "VIP" }],
  });
  assert.deepEqual(await loadBalancers!.ensure(service("old", ["192.0.2.1"]), []), {
    ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }],
  });
  await assert.rejects(loadBalancers!.ensure(service("third"), []), /no load balancer address/);
  loadBalancers!.observe!("default/old", undefined);
  assert.equal((await loadBalancers!.ensure(service("third"), [])).ingress?.[0]?.ip, "192.0.2.1");
});

test("the local cloud gives a Service that claims another's address a new one", async () => {
  const { loadBalancers } = localCloud(["192.0.2.0/29"]);
  loadBalancers!.observe!("default/a", service("a", ["192.0.2.1"]));
  loadBalancers!.observe!("default/b", service("b", ["192.0.2.1"]));
  const { ingress } = await loadBalancers!.ensure(service("b", ["192.0.2.1"]), []);
  assert.equal(ingress?.[0]?.ip, "192.0.2.2");
});

test("the local cloud gives a dual-stack Service an address of each family that it has", async () => {
  const dual = { ipFamilies: ["IPv6", "IPv4"] };
  const both = localCloud(["192.0.2.0/29", "2001:db8::/125"]).loadBalancers!;
  const { ingress } = await both.ensure(service("a", [], dual), []);
  assert.deepEqual(
    ingress?.map(({ ip }) => ip),
    ["2001:db8::1", "192.0.2.1"],
  );
  const one = localCloud(["192.0.2.0/29"]).loadBalancers!;
  assert.deepEqual((await one.ensure(service("a", [], dual), [])).ingress?.length, 1);
});

test("cloudOf takes the cloud that is given, the local one where there are ranges, and none else", () => {
  const settings = { rootCA: "", clusterCIDRs: [], serviceCIDRs: [], loadBalancerRanges: [] };
  assert.equal(cloudOf(settings).name, "none");
  assert.equal(cloudOf({ ...settings, loadBalancerRanges: ["192.0.2.0/29"] }).name, "local");
  assert.equal(cloudOf({ ...settings, cloud: { name: "mine" } }).name, "mine");
});
