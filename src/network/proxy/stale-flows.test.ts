import assert from "node:assert/strict";
import { test } from "node:test";
import type { Flow } from "../../host/conntrack.ts";
import type { DatagramFrontend } from "./service-rules.ts";
import { changedFrontends, isStale } from "./stale-flows.ts";

const frontend = (address: string | undefined, port: number, ...endpoints: string[]): DatagramFrontend => ({
  address,
  port,
  family: 4,
  endpoints: new Set(endpoints),
});
const flow = (
  destination: string,
  destinationPort: number,
  answeredBy: string,
  answeredFromPort: number,
): Flow => ({
  source: "10.244.0.9",
  sourcePort: 4000,
  destination,
  destinationPort,
  answeredBy,
  answeredFromPort,
});
const stale = (given: Flow, ...frontends: DatagramFrontend[]): boolean =>
  isStale(
    given,
    new Map(frontends.map((each) => [`${each.address ?? ""}|${each.port}`, each])),
    new Set(["192.0.2.1"]),
  );

test("a flow is stale where its service leads elsewhere, or leads somewhere at last", () => {
  const dns = frontend("10.96.0.10", 53, "10.244.0.1 . 5353");
  assert.equal(stale(flow("10.96.0.10", 53, "10.244.0.1", 5353), dns), false);
  assert.equal(stale(flow("10.96.0.10", 53, "10.244.0.2", 5353), dns), true);
  assert.equal(stale(flow("10.96.0.10", 53, "10.96.0.10", 53), dns), true, "to nobody");
  assert.equal(stale(flow("10.96.0.10", 53, "10.96.0.10", 53), frontend("10.96.0.10", 53)), false);
  assert.equal(stale(flow("10.96.0.99", 53, "10.244.0.2", 5353), dns), false, "another's");
});

test("a flow to a node port is the service's at the node's own addresses alone", () => {
  const dns = frontend(undefined, 30053, "10.244.0.1 . 5353");
  assert.equal(stale(flow("192.0.2.1", 30053, "10.244.0.2", 5353), dns), true);
  assert.equal(stale(flow("203.0.113.1", 30053, "10.244.0.2", 5353), dns), false);
});

test("flows are looked at where an endpoint went, the first came, or the service is new or gone", () => {
  const one = frontend("10.96.0.10", 53, "a");
  const two = frontend("10.96.0.10", 53, "a", "b");
  const none = frontend("10.96.0.10", 53);
  assert.deepEqual(changedFrontends([one], [two]), [], "one more changes nothing for the others");
  assert.deepEqual(changedFrontends([two], [one]), [one]);
  assert.deepEqual(changedFrontends([none], [one]), [one]);
  assert.deepEqual(changedFrontends([], [one]), [one]);
  assert.deepEqual(changedFrontends([one], []), [none]);
  assert.deepEqual(changedFrontends([none], []), []);
});
