import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Endpoint } from "../../api/schema/discovery.v1.generated.ts";
import { hintZones } from "./topology-hints.ts";
import { zoneParts } from "./zone-capacity.ts";

function nodeOf(zone: string | undefined, cpu: string, ready = "True", labels = {}): Node {
  const zoned: Record<string, string> = zone === undefined ? {} : { "topology.kubernetes.io/zone": zone };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { labels: { ...zoned, ...labels } },
    status: { allocatable: { cpu }, conditions: [{ type: "Ready", status: ready }] },
  };
}

function endpointsIn(...zones: string[]): Endpoint[] {
  return zones.map((zone, i) => ({ addresses: [`10.0.0.${i}`], conditions: { ready: true }, zone }));
}

function zonesOf(endpoints: Endpoint[], parts: ReadonlyMap<string, number>): string[] | string {
  const hinted = hintZones(endpoints, parts);
  return "disabled" in hinted
    ? hinted.disabled
    : endpoints.map((endpoint) => hinted.zones.get(endpoint) ?? "");
}

test("a zone's part is that of the CPU of its ready nodes", () => {
  const nodes = [
    nodeOf("a", "1"),
    nodeOf("b", "3000m"),
    nodeOf("b", "8", "False"),
    nodeOf("c", "8", "True", { "node-role.kubernetes.io/control-plane": "" }),
  ];
  const parts = zoneParts(nodes);
  assert.ok(typeof parts !== "string");
  assert.deepEqual(
    [...parts],
    [
      ["a", 0.25],
      ["b", 0.75],
    ],
  );
  assert.match(String(zoneParts([nodeOf("a", "1")])), /^Nodes only ready in one zone/);
  assert.match(
    String(zoneParts([nodeOf("a", "1"), nodeOf(undefined, "1")])),
    /^Insufficient Node information/,
  );
});

test("endpoints are for their own zone where that is even enough", () => {
  const half = new Map([
    ["a", 0.5],
    ["b", 0.5],
  ]);
  assert.deepEqual(zonesOf(endpointsIn("a", "b", "a", "b"), half), ["a", "b", "a", "b"]);
  assert.deepEqual(zonesOf(endpointsIn("a", "a", "a", "b"), half), ["a", "a", "b", "b"]);
});

test("endpoints of a zone that does not count go where they are needed", () => {
  const half = new Map([
    ["a", 0.5],
    ["b", 0.5],
  ]);
  assert.deepEqual(zonesOf(endpointsIn("a", "c"), half), ["a", "b"]);
});

test("there are no hints where zones would be overloaded or have nothing", () => {
  const parts = new Map([
    ["a", 0.5],
    ["b", 0.3],
    ["c", 0.2],
  ]);
  assert.equal(
    zonesOf(endpointsIn("a", "b"), parts),
    "Insufficient number of endpoints (2 endpoints, 3 zones)",
  );
  assert.match(String(zonesOf(endpointsIn("a", "b", "c"), parts)), /^Unable to allocate minimum/);
  assert.match(
    String(zonesOf(endpointsIn("a", "b", "c", "", "a", "a", "a", "a", "a", "a"), parts)),
    /^One or more endpoints/,
  );
});
