import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EndpointSlice } from "../../../api/discovery/endpoint-slice.ts";
import type { Endpoint } from "../../../api/schema/discovery.v1.generated.ts";
import { type PortGroup, packSlices, type Wanted } from "./pack-slices.ts";

const LABELS = { "kubernetes.io/service-name": "web" };
const HTTP = [{ name: "http", port: 80, protocol: "TCP" }];
const HTTPS = [{ name: "https", port: 443, protocol: "TCP" }];

function endpoints(from: number, to: number): Endpoint[] {
  return Array.from({ length: to - from }, (_, i) => ({
    addresses: [`10.0.${Math.floor((from + i) / 250)}.${(from + i) % 250}`],
    conditions: { ready: true },
  }));
}

function sliceOf(
  name: string,
  list: Endpoint[],
  ports = HTTP,
  labels: Record<string, string> = LABELS,
): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, labels },
    addressType: "IPv4",
    endpoints: list,
    ports,
  };
}

function wanted(...groups: PortGroup[]): Wanted {
  return { addressType: "IPv4", groups, labels: LABELS, most: 100, placeholder: true };
}

function pack(existing: EndpointSlice[], ...groups: PortGroup[]) {
  const { create, update, remove } = packSlices(existing, wanted(...groups));
  return {
    create: create.map((content) => content.endpoints.length),
    update: update.map(({ slice, content }) => `${slice.metadata.name} ${content.endpoints.length}`),
    remove: remove.map(({ metadata }) => metadata.name),
  };
}

describe("endpoints", () => {
  it("are put into as few slices as hold them", () => {
    const plan = pack([], { ports: HTTP, endpoints: endpoints(0, 250) });
    assert.deepEqual(plan, { create: [100, 100, 50], update: [], remove: [] });
  });

  it("that are there already are not written again", () => {
    const slices = [sliceOf("a", endpoints(0, 60)), sliceOf("b", endpoints(60, 70))];
    const plan = pack(slices, { ports: HTTP, endpoints: endpoints(0, 70) });
    assert.deepEqual(plan, { create: [], update: [], remove: [] });
  });

  it("that are new go into the fullest slice that takes them all", () => {
    const slices = [
      sliceOf("a", endpoints(0, 60)),
      sliceOf("b", endpoints(60, 150)),
      sliceOf("c", endpoints(150, 249)),
    ];
    const plan = pack(slices, { ports: HTTP, endpoints: endpoints(0, 255) });
    assert.deepEqual(plan, { create: [], update: ["b 96"], remove: [] });
  });

  it("that are new go first into a slice that changes anyhow", () => {
    const slices = [sliceOf("a", endpoints(0, 50)), sliceOf("b", endpoints(50, 140))];
    const plan = pack(slices, { ports: HTTP, endpoints: endpoints(1, 145) });
    assert.deepEqual(plan, { create: [], update: ["a 54"], remove: [] });
  });

  it("that change are written with their slice only", () => {
    const slices = [sliceOf("a", endpoints(0, 50)), sliceOf("b", endpoints(50, 60))];
    const changed = endpoints(0, 60);
    changed[55] = { ...changed[55]!, conditions: { ready: false } };
    assert.deepEqual(pack(slices, { ports: HTTP, endpoints: changed }), {
      create: [],
      update: ["b 10"],
      remove: [],
    });
  });

  it("that go take their slice with them", () => {
    const slices = [sliceOf("a", endpoints(0, 50)), sliceOf("b", endpoints(50, 60))];
    assert.deepEqual(pack(slices, { ports: HTTP, endpoints: endpoints(0, 50) }), {
      create: [],
      update: [],
      remove: ["b"],
    });
  });

  it("with other ports get slices of their own, and a slice that goes is filled anew", () => {
    const slices = [sliceOf("a", endpoints(0, 2))];
    const plan = pack(
      slices,
      { ports: HTTPS, endpoints: endpoints(0, 1) },
      { ports: HTTP, endpoints: endpoints(1, 2) },
    );
    assert.deepEqual(plan, { create: [1], update: ["a 1"], remove: [] });
    assert.deepEqual(pack(slices, { ports: HTTPS, endpoints: endpoints(0, 2) }), {
      create: [],
      update: ["a 2"],
      remove: [],
    });
  });

  it("that are none leave one slice without any", () => {
    assert.deepEqual(pack([]), { create: [0], update: [], remove: [] });
    assert.deepEqual(pack([sliceOf("a", endpoints(0, 2))]), { create: [], update: ["a 0"], remove: [] });
    assert.deepEqual(pack([sliceOf("a", [], [])]), { create: [], update: [], remove: [] });
  });

  it("follow labels of the service", () => {
    const list = endpoints(0, 2);
    const plan = pack([sliceOf("a", list, HTTP, { ...LABELS, old: "yes" })], {
      ports: HTTP,
      endpoints: list,
    });
    assert.deepEqual(plan, { create: [], update: ["a 2"], remove: [] });
  });
});
