import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/core/pods.ts";
import type { Service } from "../../api/core/services.ts";
import { makeSubsets } from "./make-subsets.ts";

const SERVICE: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "ns" },
  spec: { clusterIP: "10.96.0.1", ports: [{ port: 80 }] },
};

function podOf(number: number, ready: boolean): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${number}`, namespace: "ns" },
    spec: { containers: [] },
    status: {
      phase: "Running",
      podIP: `10.1.${Math.floor(number / 250)}.${number % 250}`,
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  };
}

test("a thousand addresses are the most, those that are ready first", () => {
  const pods = Array.from({ length: 1100 }, (_, i) => podOf(i, i >= 300));
  const { subsets, cut } = makeSubsets(SERVICE, pods);
  assert.equal(cut, true);
  assert.equal(subsets[0]?.addresses?.length, 800);
  assert.equal(subsets[0]?.notReadyAddresses?.length, 200);
  assert.equal(makeSubsets(SERVICE, pods.slice(0, 1000)).cut, false);
});

test("a service without pods has no subsets", () => {
  assert.deepEqual(makeSubsets(SERVICE, []), { subsets: [], cut: false });
});

test("only a headless service may have addresses without ports", () => {
  const headless = { ...SERVICE, spec: { clusterIP: "None" } };
  assert.equal(makeSubsets(headless, [podOf(1, true)]).subsets[0]?.ports, undefined);
  assert.equal(makeSubsets(headless, [podOf(1, true)]).subsets.length, 1);
  assert.equal(
    makeSubsets({ ...SERVICE, spec: { clusterIP: "10.96.0.1" } }, [podOf(1, true)]).subsets.length,
    0,
  );
});
