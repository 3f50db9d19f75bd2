import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { Service } from "../../api/core/services.ts";
import type { ServiceSpec } from "../../api/schema/core.v1.generated.ts";
import { makeEndpoints } from "./make-endpoints.ts";
import { withHints } from "./traffic-distribution.ts";

const NODE: Node = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "node", labels: { "topology.kubernetes.io/zone": "north" } },
};

function podOf(name: string, ips: string[], more: Partial<NonNullable<Pod["status"]>> = {}): Pod {
  const ports = [{ name: "web", containerPort: 8080 }];
  const conditions = [{ type: "Ready", status: "True" }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "ns", uid: name },
    spec: { nodeName: "node", containers: [{ name: "web", ports }] },
    status: { phase: "Running", conditions, podIPs: ips.map((ip) => ({ ip })), ...more },
  };
}

function serviceOf(spec: ServiceSpec): Service {
  const metadata = { name: "web", namespace: "ns" };
  return { apiVersion: "v1", kind: "Service", metadata, spec: { selector: { app: "web" }, ...spec } };
}

const nodeOf = (name: string) => (name === "node" ? NODE : undefined);

test("the endpoints of a family are the addresses of that family", () => {
  const service = serviceOf({ ports: [{ port: 80, targetPort: "web" }] });
  const pods = [podOf("both", ["10.0.0.1", "fd00::1"]), podOf("one", ["10.0.0.2"])];
  const addresses = (family: "IPv4" | "IPv6") =>
    makeEndpoints(service, pods, family, nodeOf).flatMap(({ endpoints }) =>
      endpoints.flatMap((endpoint) => endpoint.addresses),
    );
  assert.deepEqual(addresses("IPv4"), ["10.0.0.1", "10.0.0.2"]);
  assert.deepEqual(addresses("IPv6"), ["fd00::1"]);
});

test("a port that a pod does not have leaves the pod with the others", () => {
  const service = serviceOf({
    ports: [
      { name: "a", port: 80, targetPort: "web" },
      { name: "b", port: 81, targetPort: "metrics" },
      { name: "c", port: 82, protocol: "UDP", targetPort: "web" },
      { name: "d", port: 83, targetPort: 9000 },
    ],
  });
  const [group, ...others] = makeEndpoints(service, [podOf("p", ["10.0.0.1"])], "IPv4", nodeOf);
  assert.deepEqual(
    group?.ports.map(({ name, port }) => `${name} ${port}`),
    ["a 8080", "d 9000"],
  );
  assert.equal(others.length, 0);
});

test("pods that ended, that have no address or whose node is unknown are no endpoints", () => {
  const service = serviceOf({ ports: [{ port: 80 }] });
  const lost = podOf("lost", ["10.0.0.3"]);
  lost.spec!.nodeName = "unknown";
  const pods = [podOf("ended", ["10.0.0.1"], { phase: "Failed" }), podOf("new", []), lost];
  assert.deepEqual(makeEndpoints(service, pods, "IPv4", nodeOf), []);
  const all = serviceOf({ ports: [{ port: 80 }], publishNotReadyAddresses: true });
  assert.deepEqual(makeEndpoints(all, pods, "IPv4", nodeOf)[0]?.endpoints[0]?.addresses, ["10.0.0.3"]);
});

test("only endpoints that are ready get hints", () => {
  const endpoints = [
    { addresses: ["10.0.0.1"], conditions: { ready: true }, zone: "north", nodeName: "n" },
    { addresses: ["10.0.0.2"], conditions: { ready: false }, zone: "north", nodeName: "n" },
  ];
  const hints = (distribution?: string) =>
    withHints(endpoints, distribution).map((endpoint) => endpoint.hints);
  const forZones = [{ name: "north" }];
  assert.deepEqual(hints("PreferClose"), [{ forZones }, undefined]);
  assert.deepEqual(hints("PreferSameZone"), [{ forZones }, undefined]);
  assert.deepEqual(hints("PreferSameNode"), [{ forZones, forNodes: [{ name: "n" }] }, undefined]);
  assert.deepEqual(hints(undefined), [undefined, undefined]);
});
