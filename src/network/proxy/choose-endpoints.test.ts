import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceSpec } from "../../api/core/service/types.ts";
import { chooseEndpoints } from "./choose-endpoints.ts";
import { type Endpoint, endpointsOf } from "./endpoints.ts";

const endpoint = (address: string, more: Partial<Endpoint> = {}): Endpoint => ({
  address,
  port: 80,
  local: false,
  ready: true,
  serving: true,
  terminating: false,
  zones: undefined,
  nodes: undefined,
  ...more,
});
const leaving = { ready: false, serving: true, terminating: true };
const HERE = { nodeName: "n1", zone: "a" };

function chosen(
  spec: ServiceSpec,
  endpoints: readonly Endpoint[],
  place: { nodeName: string; zone?: string } = HERE,
) {
  const { cluster, local, any } = chooseEndpoints(spec, endpoints, { zone: undefined, ...place });
  const names = (list: readonly Endpoint[]) => list.map(({ address }) => address).join(" ");
  return { cluster: names(cluster), local: names(local), any };
}

test("ready endpoints are chosen, and those that leave while no other is ready", () => {
  const all = [endpoint("ready"), endpoint("leaving", leaving), endpoint("not", { ready: false })];
  assert.deepEqual(chosen({}, all), { cluster: "ready", local: "", any: true });
  assert.deepEqual(chosen({}, all.slice(1)), { cluster: "leaving", local: "", any: true });
  assert.deepEqual(chosen({}, all.slice(2)), { cluster: "", local: "", any: false });
  assert.deepEqual(chosen({}, [endpoint("gone", { ...leaving, serving: false })]).any, false);
});

test("the policy Local chooses among the node's own, those that leave after those that are ready", () => {
  const all = [
    endpoint("far"),
    endpoint("near", { local: true }),
    endpoint("leaving", { ...leaving, local: true }),
  ];
  const local: ServiceSpec = { internalTrafficPolicy: "Local" };
  assert.deepEqual(chosen(local, all), { cluster: "far near", local: "near", any: true });
  assert.deepEqual(chosen(local, [all[0]!, all[2]!]), { cluster: "far", local: "leaving", any: true });
  assert.deepEqual(chosen(local, [all[0]!]), { cluster: "far", local: "", any: true });
  const external: ServiceSpec = { type: "NodePort", externalTrafficPolicy: "Local" };
  assert.equal(chosen(external, all).local, "near");
  // A cluster IP alone has no traffic from outside that the policy could be about.
  assert.equal(chosen({ type: "ClusterIP", externalTrafficPolicy: "Local" }, all).local, "");
});

test("hints hold where every ready endpoint has them and one is for this place, nodes before zones", () => {
  const zones = [endpoint("a", { zones: ["a"] }), endpoint("b", { zones: ["b"] })];
  assert.equal(chosen({}, zones).cluster, "a");
  assert.equal(chosen({}, zones, { nodeName: "n1", zone: "c" }).cluster, "a b", "nothing is for its zone");
  assert.equal(chosen({}, zones, { nodeName: "n1" }).cluster, "a b", "a node without a zone");
  assert.equal(chosen({}, [...zones, endpoint("c")]).cluster, "a b c", "one has no hint");
  assert.equal(chosen({}, [...zones, endpoint("c", { ready: false })]).cluster, "a", "it is not ready");
  const both = [
    endpoint("a", { zones: ["a"], nodes: ["n2"] }),
    endpoint("b", { zones: ["b"], nodes: ["n1"] }),
  ];
  assert.equal(chosen({}, both).cluster, "b");
  assert.equal(chosen({}, both, { nodeName: "n3", zone: "a" }).cluster, "a");
  assert.equal(
    chosen({ internalTrafficPolicy: "Local" }, [endpoint("a", { zones: ["b"], local: true })]).local,
    "a",
  );
});

test("endpoints of several slices are gathered by family, protocol and port, each once and in order", () => {
  const slice = (name: string, addressType: string, addresses: string[][], nodeName = "n2") => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name },
    addressType,
    ports: [
      { name: "http", port: 8080, protocol: "TCP" },
      { name: "any", protocol: "TCP" },
    ],
    endpoints: addresses.map((all) => ({ addresses: all, nodeName })),
  });
  const found = endpointsOf(
    [
      slice("b", "IPv4", [["10.0.0.2"], ["10.0.0.1", "10.0.0.9"]], "n1"),
      slice("a", "IPv4", [["10.0.0.2"], []]),
      slice("c", "IPv6", [["FD00::1"]]),
      slice("d", "FQDN", [["example.com"]]),
    ],
    "n1",
  );
  assert.deepEqual([...found.keys()].sort(), ["4/TCP/http", "6/TCP/http"]);
  assert.deepEqual(
    found.get("4/TCP/http")!.map(({ address, port, local, ready }) => [address, port, local, ready]),
    [
      ["10.0.0.1", 8080, true, true],
      ["10.0.0.2", 8080, true, true],
    ],
  );
  assert.equal(found.get("6/TCP/http")![0]!.address, "fd00::1");
});
