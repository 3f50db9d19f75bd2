import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineFacts } from "../../host/machine/machine-facts.ts";
import { nodeConditions } from "./node-conditions.ts";
import { isRebooted, type NodeFacts, nodeStatus, statusPatch } from "./node-status.ts";

const GI = 2 ** 30;
const machine: MachineFacts = {
  cores: 4,
  memoryBytes: 8 * GI,
  swapBytes: 0,
  hugepages: new Map([
    [2 ** 20 * 2, 0],
    [GI, GI],
  ]),
  machineID: "m",
  systemUUID: "s",
  bootID: "b",
  kernelVersion: "6.1",
  osImage: "Debian",
  architecture: "amd64",
  operatingSystem: "linux",
  bootedAt: 0,
};

function facts(more: Partial<NodeFacts> = {}): NodeFacts {
  return {
    machine,
    hostname: "host",
    addresses: ["10.0.0.1"],
    storageBytes: 100 * GI,
    maxPods: 110,
    reservations: { system: { cpu: "500m" }, eviction: { memory: "100Mi", "ephemeral-storage": "10Gi" } },
    kubeletVersion: "v1.36.2",
    runtimeVersion: "containerd://1.6.20",
    runtimeHandlers: [],
    declaredFeatures: [],
    port: 10250,
    images: [],
    volumesInUse: [],
    conditions: nodeConditions({ memory: false, disk: false, pid: false }, [], [], 0),
    ...more,
  };
}

test("nodeStatus tells what the machine has, and what is left of it for pods", () => {
  const { capacity, allocatable, addresses, daemonEndpoints } = nodeStatus(facts());
  assert.deepEqual(capacity, {
    cpu: "4",
    memory: "8Gi",
    "ephemeral-storage": "100Gi",
    pods: "110",
    "hugepages-2Mi": "0",
    "hugepages-1Gi": "1Gi",
  });
  assert.deepEqual(allocatable, {
    cpu: "3500m",
    memory: "7068Mi",
    "ephemeral-storage": "90Gi",
    pods: "110",
    "hugepages-2Mi": "0",
    "hugepages-1Gi": "1Gi",
  });
  assert.deepEqual(addresses, [
    { type: "InternalIP", address: "10.0.0.1" },
    { type: "Hostname", address: "host" },
  ]);
  assert.deepEqual(daemonEndpoints, { kubeletEndpoint: { Port: 10250 } });
});

test("nodeStatus keeps resources that others put into the node's capacity", () => {
  const before = { capacity: { cpu: "64", "example.com/gpu": "2" }, allocatable: {} };
  const { capacity, allocatable } = nodeStatus(facts(), before);
  assert.equal(capacity?.cpu, "4");
  assert.equal(capacity?.["example.com/gpu"], "2");
  assert.equal(allocatable?.["example.com/gpu"], "2");
});

test("statusPatch is nothing where only the heartbeat is another", () => {
  const before = nodeStatus(facts());
  const conditions = nodeConditions(
    { memory: false, disk: false, pid: false },
    [],
    before.conditions!,
    99_000,
  );
  assert.equal(statusPatch(before, nodeStatus(facts({ conditions }), before)), undefined);
});

test("statusPatch has what changed, replaces addresses, and takes away what is no more", () => {
  const before = nodeStatus(facts({ volumesInUse: ["v"] }));
  const conditions = nodeConditions({ memory: true, disk: false, pid: false }, [], before.conditions!, 0);
  const wanted = nodeStatus(facts({ addresses: ["10.0.0.2"], conditions }), before);
  assert.deepEqual(statusPatch(before, wanted), {
    addresses: [
      { type: "InternalIP", address: "10.0.0.2" },
      { type: "Hostname", address: "host" },
      { $patch: "replace" },
    ],
    conditions,
    volumesInUse: null,
  });
});

test("isRebooted compares the machine's starts, where the node told of one before", () => {
  const nodeOf = (bootID: string) =>
    ({ apiVersion: "v1", kind: "Node", metadata: { name: "n" }, status: { nodeInfo: { bootID } } }) as never;
  assert.equal(isRebooted(undefined, machine), false);
  assert.equal(isRebooted(nodeOf(""), machine), false);
  assert.equal(isRebooted(nodeOf("b"), machine), false);
  assert.equal(isRebooted(nodeOf("a"), machine), true);
});
