import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubeObject } from "../object.ts";
import type { RequestContext, Resource } from "../resource.ts";
import type { Device, DeviceRequest, ResourceClaimStatus } from "../schema/resource.v1.generated.ts";
import { DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice } from "./index.ts";

const admin = new Set(["trusted"]);
const context = {
  now: "2026-01-01T00:00:00Z",
  ports: {
    reader: {
      get: (_kind: unknown, _none: string, name: string) => ({
        metadata: { labels: admin.has(name) ? { "resource.kubernetes.io/admin-access": "true" } : {} },
      }),
    },
  },
} as unknown as RequestContext;

function made<T extends KubeObject>(kind: Resource<T>, rest: Partial<T>): T {
  const metadata = { name: "a", namespace: "default" };
  const object = {
    apiVersion: "resource.k8s.io/v1",
    kind: kind.kind,
    metadata,
    ...rest,
  } as unknown as T;
  kind.defaults?.(object);
  kind.prepareForCreate?.(object, context);
  return object;
}

function texts(errors: readonly { field: string; body: string }[] | undefined): string[] {
  return (errors ?? []).map(({ field, body }) => `${field}: ${body}`);
}

function judged<T extends KubeObject>(kind: Resource<T>, object: T, old?: T): string[] {
  return texts(old ? kind.validateUpdate?.(object, old, context) : kind.validate?.(object, context));
}

const exactly = { deviceClassName: "gpu" };
const claimOf = (requests: DeviceRequest[], namespace = "default", rest = {}) =>
  made(ResourceClaim, {
    metadata: { name: "a", namespace },
    spec: { devices: { requests, ...rest } },
  });
const gpu: DeviceRequest = { name: "gpu", exactly };
const result = { request: "gpu", driver: "dra.example.com", pool: "node-1", device: "gpu-0" };
const DEVICE = { driver: "dra.example.com", pool: "node-1", device: "gpu-0" };

function changedStatus(was: ResourceClaimStatus | undefined, now: ResourceClaimStatus): string[] {
  const old = claimOf([structuredClone(gpu)]);
  const status = ResourceClaim.subresources.status;
  assert.ok(status?.acts === "update");
  const before = { ...old, ...(was ? { status: was } : {}) };
  const object = { ...old, metadata: { ...old.metadata, labels: { sly: "x" } }, status: now };
  status.prepare(object, before, context);
  assert.equal(object.metadata.labels, undefined);
  return texts(status.validate?.(object, before, context));
}

describe("ResourceClaim", () => {
  it("asks for one device where a request does not say how many", () => {
    const { spec } = claimOf([
      { name: "a", exactly: { ...exactly } },
      { name: "b", firstAvailable: [{ name: "c", deviceClassName: "x", allocationMode: "All" }] },
    ]);
    assert.deepEqual(spec.devices?.requests?.[0]?.exactly, {
      deviceClassName: "gpu",
      allocationMode: "ExactCount",
      count: 1,
    });
    assert.equal(spec.devices?.requests?.[1]?.firstAvailable?.[0]?.count, undefined);
  });

  it("takes what is well made and starts without a status", () => {
    const config = [{ opaque: { driver: "dra.example.com", parameters: { a: 1 } }, requests: ["b/c"] }];
    const requests: DeviceRequest[] = [
      { name: "a", exactly: { ...exactly, tolerations: [{ key: "x", operator: "Exists" }] } },
      { name: "b", firstAvailable: [{ name: "c", deviceClassName: "x" }] },
    ];
    const constraints = [{ matchAttribute: "dra.example.com/numa", requests: ["a", "b"] }];
    const claim = claimOf(requests, "default", { config, constraints });
    assert.deepEqual(judged(ResourceClaim, claim), []);
    const given = made(ResourceClaim, { spec: {}, status: { reservedFor: [] } });
    assert.equal(given.status, undefined);
  });

  it("refuses requests that name nothing, or two ways at once", () => {
    const both = {
      name: "x",
      exactly: { ...exactly },
      firstAvailable: [{ name: "c", deviceClassName: "x" }],
    };
    const requests = [{ name: "a" }, both, { name: "a", exactly: { deviceClassName: "" } }];
    assert.deepEqual(judged(ResourceClaim, claimOf(requests)), [
      "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
      "spec.devices.requests[1]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set",
      "spec.devices.requests[2].exactly.deviceClassName: Required value",
      'spec.devices.requests[2]: Duplicate value: "a"',
    ]);
  });

  it("refuses modes, counts, tolerations and references that cannot be", () => {
    const requests: DeviceRequest[] = [
      { name: "a", exactly: { ...exactly, allocationMode: "Some" } },
      { name: "b", exactly: { ...exactly, allocationMode: "All", count: 2 } },
      {
        name: "c",
        exactly: { ...exactly, count: -1, tolerations: [{ operator: "Equal", effect: "Never" }] },
      },
    ];
    const rest = {
      constraints: [{ requests: ["z"] }],
      config: [{ opaque: { driver: "d", parameters: [] } }, {}],
    };
    const which =
      "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
    assert.deepEqual(judged(ResourceClaim, claimOf(requests, "default", rest)), [
      'spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"',
      "spec.devices.requests[1].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
      "spec.devices.requests[2].exactly.count: Invalid value: -1: must be greater than zero",
      'spec.devices.requests[2].exactly.tolerations[0].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "None"',
      `spec.devices.constraints[0].requests[0]: Invalid value: "z": ${which}`,
      'spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
      'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
      "spec.devices.config[1].opaque: Required value",
    ]);
  });

  it("says once that a list is too long", () => {
    const many = Array.from({ length: 33 }, (_, i) => ({ name: `r-${i}` }));
    assert.deepEqual(judged(ResourceClaim, claimOf(many)), [
      "spec.devices.requests: Too many: 33: must have at most 32 items",
    ]);
  });

  it("gives admin access to marked namespaces only", () => {
    const requests = () => [gpu, { name: "all", exactly: { ...exactly, adminAccess: true } }];
    assert.deepEqual(judged(ResourceClaim, claimOf(requests(), "trusted")), []);
    assert.deepEqual(judged(ResourceClaim, claimOf(requests())), [
      "spec.devices.requests[1].adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace",
    ]);
    assert.equal(
      changedStatus(undefined, { allocation: { devices: { results: [{ ...result, adminAccess: true }] } } })
        .length,
      1,
    );
  });

  it("keeps its spec", () => {
    const old = claimOf([gpu]);
    assert.match(judged(ResourceClaim, claimOf([]), old)[0] ?? "", /^spec: .*: field is immutable$/);
    assert.deepEqual(judged(ResourceClaim, claimOf([gpu]), old), []);
  });

  it("takes an allocation with reservations and the drivers' word on its devices", () => {
    const uid = "7c3ab8c0-1a62-4a2f-93b7-6b1c5f1f3a10";
    const conditions = [
      { type: "Ready", status: "True", reason: "Set", message: "", lastTransitionTime: context.now },
    ];
    const networkData = { interfaceName: "eth1", ips: ["10.0.0.5/24"] };
    const status = {
      allocation: { devices: { results: [{ ...result, shareID: uid }] } },
      reservedFor: [{ resource: "pods", name: "p", uid: "1" }],
      devices: [{ ...DEVICE, shareID: uid, conditions, data: { a: 1 }, networkData }],
    };
    assert.deepEqual(changedStatus(undefined, status), []);
  });

  it("refuses reservations without an allocation and devices that are not allocated", () => {
    assert.deepEqual(
      changedStatus(undefined, {
        reservedFor: [
          { resource: "pods", name: "p", uid: "1" },
          { resource: "", name: "", uid: "1" },
        ],
        devices: [DEVICE, DEVICE],
      }),
      [
        "status.reservedFor[1].resource: Required value",
        "status.reservedFor[1].name: Required value",
        'status.reservedFor[1]: Duplicate value: "1"',
        "status.devices[0]: Invalid value: dra.example.com/node-1/gpu-0: must be an allocated device in the claim",
        "status.devices[1]: Invalid value: dra.example.com/node-1/gpu-0: must be an allocated device in the claim",
        "status.devices[1]: Duplicate value: dra.example.com/node-1/gpu-0",
        "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
      ],
    );
  });

  it("refuses a malformed share and addresses that are not canonical", () => {
    const shareID = "7C3AB8C0-1a62-4a2f-93b7-6b1c5f1f3a10";
    const found = changedStatus(undefined, {
      allocation: { devices: { results: [{ ...result, shareID: "short" }] } },
      devices: [{ ...DEVICE, shareID, networkData: { ips: ["10.0.0.05/24"] } }],
    });
    assert.equal(
      found[0],
      `status.devices[0].shareID: Invalid value: "${shareID}": uid must be in RFC 4122 normalized form, \`xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx\` with lowercase hexadecimal characters`,
    );
    assert.match(found[2] ?? "", /^status\.devices\[0\]\.networkData\.ips\[0\]: Invalid value/);
    assert.equal(
      found.at(-1),
      'status.allocation.devices.results[0].shareID: Invalid value: "short": error validating uid: invalid UUID length: 5',
    );
  });

  it("keeps an allocation until it goes, and with it what drivers said of its devices", () => {
    const was = { allocation: { devices: { results: [result] } }, devices: [DEVICE] };
    const other = { allocation: { devices: { results: [{ ...result, device: "gpu-1" }] } } };
    assert.match(changedStatus(was, other)[0] ?? "", /^status\.allocation: .*: field is immutable$/);
    const status = { devices: [DEVICE] };
    assert.deepEqual(changedStatus(was, status), []);
    assert.equal(Object.hasOwn(status, "devices"), false);
  });

  it("prints its state", () => {
    const cell = (rest: object) =>
      ResourceClaim.columns[1]?.cell({ ...claimOf([]), ...rest } as ResourceClaim, new Date(0));
    const allocation = {};
    assert.equal(cell({}), "pending");
    assert.equal(cell({ status: { allocation, reservedFor: [{}] } }), "allocated,reserved");
    assert.equal(cell({ metadata: { deletionTimestamp: "x" }, status: { allocation } }), "deleted,allocated");
    assert.equal(cell({ metadata: { deletionTimestamp: "x" } }), "deleted");
  });
});

describe("ResourceClaimTemplate", () => {
  it("takes labels and annotations for its claims, and nothing else of their metadata", () => {
    const spec = { metadata: { labels: { a: "b" }, name: "x" }, spec: { devices: { requests: [gpu] } } };
    const template = made(ResourceClaimTemplate, { spec });
    assert.deepEqual(judged(ResourceClaimTemplate, template), [
      "spec.metadata.name: Forbidden: cannot be set",
    ]);
    const good = made(ResourceClaimTemplate, { spec: { spec: { devices: { requests: [{ name: "A" }] } } } });
    assert.match(judged(ResourceClaimTemplate, good)[0] ?? "", /^spec\.spec\.devices\.requests\[0\]\.name: /);
  });
});

describe("DeviceClass", () => {
  it("refuses selectors without an expression, configuration of no one and foreign resource names", () => {
    const spec = {
      selectors: [{}],
      config: [{}],
      extendedResourceName: "cpu",
    };
    assert.deepEqual(judged(DeviceClass, made(DeviceClass, { spec })), [
      "spec.selectors[0].cel: Required value",
      "spec.config[0].opaque: Required value",
      'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
    ]);
    const good = { selectors: [{ cel: { expression: "true" } }], extendedResourceName: "example.com/gpu" };
    assert.deepEqual(judged(DeviceClass, made(DeviceClass, { spec: good })), []);
  });

  it("holds new expressions to their length, not those it has", () => {
    const spec = { selectors: [{ cel: { expression: "x".repeat(10241) } }] };
    const long = made(DeviceClass, { spec });
    assert.deepEqual(judged(DeviceClass, long), [
      "spec.selectors[0].cel.expression: Too long: may not be more than 10240 bytes",
    ]);
    assert.deepEqual(judged(DeviceClass, long, structuredClone(long)), []);
  });
});

function sliceOf(devices: Device[], rest: object = { nodeName: "node-1" }): ResourceSlice {
  const pool = { name: "node-1", generation: 1, resourceSliceCount: 1 };
  return made(ResourceSlice, { spec: { driver: "dra.example.com", pool, devices, ...rest } });
}

describe("ResourceSlice", () => {
  it("takes devices with attributes, capacity and a policy for sharing it", () => {
    const requestPolicy = { default: "1Gi", validRange: { min: "1Gi", max: "4Gi", step: "1Gi" } };
    const device = {
      name: "gpu-0",
      allowMultipleAllocations: true,
      attributes: { model: { string: "x" }, "other.example.com/driver": { version: "1.2.3-rc.1+b.7" } },
      capacity: { memory: { value: "4Gi", requestPolicy } },
      bindingConditions: ["ready"],
      bindingFailureConditions: ["failed"],
    };
    assert.deepEqual(judged(ResourceSlice, sliceOf([device])), []);
  });

  it("drops alpha fields and notes since when a device is tainted", () => {
    const slice = sliceOf([
      {
        name: "gpu-0",
        taints: [{ key: "broken", effect: "NoSchedule" }],
        attributes: { a: { ints: [1] } },
        nodeAllocatableResourceMappings: { cpu: {} },
      },
    ]);
    assert.deepEqual(slice.spec.devices?.[0], {
      name: "gpu-0",
      taints: [{ key: "broken", effect: "NoSchedule", timeAdded: context.now }],
      attributes: { a: {} },
    });
    assert.deepEqual(judged(ResourceSlice, slice), [
      'spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be specified',
    ]);
  });

  it("names its nodes in one way", () => {
    const one = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
    assert.deepEqual(judged(ResourceSlice, sliceOf([], {})), [`spec: Required value: ${one}`]);
    assert.deepEqual(judged(ResourceSlice, sliceOf([], { nodeName: "a", allNodes: true })), [
      `spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${one}, but multiple fields are set`,
    ]);
    assert.deepEqual(judged(ResourceSlice, sliceOf([{ name: "a" }], { perDeviceNodeSelection: true })), [
      "spec.devices[0]: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec",
    ]);
    assert.equal(judged(ResourceSlice, sliceOf([{ name: "a", allNodes: true }])).length, 1);
    const selected = { allNodes: false, nodeSelector: { nodeSelectorTerms: [] } };
    assert.deepEqual(judged(ResourceSlice, sliceOf([], selected)), [
      "spec.nodeSelector.nodeSelectorTerms: Required value: must have at least one node selector term",
      "spec.nodeSelector.nodeSelectorTerms: Invalid value: []: must have exactly one node selector term",
      "spec.allNodes: Invalid value: false: must be either unset or set to true",
    ]);
  });

  it("refuses devices that are wrongly described", () => {
    const device: Device = {
      name: "Gpu",
      attributes: { "a/b/c": { bool: true }, ok: { version: "1.02.3" }, two: { int: 1, bool: true } },
      capacity: { memory: { value: "1Gi", requestPolicy: {} } },
      taints: [{ key: "k", effect: "Later" }],
      bindingConditions: ["a", "a"],
      consumesCounters: [{ counterSet: "", counters: {} }],
    };
    const found = judged(ResourceSlice, sliceOf([device]));
    assert.match(found[0] ?? "", /^spec\.devices\[0\]\.name: Invalid value: "Gpu"/);
    assert.deepEqual(found.slice(1), [
      'spec.devices[0].attributes: Invalid value: "a/b/c": must not contain more than one slash',
      'spec.devices[0].attributes[ok].version: Invalid value: "1.02.3": must be a string compatible with semver.org spec 2.0.0',
      'spec.devices[0].attributes[two]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified',
      "spec.devices[0].capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true",
      'spec.devices[0].taints[0].effect: Unsupported value: "Later": supported values: "NoExecute", "NoSchedule", "None"',
      "spec.devices[0].consumesCounters[0].counterSet: Required value",
      "spec.devices[0].consumesCounters[0].counters: Required value",
      'spec.devices[0].bindingConditions[1]: Duplicate value: "a"',
      "spec.devices[0].bindingFailureConditions: Invalid value: []: bindingFailureConditions are required to use bindingConditions",
    ]);
  });

  it("refuses policies that their own default breaks", () => {
    const capacity = {
      a: { value: "4", requestPolicy: { validValues: ["1"] } },
      b: { value: "4", requestPolicy: { default: "2", validValues: ["3", "1"] } },
      c: { value: "4", requestPolicy: { default: "2", validRange: { min: "1", max: "8", step: "3" } } },
    };
    const at = "spec.devices[0].capacity";
    assert.deepEqual(
      judged(ResourceSlice, sliceOf([{ name: "x", allowMultipleAllocations: true, capacity }])),
      [
        `${at}[a].requestPolicy.default: Required value: required when validValues is defined`,
        `${at}[b].requestPolicy.validValues[1]: Invalid value: "1": values must be sorted in ascending order`,
        `${at}[b].requestPolicy.validValues: Invalid value: "2": default value is not valid according to the requestPolicy`,
        `${at}[c].requestPolicy.validRange.max: Invalid value: "8": max is larger than capacity value: 4`,
        `${at}[c].requestPolicy.validRange.step: Invalid value: "2": value is not a multiple of a given step (3) from (1)`,
        `${at}[c].requestPolicy.validRange.step: Invalid value: "8": value is not a multiple of a given step (3) from (1)`,
      ],
    );
  });

  it("takes half as many devices where one is tainted", () => {
    const devices = Array.from({ length: 65 }, (_, i): Device => ({ name: `d-${i}` }));
    assert.deepEqual(judged(ResourceSlice, sliceOf(devices)), []);
    devices[0] = { name: "d-0", taints: [{ key: "k", effect: "None" }] };
    assert.deepEqual(judged(ResourceSlice, sliceOf(devices)), [
      "spec.devices: Too many: 65: must have at most 64 items",
    ]);
  });

  it("keeps its driver, pool and node, and tells field selectors of them", () => {
    const now = sliceOf([], { allNodes: true, driver: "other.example.com" });
    assert.deepEqual(
      judged(ResourceSlice, now, sliceOf([])).map((text) => text.slice(0, text.indexOf(":"))),
      ["spec.driver", "spec.nodeName"],
    );
    const slice = sliceOf([]);
    const fields = Object.entries(ResourceSlice.fields).map(([name, read]) => [name, read(slice)]);
    assert.deepEqual(fields, [
      ["spec.nodeName", "node-1"],
      ["spec.driver", "dra.example.com"],
    ]);
    assert.deepEqual(ResourceSlice.warnings?.(sliceOf([], { driver: "DRA.example.com" }), undefined), [
      'spec.driver: driver names should be lowercase; "DRA.example.com" contains uppercase characters',
    ]);
  });
});
