import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../api/core/services.ts";
import { toldChange } from "./service-change.ts";

function service(spec: Partial<Service["spec"]>): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "a" },
    spec: { type: "LoadBalancer", ...spec },
  };
}

const wanted = ({ spec }: Service): boolean => spec.type === "LoadBalancer";
const told = (was: Partial<Service["spec"]>, now: Partial<Service["spec"]>): string | undefined => {
  const change = toldChange(service(was), service(now), wanted);
  return change && `${change.reason}: ${change.note}`;
};

test("a change of a Service is told in upstream's words", () => {
  assert.equal(told({}, { type: "ClusterIP" }), "Type: LoadBalancer -> ClusterIP");
  assert.equal(told({ type: "NodePort" }, {}), "Type: NodePort -> LoadBalancer");
  assert.equal(
    told({}, { loadBalancerSourceRanges: ["192.0.2.0/24", "198.51.100.0/24"] }),
    "LoadBalancerSourceRanges: [] -> [192.0.2.0/24 198.51.100.0/24]",
  );
  assert.equal(told({}, { loadBalancerIP: "192.0.2.1" }), "LoadbalancerIP:  -> 192.0.2.1");
  assert.equal(told({}, { externalIPs: ["192.0.2.1"] }), "ExternalIP: Count: 0 -> 1");
  assert.equal(
    told({ externalIPs: ["192.0.2.1"] }, { externalIPs: ["192.0.2.2"] }),
    "ExternalIP: Added: 192.0.2.2",
  );
  assert.equal(
    told(
      { externalTrafficPolicy: "Cluster" },
      { externalTrafficPolicy: "Local", healthCheckNodePort: 30000 },
    ),
    "ExternalTrafficPolicy: Cluster -> Local",
  );
  assert.equal(told({ healthCheckNodePort: 30000 }, {}), "HealthCheckNodePort: 30000 -> 0");
});

test("what has no load balancer, and what changes otherwise, is not told of", () => {
  assert.equal(told({ type: "ClusterIP" }, { type: "NodePort" }), undefined);
  assert.equal(told({}, { ports: [{ port: 81 }] }), undefined);
});
