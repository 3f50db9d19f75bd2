import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError } from "../framework/plugin.ts";
import {
  asking,
  cycleOf,
  judge,
  mayHelp,
  nodeNamed,
  podNamed,
  reasons,
  scores,
  startPlugin,
  TestNodes,
} from "../testing/cluster.ts";
import { nodeResourcesBalancedAllocation } from "./node-resources-balanced-allocation.ts";
import { nodeResourcesFit } from "./node-resources-fit.ts";

const sized = (name: string, allocatable: Record<string, string>) =>
  nodeNamed(name, {}, { status: { allocatable } });
const SMALL = { cpu: "2", memory: "4Gi", pods: "2", "example.com/gpu": "1" };

test("NodeResourcesFit tells every resource that a node has too little of", async () => {
  const plugin = await startPlugin(nodeResourcesFit);
  const busy = podNamed("busy", { ...asking({ cpu: "1", memory: "3Gi" }), nodeName: "a" });
  const nodes = new TestNodes([sized("a", SMALL)], [busy]);
  const of = (requests: Record<string, string>) =>
    reasons(plugin, cycleOf(podNamed("p", asking(requests)), nodes)).a;
  assert.equal(of({ cpu: "1", memory: "1Gi" }), undefined);
  assert.equal(of({ cpu: "1001m" }), "Insufficient cpu");
  assert.equal(of({ cpu: "2", memory: "2Gi" }), "Insufficient cpu,Insufficient memory");
  assert.equal(of({ "example.com/gpu": "1" }), undefined);
  assert.equal(of({ "example.com/gpu": "2" }), "Insufficient example.com/gpu");
  assert.equal(of({ "ephemeral-storage": "1" }), "Insufficient ephemeral-storage");
  nodes.add(podNamed("more", { nodeName: "a" }));
  assert.equal(of({}), "Too many pods");
});

test("NodeResourcesFit says whether preemption could help", async () => {
  const plugin = await startPlugin(nodeResourcesFit);
  const busy = podNamed("busy", { ...asking({ cpu: "1" }), nodeName: "a" });
  const nodes = new TestNodes([sized("a", SMALL)], [busy]);
  const of = (cpu: string) => judge(plugin, cycleOf(podNamed("p", asking({ cpu })), nodes)).a;
  assert.equal(of("2")?.code, "unschedulable");
  assert.match(of("2")?.advice?.() ?? "", /free 2 of cpu/);
  assert.equal(of("3")?.code, "unresolvable");
  assert.match(of("3")?.advice?.() ?? "", /larger node/);
});

test("NodeResourcesFit leaves ignored resources and groups out", async () => {
  const plugin = await startPlugin(nodeResourcesFit, {
    ignoredResources: ["example.com/gpu"],
    ignoredResourceGroups: ["other.org"],
  });
  const nodes = new TestNodes([sized("a", SMALL)]);
  const pod = podNamed("p", asking({ "example.com/gpu": "5", "other.org/x": "1" }));
  assert.equal(reasons(plugin, cycleOf(pod, nodes)).a, undefined);
});

test("NodeResourcesFit prefers by its strategy", async () => {
  const half = podNamed("half", { ...asking({ cpu: "1", memory: "2Gi" }), nodeName: "half" });
  const nodes = new TestNodes([sized("empty", SMALL), sized("half", SMALL)], [half]);
  const pod = podNamed("p", asking({ cpu: "500m", memory: "1Gi" }));
  const by = async (scoringStrategy: unknown) =>
    scores(await startPlugin(nodeResourcesFit, { scoringStrategy }), cycleOf(pod, nodes));
  assert.deepEqual(await by(undefined), { empty: 75, half: 25 });
  assert.deepEqual(await by({ type: "MostAllocated" }), { empty: 25, half: 75 });
  const shape = [
    { utilization: 0, score: 0 },
    { utilization: 50, score: 10 },
    { utilization: 100, score: 0 },
  ];
  const requestedToCapacityRatio = { shape };
  assert.deepEqual(await by({ type: "RequestedToCapacityRatio", requestedToCapacityRatio }), {
    empty: 50,
    half: 50,
  });
});

test("NodeResourcesFit takes a pod without requests for a small one when it scores", async () => {
  const plugin = await startPlugin(nodeResourcesFit);
  const nodes = new TestNodes([sized("a", { cpu: "1", memory: "2000Mi", pods: "9" })]);
  assert.deepEqual(scores(plugin, cycleOf(podNamed("p"), nodes)), { a: 90 });
});

test("NodeResourcesFit refuses arguments that make no sense", async () => {
  const refused = async (scoringStrategy: unknown, message: RegExp) =>
    assert.rejects(
      startPlugin(nodeResourcesFit, { scoringStrategy }),
      (error) => error instanceof ConfigurationError && message.test(error.message),
    );
  await refused({ type: "Other" }, /^scoringStrategy\.type: Unsupported value: "Other"/);
  await refused(
    { resources: [{ name: "cpu", weight: 101 }] },
    /^scoringStrategy\.resources\[0\]\.weight: Invalid value: 101: not in valid range \[1, 100\]/,
  );
  await refused({ type: "RequestedToCapacityRatio" }, /requestedToCapacityRatio\.shape: Required value/);
  const shape = [
    { utilization: 5, score: 0 },
    { utilization: 5, score: 10 },
  ];
  await refused(
    { type: "RequestedToCapacityRatio", requestedToCapacityRatio: { shape } },
    /requestedToCapacityRatio\.shape\[1\]\.utilization: Invalid value: 5: utilization values must be sorted/,
  );
});

test("NodeResourcesFit looks again when a pod leaves or a node grows", async () => {
  const plugin = await startPlugin(nodeResourcesFit);
  const waiting = podNamed("p", asking({ cpu: "3" }));
  const gone = podNamed("gone", { ...asking({ cpu: "1" }), nodeName: "a" });
  assert.equal(mayHelp(plugin, "pods", waiting, { was: gone }), true);
  assert.equal(mayHelp(plugin, "pods", waiting, { was: podNamed("never-placed") }), false);
  const [small, large] = [sized("a", SMALL), sized("a", { ...SMALL, cpu: "4" })];
  assert.equal(mayHelp(plugin, "nodes", waiting, { was: small, now: large }), true);
  assert.equal(mayHelp(plugin, "nodes", waiting, { was: large, now: large }), false);
  assert.equal(mayHelp(plugin, "nodes", waiting, { now: small }), false);
});

test("NodeResourcesBalancedAllocation prefers nodes that the pod brings into balance", async () => {
  const plugin = await startPlugin(nodeResourcesBalancedAllocation);
  const size = { cpu: "10", memory: "10Gi", pods: "9" };
  const lopsided = podNamed("x", { ...asking({ memory: "5Gi" }), nodeName: "lopsided" });
  const nodes = new TestNodes([sized("empty", size), sized("lopsided", size)], [lopsided]);
  const pod = podNamed("p", asking({ cpu: "5" }));
  // 50 + (50 + 75 - 100) / 2 where it makes a balanced node lopsided, 50 + (50 + 100 - 75) / 2 where it helps.
  assert.deepEqual(scores(plugin, cycleOf(pod, nodes)), { empty: 62, lopsided: 87 });
  assert.equal(scores(plugin, cycleOf(podNamed("p"), nodes)), undefined);
});
