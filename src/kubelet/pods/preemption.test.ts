import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { preemption } from "./preemption.ts";

type Resources = { requests?: Record<string, string>; limits?: Record<string, string> };

function pod(name: string, resources: Resources = {}, priority = 0): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { priority, containers: [{ name: "main", resources }] },
  };
}
const asks = (name: string, cpu: string, memory = "1Mi"): Pod => pod(name, { requests: { cpu, memory } });
const sure = (name: string, cpu: string, memory = "1Mi"): Pod =>
  pod(name, { requests: { cpu, memory }, limits: { cpu, memory } });
const critical = pod("critical", {}, 2_000_000_000);

function victims(others: Pod[], lacking: Record<string, number>, of = critical): string[] | string {
  const found = preemption(
    of,
    others,
    Object.entries(lacking).map(([resource, amount]) => ({ resource, amount })),
  );
  return typeof found === "string" ? found : found.map(({ metadata }) => metadata.name ?? "");
}

test("preemption ends the one pod that is nearest to what is lacking", () => {
  assert.deepEqual(victims([asks("a", "200m"), asks("b", "500m"), asks("c", "900m")], { cpu: 500 }), ["b"]);
});

test("preemption ends as few pods as are enough, the one that gives most first", () => {
  const others = [asks("a", "100m"), asks("b", "300m"), asks("c", "400m")];
  assert.deepEqual(victims(others, { cpu: 600 }), ["c", "b"]);
});

test("preemption prefers pods that ask for less memory, then for less cpu, where both are enough", () => {
  assert.deepEqual(victims([asks("a", "1", "2Mi"), asks("b", "1", "1Mi")], { cpu: 500 }), ["b"]);
  assert.deepEqual(victims([asks("a", "2"), asks("b", "1")], { cpu: 500 }), ["b"]);
});

test("preemption spares guaranteed pods while others are enough", () => {
  const others = [sure("sure", "1"), asks("a", "400m"), asks("b", "400m")];
  assert.deepEqual(victims(others, { cpu: 800 }), ["a", "b"]);
  assert.deepEqual(victims(others, { cpu: 900 }), ["sure"]);
  assert.deepEqual(victims(others, { cpu: 1500 }), ["a", "b", "sure"]);
});

test("preemption ends pods that ask for nothing where there are too many pods", () => {
  assert.deepEqual(victims([asks("a", "1"), pod("nothing"), sure("b", "1")], { pods: 1 }), ["nothing"]);
});

test("preemption weighs all that is lacking", () => {
  const others = [asks("cpu", "1", "1"), asks("memory", "1m", "1Gi"), asks("both", "500m", "512Mi")];
  assert.deepEqual(victims(others, { cpu: 500, memory: 2 ** 29 }), ["both"]);
});

test("preemption spares critical pods, but for those of lower priority", () => {
  const others = [pod("same", { requests: { cpu: "1" } }, 2_000_000_000)];
  const message =
    "preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 500), ]";
  assert.equal(victims(others, { cpu: 500 }), message);
  assert.deepEqual(victims(others, { cpu: 500 }, pod("higher", {}, 2_000_001_000)), ["same"]);
});

test("preemption says how much no pods could give", () => {
  assert.match(
    victims([asks("a", "200m")], { cpu: 500, pods: 1 }) as string,
    /resources: \[\(res: cpu, q: 300\), \]$/,
  );
});
