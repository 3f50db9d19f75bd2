import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { DaemonSet, RollingUpdateDaemonSet } from "../../api/schema/apps.v1.generated.ts";
import type { Pod, PodSpec, Taint } from "../../api/schema/core.v1.generated.ts";
import { daemonPods, targetNode } from "./daemon-pod.ts";
import { FailedPods } from "./failed-pods.ts";
import { judgeOf } from "./node-verdict.ts";
import { planDaemons, type Seen } from "./plan.ts";
import { statusOf } from "./status.ts";

const NOW = Date.parse("2026-01-01T00:01:00Z");

function setOf(rollingUpdate: RollingUpdateDaemonSet = {}, pod: Partial<PodSpec> = {}): DaemonSet {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "d", namespace: "ns", uid: "set", generation: 2 },
    spec: {
      selector: {},
      template: { metadata: { labels: { app: "d" } }, spec: { containers: [], ...pod } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate },
    },
  };
}

function nodeOf(name: string, taints?: Taint[], labels?: Record<string, string>): Node {
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: { taints } };
}

let count = 0;

interface Shape {
  hash?: string;
  ready?: boolean;
  phase?: string;
  leaving?: boolean;
  bound?: boolean;
  since?: number;
}

/** Each is younger than the one before. */
function podOn(set: DaemonSet, node: string, shape: Shape = {}): Pod {
  const { hash = "new", ready = true, phase = "Running", leaving, bound = true, since = 50 } = shape;
  const made = daemonPods(set, hash)(node);
  const lastTransitionTime = new Date(NOW - since * 1000).toISOString();
  count++;
  return {
    ...made,
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...made.metadata,
      name: `${node}-${hash}${leaving ? "-leaving" : ""}`,
      creationTimestamp: new Date(NOW - 1_000_000 + count * 1000).toISOString(),
      ...(leaving && { deletionTimestamp: "2026-01-01T00:00:50Z" }),
    },
    spec: { ...made.spec!, ...(bound && { nodeName: node }) },
    status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime }] },
  };
}

function see(set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[]): Seen {
  return { set, hash: "new", nodes, judge: judgeOf(set), pods, now: NOW, backoff: () => 0 };
}

function plan(
  set: DaemonSet,
  nodes: readonly (Node | string)[],
  pods: readonly Pod[],
  more: Partial<Seen> = {},
) {
  const all = nodes.map((node) => (typeof node === "string" ? nodeOf(node) : node));
  const made = planDaemons({ ...see(set, all, pods), ...more });
  return { create: made.create, delete: made.delete.map(({ metadata }) => metadata.name), made };
}

test("a pod is made where one is wanted and none is, leaving or not", () => {
  const set = setOf();
  const { create } = plan(set, ["a", "b", "c"], [podOn(set, "a"), podOn(set, "b", { leaving: true })]);
  assert.deepEqual(create, ["c"]);
});

test("nodes are judged by selector, affinity and taints; what only keeps new pods out lets old ones stay", () => {
  const judge = judgeOf(setOf({}, { nodeSelector: { x: "y" } }));
  assert.equal(judge(nodeOf("a")), "leave");
  const labels = { x: "y" };
  assert.equal(judge(nodeOf("a", undefined, labels)), "run");
  assert.equal(judge(nodeOf("a", [{ key: "k", effect: "NoSchedule" }], labels)), "stay");
  assert.equal(judge(nodeOf("a", [{ key: "k", effect: "NoExecute" }], labels)), "leave");
  assert.equal(judge(nodeOf("a", [{ key: "k", effect: "PreferNoSchedule" }], labels)), "run");
  for (const [key, effect] of [
    ["node.kubernetes.io/unreachable", "NoExecute"],
    ["node.kubernetes.io/unschedulable", "NoSchedule"],
  ] as const) {
    assert.equal(judge(nodeOf("a", [{ key, effect }], labels)), "run");
  }
  const networkless = nodeOf("a", [{ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }]);
  assert.equal(judgeOf(setOf())(networkless), "stay");
  assert.equal(judgeOf(setOf({}, { hostNetwork: true }))(networkless), "run");
  assert.equal(judgeOf(setOf({}, { nodeName: "b" }))(nodeOf("a")), "leave");
});

test("a pod stays on a node that is lost, however long its template would have it stay", () => {
  const unreachable = { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" };
  const other = { key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 2 };
  const template = { tolerations: [{ ...unreachable, tolerationSeconds: 2 }, other] };
  const { tolerations = [] } = daemonPods(setOf({}, template), "h")("a").spec ?? {};
  assert.deepEqual(tolerations.slice(0, 2), [unreachable, other]);
  assert.equal(tolerations.filter(({ key }) => key === unreachable.key).length, 1);
});

test("a pod is pinned to its node by name, whatever the template required of nodes", () => {
  const term = { matchExpressions: [{ key: "k", operator: "Exists" }] };
  const preferred = [{ weight: 1, preference: term }];
  const nodeAffinity = {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
    preferredDuringSchedulingIgnoredDuringExecution: preferred,
  };
  const pod = daemonPods(setOf({}, { affinity: { nodeAffinity } }), "h")("a");
  assert.deepEqual(pod.spec?.affinity?.nodeAffinity, {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["a"] }] }],
    },
    preferredDuringSchedulingIgnoredDuringExecution: preferred,
  });
  assert.equal(pod.metadata.labels?.["controller-revision-hash"], "h");
  assert.equal(targetNode({ apiVersion: "v1", kind: "Pod", ...pod }), "a");
});

test("pods go from nodes that are not wanted, and of two on a node the younger goes", () => {
  const set = setOf();
  const evicting = nodeOf("a", [{ key: "k", effect: "NoExecute" }]);
  assert.deepEqual(plan(set, [evicting], [podOn(set, "a")]).delete, ["a-new"]);
  const two = [podOn(set, "b", { hash: "new" }), podOn(set, "b", { hash: "old" })];
  assert.deepEqual(plan(set, ["b"], two).delete, ["b-old"]);
  const unbound = [podOn(set, "b", { bound: false }), podOn(set, "b", { hash: "old" })];
  assert.deepEqual(plan(set, ["b"], unbound).delete, ["b-new"]);
});

test("a pod that waits for a node that is gone goes; one that ran there is left to others", () => {
  const set = setOf();
  const pods = [podOn(set, "gone", { bound: false }), podOn(set, "lost", { hash: "old" })];
  assert.deepEqual(plan(set, [], pods).delete, ["gone-new"]);
});

test("a pod that ended is deleted once its backoff is over", () => {
  const set = setOf();
  const pods = [podOn(set, "a", { phase: "Failed" })];
  assert.deepEqual(plan(set, ["a"], pods).delete, ["a-new"]);
  const waiting = plan(set, ["a"], pods, { backoff: () => 3000 });
  assert.deepEqual(waiting.delete, []);
  assert.equal(waiting.made.lookAgain, NOW + 3000);
  // Its node counts as empty once it is on its way out.
  assert.deepEqual(plan(set, ["a"], [podOn(set, "a", { phase: "Failed", leaving: true })]).create, ["a"]);
});

test("the backoff of a node doubles with each failure, and is forgotten after a quiet time", () => {
  const failures = new FailedPods();
  assert.equal(failures.left("s", "n", 0), 0);
  failures.count("s", "n", 0);
  assert.equal(failures.left("s", "n", 400), 600);
  failures.count("s", "n", 1000);
  assert.equal(failures.left("s", "n", 1000), 2000);
  assert.equal(failures.left("s", "other", 1000), 0);
  failures.count("s", "other", 2_000_000);
  failures.count("s", "n", 2_000_000);
  assert.equal(failures.left("s", "n", 2_000_000), 1000);
});

test("an update replaces old pods within maxUnavailable, those that are unavailable first and always", () => {
  const set = setOf({ maxUnavailable: 1 });
  const nodes = ["a", "b", "c"];
  const olds = nodes.map((node) => podOn(set, node, { hash: "old" }));
  assert.deepEqual(plan(set, nodes, olds).delete, ["a-old"]);
  const broken = [olds[0]!, olds[1]!, podOn(set, "c", { hash: "old", ready: false })];
  assert.deepEqual(plan(set, nodes, broken).delete, ["c-old"]);
  const waiting = [podOn(set, "a", { ready: false }), olds[1]!, olds[2]!];
  assert.deepEqual(plan(set, nodes, waiting).delete, []);
  const done = [podOn(set, "a"), olds[1]!, olds[2]!];
  assert.deepEqual(plan(set, nodes, done).delete, ["b-old"]);
  const half = setOf({ maxUnavailable: "50%" });
  assert.deepEqual(plan(half, nodes, olds).delete, ["a-old", "b-old"]);
  half.spec!.updateStrategy = { type: "OnDelete" };
  assert.deepEqual(plan(half, nodes, olds).delete, []);
});

test("a pod must be available for minReadySeconds before the next is replaced", () => {
  const set = setOf({ maxUnavailable: 1 });
  set.spec!.minReadySeconds = 30;
  const pods = [podOn(set, "a", { since: 10 }), podOn(set, "b", { hash: "old" })];
  const waiting = plan(set, ["a", "b"], pods);
  assert.deepEqual(waiting.delete, []);
  assert.equal(waiting.made.lookAgain, NOW + 20_000);
});

test("a surge makes new pods beside old ones, and takes the old ones away as the new become available", () => {
  const set = setOf({ maxSurge: 1, maxUnavailable: 0 });
  const nodes = ["a", "b"];
  const olds = nodes.map((node) => podOn(set, node, { hash: "old" }));
  assert.deepEqual(plan(set, nodes, olds).create, ["a"]);
  const surging = [...olds, podOn(set, "a", { ready: false })];
  const waiting = plan(set, nodes, surging);
  assert.deepEqual([waiting.create, waiting.delete], [[], []]);
  const available = plan(set, nodes, [...olds, podOn(set, "a")]);
  assert.deepEqual([available.create, available.delete], [[], ["a-old"]]);
  const broken = [podOn(set, "a", { hash: "old", ready: false }), podOn(set, "b", { hash: "old" })];
  assert.deepEqual(plan(set, nodes, broken).create, ["a", "b"]);
});

test("a surge keeps a node's old pod until enough others serve in its place", () => {
  const set = setOf({ maxSurge: 1, maxUnavailable: 0 });
  const closed = nodeOf("b", [{ key: "k", effect: "NoSchedule" }]);
  const stray = podOn(set, "b", { hash: "old" });
  assert.deepEqual(plan(set, ["a", closed], [podOn(set, "a", { ready: false }), stray]).delete, []);
  assert.deepEqual(plan(set, ["a", closed], [podOn(set, "a"), stray]).delete, ["b-old"]);
});

test("a status counts nodes", () => {
  const set = setOf();
  const closed = nodeOf("d", [{ key: "k", effect: "NoSchedule" }]);
  const nodes = [nodeOf("a"), nodeOf("b"), nodeOf("c"), closed];
  const pods = [podOn(set, "a"), podOn(set, "b", { hash: "old", ready: false }), podOn(set, "d")];
  assert.deepEqual(statusOf(see(set, nodes, pods), 0), {
    currentNumberScheduled: 2,
    numberMisscheduled: 1,
    desiredNumberScheduled: 3,
    numberReady: 1,
    observedGeneration: 2,
    updatedNumberScheduled: 1,
    numberAvailable: 1,
    numberUnavailable: 2,
  });
});
