/** The plugins that look at one node and one pod. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import {
  contextOf,
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
import { defaultBinder } from "./default-binder.ts";
import { imageLocality } from "./image-locality.ts";
import { nodeName } from "./node-name.ts";
import { nodePorts } from "./node-ports.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";
import { prioritySort } from "./priority-sort.ts";
import { schedulingGates } from "./scheduling-gates.ts";
import { taintToleration } from "./taint-toleration.ts";

const queued = (priority: number, since: number) => ({
  info: cycleOf(podNamed("p", { priority }), new TestNodes([])).info,
  since,
  attempts: 1,
});

test("PrioritySort puts the higher priority first and of equal ones the older", async () => {
  const { queueSort } = await startPlugin(prioritySort);
  const [high, old, young] = [queued(10, 3), queued(1, 1), queued(1, 2)];
  assert.deepEqual([young, old, high].sort(queueSort), [high, old, young]);
});

test("SchedulingGates keeps a pod out until it has no gates", async () => {
  const plugin = await startPlugin(schedulingGates);
  const gated = podNamed("a", { schedulingGates: [{ name: "x" }, { name: "y" }] });
  const rejection = plugin.preEnqueue?.(gated);
  assert.deepEqual([rejection?.code, rejection?.reasons], ["gated", ["waiting for scheduling gates: [x y]"]]);
  const free: Pod = { ...gated, spec: { containers: [] } };
  assert.equal(plugin.preEnqueue?.(free), undefined);
  assert.equal(mayHelp(plugin, "pods", gated, { was: gated, now: free }), true);
  assert.equal(mayHelp(plugin, "pods", gated, { was: gated, now: gated }), false);
});

test("NodeName lets a pod that names its node go there only", async () => {
  const plugin = await startPlugin(nodeName);
  const nodes = new TestNodes([nodeNamed("a"), nodeNamed("b")]);
  assert.deepEqual(reasons(plugin, cycleOf(podNamed("p", { nodeName: "b" }), nodes)), {
    a: "node(s) didn't match the requested node name",
    b: undefined,
  });
  assert.equal(plugin.prepareFilter?.(cycleOf(podNamed("p"), nodes)), undefined);
});

test("NodeUnschedulable keeps pods off cordoned nodes unless they tolerate it", async () => {
  const plugin = await startPlugin(nodeUnschedulable);
  const nodes = new TestNodes([nodeNamed("a", {}, { spec: { unschedulable: true } })]);
  assert.equal(reasons(plugin, cycleOf(podNamed("p"), nodes)).a, "node(s) were unschedulable");
  const tolerations = [{ key: "node.kubernetes.io/unschedulable", operator: "Exists" }];
  assert.equal(reasons(plugin, cycleOf(podNamed("p", { tolerations }), nodes)).a, undefined);
});

test("NodeUnschedulable lets pods try again when a node is uncordoned or comes, not when any other node changes", async () => {
  const plugin = await startPlugin(nodeUnschedulable);
  const [free, cordoned] = [nodeNamed("a"), nodeNamed("a", {}, { spec: { unschedulable: true } })];
  const helps = (change: { now?: Node; was?: Node }) => mayHelp(plugin, "nodes", podNamed("p"), change);
  assert.equal(helps({ was: cordoned, now: free }), true);
  assert.equal(helps({ now: free }), true);
  assert.equal(helps({ now: cordoned }), false);
  assert.equal(helps({ was: free, now: nodeNamed("a", { zone: "b" }) }), false);
});

const TAINTED = { taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] };

test("TaintToleration keeps pods off nodes whose taints they do not tolerate", async () => {
  const plugin = await startPlugin(taintToleration);
  const nodes = new TestNodes([
    nodeNamed("plain"),
    nodeNamed("tainted", {}, { spec: TAINTED }),
    nodeNamed("soft", {}, { spec: { taints: [{ key: "a", effect: "PreferNoSchedule" }] } }),
  ]);
  const judged = judge(plugin, cycleOf(podNamed("p"), nodes));
  assert.deepEqual(judged.tainted?.reasons, ["node(s) had untolerated taint(s)"]);
  assert.equal(judged.tainted?.code, "unresolvable");
  assert.match(judged.tainted?.advice?.() ?? "", /gpu=yes:NoSchedule/);
  assert.equal(judged.plain ?? judged.soft, undefined);
  const tolerations = [{ key: "gpu", operator: "Equal", value: "yes" }];
  assert.equal(judge(plugin, cycleOf(podNamed("p", { tolerations }), nodes)).tainted, undefined);
});

test("TaintToleration prefers nodes with fewer soft taints", async () => {
  const plugin = await startPlugin(taintToleration);
  const soft = (...keys: string[]) => ({
    spec: { taints: keys.map((key) => ({ key, effect: "PreferNoSchedule" })) },
  });
  const nodes = new TestNodes([
    nodeNamed("none"),
    nodeNamed("one", {}, soft("a")),
    nodeNamed("two", {}, soft("a", "b")),
  ]);
  assert.deepEqual(scores(plugin, cycleOf(podNamed("p"), nodes)), { none: 100, one: 50, two: 0 });
  const tolerations = [{ key: "a", operator: "Exists", effect: "PreferNoSchedule" }];
  assert.deepEqual(scores(plugin, cycleOf(podNamed("p", { tolerations }), nodes)), {
    none: 100,
    one: 100,
    two: 0,
  });
});

test("TaintToleration looks again when a node loses its taint", async () => {
  const plugin = await startPlugin(taintToleration);
  const was = nodeNamed("a", {}, { spec: TAINTED });
  const waiting = podNamed("p");
  assert.equal(mayHelp(plugin, "nodes", waiting, { was, now: nodeNamed("a") }), true);
  assert.equal(mayHelp(plugin, "nodes", waiting, { was, now: was }), false);
  assert.equal(mayHelp(plugin, "nodes", waiting, { now: was }), false);
});

const withPort = (hostPort: number, hostIP?: string, protocol = "TCP") => ({
  containers: [{ name: "main", image: "i", ports: [{ containerPort: 1, hostPort, hostIP, protocol }] }],
});

test("NodePorts keeps pods off nodes where their host port is taken", async () => {
  const plugin = await startPlugin(nodePorts);
  const taken = podNamed("old", { ...withPort(80, "10.0.0.1"), nodeName: "a" });
  const nodes = new TestNodes([nodeNamed("a"), nodeNamed("b")], [taken]);
  const reason = "node(s) didn't have free ports for the requested pod ports";
  for (const [spec, expected] of [
    [withPort(80), reason],
    [withPort(80, "10.0.0.1"), reason],
    [withPort(80, "10.0.0.2"), undefined],
    [withPort(80, "10.0.0.1", "UDP"), undefined],
    [withPort(81), undefined],
  ] as const) {
    assert.deepEqual(reasons(plugin, cycleOf(podNamed("p", spec), nodes)), { a: expected, b: undefined });
  }
  assert.equal(mayHelp(plugin, "pods", podNamed("p", withPort(80)), { was: taken }), true);
  assert.equal(mayHelp(plugin, "pods", podNamed("p", withPort(81)), { was: taken }), false);
});

test("ImageLocality prefers nodes with the image, by its size and its spread", async () => {
  const plugin = await startPlugin(imageLocality);
  const megabytes = (count: number) => count * 1024 * 1024;
  const holding = (size: number) => ({
    status: { images: [{ names: ["main:1"], sizeBytes: megabytes(size) }] },
  });
  const nodes = new TestNodes([nodeNamed("a", {}, holding(1000)), nodeNamed("b")]);
  // Half the nodes have it: half of 1000 MB less 23, in a range of 977.
  assert.deepEqual(scores(plugin, cycleOf(podNamed("p"), nodes)), { a: 48, b: 0 });
  nodes.at("b").setNode(nodeNamed("b", {}, holding(1000)));
  assert.deepEqual(scores(plugin, cycleOf(podNamed("p"), nodes)), { a: 100, b: 100 });
  const other = podNamed("p", { containers: [{ name: "main", image: "main" }] });
  assert.equal(scores(plugin, cycleOf(other, nodes)), undefined);
});

test("DefaultBinder posts a binding with the uid of the pod", async () => {
  const context = await contextOf();
  const plugin = await startPlugin(defaultBinder, undefined, context);
  const nodes = new TestNodes([nodeNamed("a")]);
  await plugin.bind?.(cycleOf(podNamed("p", {}, { uid: "u" }), nodes), nodes.at("a"));
  assert.deepEqual(context.requests, [
    {
      method: "POST",
      path: "/api/v1/namespaces/default/pods/p/binding",
      body: {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { namespace: "default", name: "p", uid: "u" },
        target: { kind: "Node", name: "a" },
      },
    },
  ]);
});
