import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/core/pods.ts";
import type { ExplainedAttempt, Explanation } from "../../scheduler/decisions/explanation.ts";
import { UsageError } from "../verb.ts";
import { explainText, explainVerb } from "./explain.ts";

const NOW = Date.parse("2026-11-21T12:01:00Z");
const PROFILES = { profiles: ["default-scheduler"] };

function podOf(spec: object = {}, more: object = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "shop", uid: "1" },
    spec: { schedulerName: "default-scheduler", containers: [], ...spec },
    ...more,
  } as Pod;
}

const ATTEMPT: ExplainedAttempt = {
  time: "2026-11-21T12:00:48Z",
  uid: "1",
  number: 3,
  profile: "default-scheduler",
  result: "unschedulable",
  message: "0/12 nodes are available: 1 node(s) were unschedulable, 11 Insufficient cpu.",
  nodes: 12,
  asked: 12,
  fitting: 0,
  rejected: [
    {
      plugin: "NodeResourcesFit",
      code: "unschedulable",
      reasons: ["Insufficient cpu"],
      advice: "free 500m of cpu",
      count: 11,
      nodes: Array.from({ length: 11 }, (_, i) => `n${i}`),
    },
    {
      plugin: "NodeUnschedulable",
      code: "unresolvable",
      reasons: ["node(s) were unschedulable"],
      advice: "uncordon the node",
      count: 1,
      nodes: ["n11"],
    },
  ],
};

function told(pod: Pod | undefined, known: Explanation | undefined): string[] {
  return explainText("shop/web", pod, known, NOW).split("\n").slice(0, -1);
}

test("explain tells per group of nodes why a pod has none, what would help, and when it is tried again", () => {
  const queue = {
    uid: "1",
    state: "unschedulable",
    attempts: 3,
    waitsFor: ["NodeResourcesFit", "NodeUnschedulable"],
    due: "2026-11-21T12:05:48Z",
  } as const;
  assert.deepEqual(told(podOf(), { ...PROFILES, queue, attempt: ATTEMPT }), [
    "Pod shop/web has no node.",
    "",
    "Attempt 3, 12 s ago: 0/12 nodes are available: 1 node(s) were unschedulable, 11 Insufficient cpu.",
    "",
    "11 nodes (n0, n1, n2, n3, n4, n5, n6, n7 and 3 more):",
    "  NodeResourcesFit: Insufficient cpu",
    "  to change: free 500m of cpu",
    "",
    "1 node (n11):",
    "  NodeUnschedulable: node(s) were unschedulable",
    "  to change: uncordon the node",
    "  evicting other pods would not help",
    "",
    "Tried again when something changes that may help NodeResourcesFit, NodeUnschedulable, at the latest 5 min from now.",
  ]);
});

test("explain tells how a node was chosen", () => {
  const attempt: ExplainedAttempt = {
    ...ATTEMPT,
    result: "scheduled",
    message: "Successfully assigned shop/web to n1",
    node: "n1",
    fitting: 2,
    rejected: [],
    top: [
      { node: "n1", total: 172.256, byPlugin: { NodeResourcesFit: 72.256, TaintToleration: 100 } },
      { node: "n10", total: 90, byPlugin: { NodeResourcesFit: 90, TaintToleration: 0 } },
    ],
  };
  assert.deepEqual(told(podOf({ nodeName: "n1" }), { ...PROFILES, attempt }), [
    "Pod shop/web is on node n1.",
    "",
    "Attempt 3, 12 s ago: Successfully assigned shop/web to n1",
    "Of 12 nodes, 12 were asked and 2 would do; the best:",
    "",
    "  NODE  SCORE   NodeResourcesFit  TaintToleration",
    "  n1    172.26  72.26             100",
    "  n10   90      90                0",
  ]);
});

test("explain says why no decision is known", () => {
  const second = (lines: string[]): string | undefined => lines[1]?.slice(0, 40);
  assert.deepEqual(told(undefined, PROFILES), ["There is no pod shop/web."]);
  assert.equal(second(told(podOf({ nodeName: "n1" }), PROFILES)), "The scheduler knows of no decision: the ");
  assert.equal(second(told(podOf(), undefined)), "No scheduler in the API server's process");
  assert.deepEqual(told(podOf({ schedulerName: "other" }), PROFILES), [
    'Pod shop/web has no node: it asks for the scheduler "other".',
    "The one that runs here looks after default-scheduler.",
  ]);
  assert.deepEqual(told(podOf({}, { status: { phase: "Failed" } }), PROFILES), [
    "Pod shop/web has ended (Failed) and needs no node.",
  ]);
  const deleted = podOf({}, { metadata: { name: "web", deletionTimestamp: "2026-11-21T12:00:00Z" } });
  assert.deepEqual(told(deleted, PROFILES), ["Pod shop/web is being deleted and gets no node any more."]);
});

test("explain does not take the decision about an earlier pod of the name for this one's", () => {
  const lines = told(podOf(), { ...PROFILES, attempt: { ...ATTEMPT, uid: "earlier" } });
  assert.equal(lines[1], "It was not tried yet, or the last attempt is too long ago to be known.");
  assert.equal(told(undefined, { ...PROFILES, attempt: ATTEMPT })[3]?.slice(0, 9), "Attempt 3");
});

test("explain tells the gates of a pod that is not tried", () => {
  const gate = {
    plugin: "SchedulingGates",
    code: "gated",
    reasons: ["waiting for scheduling gates: [a]"],
    advice: "take the scheduling gates a off the pod",
  } as const;
  const queue = { uid: "1", state: "gated", attempts: 0, waitsFor: [], gate } as const;
  assert.deepEqual(told(podOf(), { ...PROFILES, queue }), [
    "Pod shop/web is not tried yet: waiting for scheduling gates: [a].",
    "  to change: take the scheduling gates a off the pod",
  ]);
});

test("explain tells why a pod that was tried is not tried again yet", () => {
  const reasons = ["waiting for the preemption for this pod to be finished"];
  const gate = { plugin: "DefaultPreemption", code: "gated", reasons } as const;
  const queue = { uid: "1", state: "gated", attempts: 1, waitsFor: ["DefaultPreemption"], gate } as const;
  const lines = told(podOf(), { ...PROFILES, queue });
  assert.equal(lines[0], "Pod shop/web has no node.");
  assert.equal(lines.at(-1), "Not tried again yet: waiting for the preemption for this pod to be finished.");
});

test("explain knows pods alone", () => {
  assert.throws(() => explainVerb.parse({}, ["node", "a"]), UsageError);
  assert.deepEqual(explainVerb.parse({ namespace: "shop" }, ["pod", "web"]), {
    name: "web",
    namespace: "shop",
    kubeconfig: undefined,
  });
});

test("explain tells of a pod on a node what its containers wait for, and how they ended", () => {
  const crashed = {
    name: "app",
    ready: false,
    restartCount: 2,
    state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 20s restarting failed container" } },
    lastState: { terminated: { exitCode: 3, reason: "Error", finishedAt: "2026-11-21T12:00:40Z" } },
  };
  const unready = { name: "side", ready: false, restartCount: 0, state: { running: {} } };
  const fine = { name: "fine", ready: true, restartCount: 0, state: { running: {} } };
  const migrated = { name: "migrate", ready: false, restartCount: 0, state: { running: {} } };
  const done = { name: "done", ready: true, restartCount: 0, state: { terminated: { exitCode: 0 } } };
  const spec = { nodeName: "n1", initContainers: [{ name: "done" }, { name: "migrate" }] };
  const status = {
    initContainerStatuses: [done, migrated],
    containerStatuses: [crashed, unready, fine],
  };
  assert.deepEqual(told(podOf(spec, { status }), PROFILES).slice(0, -1), [
    "Pod shop/web is on node n1.",
    "",
    "Init container migrate runs; those behind it wait for its end.",
    "Container app waits: CrashLoopBackOff: back-off 20s restarting failed container.",
    "  it last ended 20 s ago with 3 (Error), after 2 restarts: `kubectl logs web -n shop -c app --previous`",
    "Container side runs, and is not ready.",
    "More may be in `kubectl events --for pod/web -n shop`.",
  ]);
  const evicted = { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." };
  const ended = { name: "app", state: { terminated: { exitCode: 137, reason: "OOMKilled" } } };
  assert.deepEqual(
    told(podOf(spec, { status: { ...evicted, containerStatuses: [ended] } }), PROFILES).slice(2, 4),
    ["Evicted: The node was low on resource: memory.", "Container app ended with 137 (OOMKilled)."],
  );
});

test("explain says nothing of containers that run", () => {
  const fine = { name: "fine", ready: true, restartCount: 1, state: { running: {} } };
  const lines = told(podOf({ nodeName: "n1" }, { status: { containerStatuses: [fine] } }), PROFILES);
  assert.equal(lines.length, 2);
});
