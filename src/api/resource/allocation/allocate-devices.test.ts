import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../schema/core.v1.generated.ts";
import type {
  Device,
  DeviceClaim,
  DeviceClass,
  ResourceClaim,
  ResourceSlice,
  ResourceSliceSpec,
} from "../../schema/resource.v1.generated.ts";
import { type AllocationView, allocateDevices } from "./allocate-devices.ts";
import { allocatedDevices } from "./pools.ts";

const DRIVER = "gpu.example.com";
const NODE: Node = { apiVersion: "v1", kind: "Node", metadata: { name: "n1", labels: { zone: "a" } } };

function claimOf(devices: DeviceClaim, name = "c"): ResourceClaim {
  const metadata = { name, namespace: "default" };
  return { apiVersion: "resource.k8s.io/v1", kind: "ResourceClaim", metadata, spec: { devices } };
}

function sliceOf(devices: Device[], spec: Partial<ResourceSliceSpec> = {}): ResourceSlice {
  const pool = { name: "pool", generation: 1, resourceSliceCount: 1 };
  return {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceSlice",
    metadata: { name: "s" },
    spec: { driver: DRIVER, nodeName: "n1", pool, devices, ...spec },
  };
}

function gpus(count: number): Device[] {
  return Array.from({ length: count }, (_, i) => ({ name: `gpu-${i}` }));
}

const CLASS: DeviceClass = {
  apiVersion: "resource.k8s.io/v1",
  kind: "DeviceClass",
  metadata: { name: "gpu" },
  spec: {},
};

function viewOf(slices: ResourceSlice[], more: Partial<AllocationView> = {}): AllocationView {
  return {
    slices,
    classNamed: (name) => (name === "gpu" ? CLASS : undefined),
    allocated: new Set(),
    // Stands for CEL: the name of the device.
    selects: (expression, { device }) => device.name === expression,
    ...more,
  };
}

const exactly = (more: object = {}) => ({ name: "r", exactly: { deviceClassName: "gpu", ...more } });

function devicesOf(claims: ResourceClaim[], view: AllocationView): string[][] | undefined {
  const results = allocateDevices(claims, NODE, view);
  return results?.map(({ devices }) => (devices?.results ?? []).map(({ device }) => device));
}

test("allocateDevices gives each claim devices of its own, and none where one claim goes without", () => {
  const claims = [claimOf({ requests: [exactly({ count: 2 })] }), claimOf({ requests: [exactly()] })];
  assert.deepEqual(devicesOf(claims, viewOf([sliceOf(gpus(3))])), [["gpu-0", "gpu-1"], ["gpu-2"]]);
  assert.equal(devicesOf(claims, viewOf([sliceOf(gpus(2))])), undefined);
});

test("allocateDevices leaves devices alone that a claim has already, but not those it administers", () => {
  const used = claimOf({});
  const results = [
    { request: "r", driver: DRIVER, pool: "pool", device: "gpu-0" },
    { request: "r", driver: DRIVER, pool: "pool", device: "gpu-1", adminAccess: true },
  ];
  const allocated = allocatedDevices([{ ...used, status: { allocation: { devices: { results } } } }]);
  const view = viewOf([sliceOf(gpus(2))], { allocated });
  assert.deepEqual(devicesOf([claimOf({ requests: [exactly()] })], view), [["gpu-1"]]);
  const admin = claimOf({ requests: [exactly({ adminAccess: true, allocationMode: "All" })] });
  assert.deepEqual(devicesOf([admin], view), [["gpu-0", "gpu-1"]]);
});

test("allocateDevices says where the claim can be used", () => {
  const one = claimOf({ requests: [exactly()] });
  const selectorOf = (spec: Partial<ResourceSliceSpec>) =>
    allocateDevices([one], NODE, viewOf([sliceOf(gpus(1), spec)]))?.[0]?.nodeSelector;
  const matchFields = [{ key: "metadata.name", operator: "In", values: ["n1"] }];
  assert.deepEqual(selectorOf({}), { nodeSelectorTerms: [{ matchFields }] });
  const nodeSelector = {
    nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }],
  };
  assert.deepEqual(selectorOf({ nodeName: undefined, nodeSelector }), nodeSelector);
  assert.equal(selectorOf({ nodeName: undefined, allNodes: true }), undefined);
  const elsewhere = viewOf([sliceOf(gpus(1), { nodeName: "n2" })]);
  assert.equal(allocateDevices([one], NODE, elsewhere), undefined);
});

test("allocateDevices looks on for devices whose attribute is the same or differs", () => {
  const on = (name: string, numa: number): Device => ({ name, attributes: { numa: { int: numa } } });
  const slices = [sliceOf([on("a", 0), on("b", 1), on("c", 0), { name: "d" }])];
  const two = [exactly({ count: 2 })];
  const same = claimOf({ requests: two, constraints: [{ matchAttribute: `${DRIVER}/numa` }] });
  assert.deepEqual(devicesOf([same], viewOf(slices)), [["a", "c"]]);
  const distinct = claimOf({ requests: two, constraints: [{ distinctAttribute: `${DRIVER}/numa` }] });
  assert.deepEqual(devicesOf([distinct], viewOf(slices)), [["a", "b"]]);
  const other = claimOf({ requests: two, constraints: [{ matchAttribute: "other.com/numa" }] });
  assert.equal(devicesOf([other], viewOf(slices)), undefined);
  const unconcerned = claimOf({
    requests: two,
    constraints: [{ matchAttribute: "other.com/numa", requests: ["x"] }],
  });
  assert.deepEqual(devicesOf([unconcerned], viewOf(slices)), [["a", "b"]]);
});

test("allocateDevices takes the first alternative that can be had, and its configuration alone", () => {
  const sub = (name: string, count: number) => ({ name, deviceClassName: "gpu", count });
  const config = ["r/big", "r/small"].map((name) => ({
    requests: [name],
    opaque: { driver: DRIVER, parameters: { for: name } },
  }));
  const claim = claimOf({
    requests: [{ name: "r", firstAvailable: [sub("big", 3), sub("small", 1)] }],
    config,
  });
  const result = allocateDevices([claim], NODE, viewOf([sliceOf(gpus(2))]))?.[0];
  assert.deepEqual(result?.devices?.results, [
    { request: "r/small", driver: DRIVER, pool: "pool", device: "gpu-0" },
  ]);
  assert.deepEqual(result?.devices?.config, [{ source: "FromClaim", ...config[1] }]);
});

test("allocateDevices asks for what both class and request select", () => {
  const selecting = { ...CLASS, spec: { selectors: [{ cel: { expression: "gpu-1" } }] } };
  const view = viewOf([sliceOf(gpus(3))], { classNamed: () => selecting });
  assert.deepEqual(devicesOf([claimOf({ requests: [exactly()] })], view), [["gpu-1"]]);
  const both = exactly({ selectors: [{ cel: { expression: "gpu-2" } }] });
  assert.equal(devicesOf([claimOf({ requests: [both] })], view), undefined);
});

test("allocateDevices takes all devices only while all are known and free", () => {
  const all = [claimOf({ requests: [exactly({ allocationMode: "All" })] })];
  assert.deepEqual(devicesOf(all, viewOf([sliceOf(gpus(2))])), [["gpu-0", "gpu-1"]]);
  const allocated = new Set([`${DRIVER}/pool/gpu-1`]);
  assert.equal(devicesOf(all, viewOf([sliceOf(gpus(2))], { allocated })), undefined);
  const pool = { name: "pool", generation: 1, resourceSliceCount: 2 };
  assert.throws(() => devicesOf(all, viewOf([sliceOf(gpus(2), { pool })])), {
    message: `request r: asks for all devices, but resource pool ${DRIVER}/pool is currently being updated`,
  });
});

test("allocateDevices believes the newest generation of a pool alone", () => {
  const newer = { name: "pool", generation: 2, resourceSliceCount: 1 };
  const slices = [sliceOf([{ name: "old" }]), sliceOf([{ name: "new" }], { pool: newer })];
  assert.deepEqual(devicesOf([claimOf({ requests: [exactly()] })], viewOf(slices)), [["new"]]);
});

test("allocateDevices keeps off tainted devices that the request does not tolerate", () => {
  const taints = [{ key: "sick", effect: "NoSchedule" }];
  const slices = [
    sliceOf([
      { name: "sick", taints },
      { name: "noted", taints: [{ key: "k", effect: "None" }] },
    ]),
  ];
  assert.deepEqual(devicesOf([claimOf({ requests: [exactly()] })], viewOf(slices)), [["noted"]]);
  const tolerations = [{ key: "sick", operator: "Exists" }];
  assert.deepEqual(devicesOf([claimOf({ requests: [exactly({ tolerations })] })], viewOf(slices)), [
    ["sick"],
  ]);
});

test("allocateDevices shares out the counters of partitioned devices", () => {
  const part = (name: string, memory: string): Device => ({
    name,
    consumesCounters: [{ counterSet: "card", counters: { memory: { value: memory } } }],
  });
  const sharedCounters = [{ name: "card", counters: { memory: { value: "40Gi" } } }];
  const slices = [
    sliceOf([part("whole", "40Gi"), part("half-0", "20Gi"), part("half-1", "20Gi")], { sharedCounters }),
  ];
  const two = [claimOf({ requests: [exactly({ count: 2 })] })];
  assert.deepEqual(devicesOf(two, viewOf(slices)), [["half-0", "half-1"]]);
  const allocated = new Set([`${DRIVER}/pool/half-0`]);
  assert.deepEqual(devicesOf([claimOf({ requests: [exactly()] })], viewOf(slices, { allocated })), [
    ["half-1"],
  ]);
});

test("allocateDevices says which class is missing, and gives up a search without end", () => {
  const missing = claimOf({ requests: [{ name: "r", exactly: { deviceClassName: "none" } }] });
  assert.throws(() => allocateDevices([missing], NODE, viewOf([])), {
    message: "claim default/c, request r: could not retrieve device class none",
  });
  const pairs = gpus(30).map(({ name }, i) => ({ name, attributes: { a: { int: i % 3 } } }));
  const hopeless = claimOf({
    requests: [exactly({ count: 10 }), { ...exactly({ count: 11 }), name: "s" }],
    constraints: [{ matchAttribute: `${DRIVER}/a`, requests: ["s"] }],
  });
  assert.throws(() => allocateDevices([hopeless], NODE, viewOf([sliceOf(pairs)])), {
    message: "too many ways to combine devices were tried",
  });
});
