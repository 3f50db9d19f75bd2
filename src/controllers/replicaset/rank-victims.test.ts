import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/core/pods.ts";
import { victims } from "./rank-victims.ts";

const NOW = Date.parse("2030-01-01T12:00:00Z");

interface Facts {
  node?: string;
  phase?: string;
  /** Seconds since it became ready. */
  ready?: number;
  /** Seconds since it was made. */
  age?: number;
  cost?: string;
  restarts?: number;
  sidecarRestarts?: number;
}

const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

function pod(name: string, facts: Facts = {}): Pod {
  const { node = "n1", phase = "Running", ready, age = 3600, cost, restarts = 0, sidecarRestarts } = facts;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      uid: name,
      creationTimestamp: ago(age),
      annotations: cost === undefined ? undefined : { "controller.kubernetes.io/pod-deletion-cost": cost },
    },
    spec: {
      nodeName: node,
      containers: [{ name: "web" }],
      initContainers: [{ name: "side", restartPolicy: "Always" }, { name: "init" }],
    },
    status: {
      phase,
      conditions:
        ready === undefined ? [] : [{ type: "Ready", status: "True", lastTransitionTime: ago(ready) }],
      containerStatuses: [{ name: "web", image: "", imageID: "", ready: true, restartCount: restarts }],
      initContainerStatuses: [
        { name: "side", image: "", imageID: "", ready: true, restartCount: sidecarRestarts ?? 0 },
        { name: "init", image: "", imageID: "", ready: true, restartCount: 99 },
      ],
    },
  };
}

function order(pods: Pod[], related: Pod[] = []): string[] {
  const names: string[] = [];
  for (let count = 1; count < pods.length; count++) {
    const last = victims(pods, related, count, NOW).map(({ metadata }) => metadata.name!);
    assert.deepEqual(last.slice(0, -1), names);
    names.push(last.at(-1)!);
  }
  return names;
}

/** Each goes before all that come after it. */
const LADDER: [string, Facts][] = [
  ["unassigned", { node: "", phase: "Pending" }],
  ["pending", { phase: "Pending", ready: 10, cost: "9" }],
  ["unknown", { phase: "Unknown", ready: 10, cost: "9" }],
  ["not-ready", { cost: "9" }],
  ["cheap", { ready: 1000, cost: "-5" }],
  ["young", { ready: 10, restarts: 0 }],
  ["restarted", { ready: 1000, restarts: 5, age: 9000 }],
  ["sidecar-restarted", { ready: 1000, sidecarRestarts: 2, age: 9000 }],
  ["newer", { ready: 1000, age: 2000 }],
  ["older", { ready: 1000, age: 9000 }],
  ["dear", { ready: 10, cost: "7" }],
];

test("victims are chosen in the order of what their loss costs", () => {
  const pods = LADDER.map(([name, facts]) => pod(name, facts));
  const names = LADDER.map(([name]) => name);
  assert.deepEqual(order(pods), names.slice(0, -1));
  assert.deepEqual(order(pods.toReversed()), names.slice(0, -1));
});

test("victims are taken first from nodes where the workload has most pods", () => {
  const pods = [pod("a", { node: "n1", ready: 10 }), pod("b", { node: "n2", ready: 1000 })];
  const other = [pod("x", { node: "n2" }), pod("y", { node: "n2" }), pod("z", { node: "n1" })];
  assert.deepEqual(order(pods, [...pods, ...other]), ["b"]);
});

test("victims of about the same age are chosen by uid and not by age", () => {
  const pods = [pod("a", { ready: 1000 }), pod("b", { ready: 1010 }), pod("c", { ready: 1005 })];
  assert.deepEqual(order(pods), ["a", "b"]);
});

test("victims are all pods when as many are asked for", () => {
  assert.equal(victims([pod("a"), pod("b")], [], 2, NOW).length, 2);
});

test("victims take an unreadable deletion cost for none", () => {
  const pods = [pod("a", { ready: 1000, cost: "much" }), pod("b", { ready: 1000, cost: "-1" })];
  assert.deepEqual(order(pods), ["b"]);
});
