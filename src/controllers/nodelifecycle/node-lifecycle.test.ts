import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, NodeCondition } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { Heartbeats, lostConditions } from "./heartbeats.ts";
import { notReadyStatus } from "./pods-not-ready.ts";
import { labelChange, noExecuteChange, noScheduleChange } from "./wanted.ts";
import { evictionRate, Pace, Zones, zoneState } from "./zones.ts";

const T0 = 1_700_000_000_000;

function node(name: string, parts: Partial<Node> & { ready?: string; labels?: Record<string, string> } = {}) {
  const { ready, labels, ...rest } = parts;
  const conditions: NodeCondition[] = ready
    ? [{ type: "Ready", status: ready, lastHeartbeatTime: formatTime(T0) }]
    : [];
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, uid: `uid-${name}`, creationTimestamp: formatTime(T0), labels },
    status: { conditions },
    ...rest,
  } satisfies Node;
}

test("Heartbeats give a node 50 seconds from its last status or lease, and 60 from its making before its first status", () => {
  const heartbeats = new Heartbeats();
  heartbeats.sawNode(node("new"), T0 + 5_000);
  assert.equal(heartbeats.deadline("new"), T0 + 60_000);
  heartbeats.sawNode(node("old", { ready: "True" }), T0 + 5_000);
  assert.equal(heartbeats.deadline("old"), T0 + 55_000);
  heartbeats.sawNode(node("old", { ready: "True" }), T0 + 9_000);
  assert.equal(heartbeats.deadline("old"), T0 + 55_000, "a change that is no heartbeat");
  heartbeats.sawLease("old", "a", T0 + 10_000);
  heartbeats.sawLease("old", "a", T0 + 20_000);
  assert.equal(heartbeats.deadline("old"), T0 + 60_000);
  heartbeats.sawLease("old", "b", T0 + 30_000);
  assert.equal(heartbeats.deadline("old"), T0 + 80_000);
  heartbeats.forgive(T0 + 40_000);
  assert.equal(heartbeats.deadline("old"), T0 + 90_000);
});

test("lostConditions makes the kubelet's conditions Unknown once, and adds those that never came", () => {
  const seen = node("a", {
    status: {
      conditions: [
        { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: formatTime(T0) },
        { type: "NetworkUnavailable", status: "False" },
      ],
    },
  });
  const conditions = lostConditions(seen, T0 + 60_000)!;
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ["Ready", "Unknown", "NodeStatusUnknown"],
      ["NetworkUnavailable", "False", undefined],
      ["MemoryPressure", "Unknown", "NodeStatusNeverUpdated"],
      ["DiskPressure", "Unknown", "NodeStatusNeverUpdated"],
      ["PIDPressure", "Unknown", "NodeStatusNeverUpdated"],
    ],
  );
  assert.equal(conditions[0]!.lastHeartbeatTime, formatTime(T0));
  assert.equal(conditions[0]!.lastTransitionTime, formatTime(T0 + 60_000));
  assert.equal(lostConditions({ ...seen, status: { conditions } }, T0 + 90_000), undefined);
});

test("noScheduleChange follows the conditions and spec.unschedulable, and leaves other taints alone", () => {
  const taints = [
    { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" },
    { key: "mine", effect: "NoSchedule" },
    { key: "node.kubernetes.io/disk-pressure", effect: "NoExecute" },
  ];
  const conditions = [
    { type: "Ready", status: "Unknown" },
    { type: "MemoryPressure", status: "True" },
    { type: "DiskPressure", status: "False" },
  ];
  const change = noScheduleChange(
    node("a", { spec: { taints, unschedulable: true }, status: { conditions } }),
  );
  assert.deepEqual(change.add.map(({ key }) => key).sort(), [
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/unschedulable",
  ]);
  assert.deepEqual(change.remove, [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
});

test("noExecuteChange swaps at once, waits its turn for the first, and takes back when ready or all are down", () => {
  const unreachable = { key: "node.kubernetes.io/unreachable", effect: "NoExecute" };
  const notReady = { key: "node.kubernetes.io/not-ready", effect: "NoExecute" };
  const of = (ready: string | undefined, taints: Node["spec"], down = false) =>
    noExecuteChange(node("a", { ready, spec: taints }), down);
  assert.deepEqual(of("Unknown", {}), { add: [], remove: [], inTurn: unreachable });
  assert.deepEqual(of("False", {}), { add: [], remove: [], inTurn: notReady });
  assert.deepEqual(of("False", { taints: [unreachable] }), { add: [notReady], remove: [unreachable] });
  assert.deepEqual(of("Unknown", { taints: [unreachable] }), { add: [], remove: [] });
  assert.deepEqual(of("True", { taints: [unreachable] }), { add: [], remove: [unreachable] });
  assert.deepEqual(of("Unknown", { taints: [unreachable] }, true), { add: [], remove: [unreachable] });
  assert.deepEqual(of(undefined, { taints: [unreachable] }), { add: [], remove: [] });
});

test("labelChange copies os and arch to their older names", () => {
  assert.equal(labelChange(node("a", { labels: { other: "x" } })), undefined);
  const labels = {
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": "arm64",
    "beta.kubernetes.io/os": "linux",
  };
  assert.deepEqual(labelChange(node("a", { labels })), { "beta.kubernetes.io/arch": "arm64" });
});

test("a zone is in partial disruption from 55% and three nodes down, and slows down by its size", () => {
  assert.equal(zoneState(0, 0), "Normal");
  assert.equal(zoneState(0, 1), "FullDisruption");
  assert.equal(zoneState(1, 2), "Normal");
  assert.equal(zoneState(2, 3), "PartialDisruption");
  assert.equal(zoneState(46, 54), "Normal");
  assert.equal(zoneState(45, 55), "PartialDisruption");
  assert.equal(evictionRate("PartialDisruption", 50), 0);
  assert.equal(evictionRate("PartialDisruption", 51), 0.01);
  assert.equal(evictionRate("FullDisruption", 51), 0.1);
});

test("Pace lets one through every 10 seconds, and makes who waits wait anew when it changes", () => {
  const pace = new Pace();
  assert.ok(pace.take(T0));
  assert.ok(!pace.take(T0 + 9_999));
  assert.equal(pace.wait(T0 + 9_999), 1);
  assert.ok(pace.take(T0 + 10_000));
  pace.setRate(0, T0 + 11_000);
  assert.equal(pace.wait(T0 + 90_000), undefined);
  assert.ok(!pace.take(T0 + 90_000));
  pace.setRate(0.01, T0 + 11_000);
  assert.equal(pace.wait(T0 + 11_000), 100_000);
});

test("Zones tell when all are down and when that ends, and do not count excluded nodes", () => {
  const zones = new Zones();
  const inZone = (name: string, zone: string, ready: string, more: Record<string, string> = {}) =>
    zones.sawNode(node(name, { ready, labels: { "topology.kubernetes.io/zone": zone, ...more } }));
  assert.deepEqual(zones.settle(T0), { turn: undefined, changed: false });
  inZone("a", "1", "True");
  inZone("b", "2", "Unknown");
  inZone("x", "3", "True", { "node.kubernetes.io/exclude-disruption": "" });
  assert.deepEqual(zones.settle(T0), { turn: undefined, changed: true });
  const zone = zones.wait("b");
  assert.deepEqual(zones.busy, [zone]);
  assert.equal(zones.waiting(zone).pace.wait(T0), 0);
  inZone("a", "1", "False");
  assert.equal(zones.settle(T0).turn, "entered");
  assert.equal(zones.waiting(zone).pace.wait(T0), undefined);
  inZone("a", "1", "True");
  assert.equal(zones.settle(T0).turn, "left");
  assert.equal(zones.waiting(zone).pace.wait(T0), 0);
  zones.forget("b");
  assert.deepEqual(zones.busy, []);
});

test("notReadyStatus makes the Ready condition False and leaves the others", () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", generation: 3 },
    status: {
      conditions: [
        { type: "Ready", status: "True", lastTransitionTime: formatTime(T0) },
        { type: "Initialized", status: "True" },
      ],
    },
  } as unknown as Pod;
  const status = notReadyStatus(pod, T0 + 1000)!;
  assert.deepEqual(status.conditions, [
    { type: "Ready", status: "False", lastTransitionTime: formatTime(T0 + 1000), observedGeneration: 3 },
    { type: "Initialized", status: "True" },
  ]);
  assert.equal(notReadyStatus({ ...pod, status }, T0), undefined);
});
