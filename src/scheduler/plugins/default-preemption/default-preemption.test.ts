import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../../api/core/pods.ts";
import type { KubeObject } from "../../../api/object.ts";
import { PodDisruptionBudget } from "../../../api/policy/pod-disruption-budget.ts";
import { AlignedRejections } from "../../cycle/aligned-rejections.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { NodeFilter, Plugin, PostFilterResult, Trial } from "../../framework/plugin.ts";
import { PodInfo } from "../../framework/pod-info.ts";
import type { Rejection } from "../../framework/rejection.ts";
import {
  asking,
  contextOf,
  cycleOf,
  isFilter,
  nodeNamed,
  podNamed,
  startPlugin,
  synced,
  type TestContext,
  TestNodes,
} from "../../testing/cluster.ts";
import { nodeResourcesFit } from "../node-resources-fit.ts";
import { defaultPreemption } from "./default-preemption.ts";
import { bestCandidate, candidateOf, selectVictims, splitByBudgets } from "./victims.ts";

const NOW = 1_700_000_000_000;
const small = (name: string) => nodeNamed(name, {}, { status: { allocatable: { cpu: "4", pods: "10" } } });

let made = 0;
const running = (node: string, cpu: string, priority: number, startTime = "2023-01-01T00:00:00Z"): Pod =>
  podNamed(
    `v${++made}`,
    { ...asking({ cpu }), nodeName: node, priority },
    { status: { startTime }, labels: { app: "v" } },
  );
const wanting = (cpu: string, priority: number, more = {}) =>
  podNamed(
    "p",
    { ...asking({ cpu }), priority, schedulerName: "default-scheduler", ...more },
    { uid: "preemptor" },
  );

class TestTrial implements Trial {
  readonly own = undefined;
  readonly prepared: NodeFilter[];
  readonly waiting: Map<string, PodInfo[]>;

  constructor(prepared: NodeFilter[], waiting = new Map<string, PodInfo[]>()) {
    this.prepared = prepared;
    this.waiting = waiting;
  }

  filter(filters: readonly NodeFilter[], node: NodeInfo): Rejection | undefined {
    for (const filter of filters) {
      const rejection = filter.filter(node);
      if (rejection) return rejection;
    }
    return undefined;
  }

  filters(): NodeFilter[] {
    return this.prepared.map((each) => each.clone?.() ?? each);
  }

  nominated(node: string, priority: number): readonly PodInfo[] {
    return (this.waiting.get(node) ?? []).filter((each) => each.priority >= priority);
  }
}

async function attempt(pod: Pod, nodes: TestNodes, waiting?: Map<string, PodInfo[]>) {
  const cycle = cycleOf(pod, nodes, NOW);
  const prepared = (await startPlugin(nodeResourcesFit)).prepareFilter?.(cycle);
  assert.ok(isFilter(prepared));
  const trial = new TestTrial([prepared], waiting);
  const said = nodes.list.map((node) => prepared.filter(node));
  const rejected = new AlignedRejections(nodes.list, said);
  return { cycle, trial, rejected };
}

async function preempt(plugin: Plugin, pod: Pod, nodes: TestNodes, waiting?: Map<string, PodInfo[]>) {
  const { cycle, trial, rejected } = await attempt(pod, nodes, waiting);
  return (await plugin.postFilter?.(cycle, rejected, trial)) as PostFilterResult;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sent = ({ requests }: TestContext) => requests.map(({ method, path }) => `${method} ${path}`);

test("DefaultPreemption evicts the fewest pods of less priority and nominates their node", async () => {
  const [low, lower, peer] = [running("a", "1", 5), running("a", "2", 1), running("a", "1", 10)];
  const nodes = new TestNodes([small("a")], [low, lower, peer]);
  const context = await contextOf({}, nodes);
  const plugin = await startPlugin(defaultPreemption, undefined, context);
  const result = await preempt(plugin, wanting("2", 10), nodes);
  assert.deepEqual(result, { nominate: "a", message: "", victims: 1 });
  await settled();
  const path = `/api/v1/namespaces/default/pods/${lower.metadata.name}`;
  assert.deepEqual(sent(context), [`PATCH ${path}/status`, `DELETE ${path}`]);
  assert.deepEqual(context.requests[0]?.body, {
    metadata: { uid: lower.metadata.uid },
    status: {
      conditions: [
        {
          type: "DisruptionTarget",
          status: "True",
          reason: "PreemptionByScheduler",
          message: "default-scheduler: preempting to accommodate a higher priority pod",
          lastTransitionTime: "2023-11-14T22:13:20Z",
          observedGeneration: 1,
        },
      ],
    },
  });
  assert.deepEqual((context.requests[1]!.body as { preconditions: unknown }).preconditions, {
    uid: lower.metadata.uid,
  });
});

test("DefaultPreemption tells why it does not help", async () => {
  const nodes = new TestNodes(
    [
      small("full"),
      small("equal"),
      nodeNamed("tiny", {}, { status: { allocatable: { cpu: "1", pods: "1" } } }),
    ],
    [running("full", "1", 1), running("full", "3", 10), running("equal", "4", 10)],
  );
  const plugin = await startPlugin(defaultPreemption);
  assert.deepEqual(await preempt(plugin, wanting("3", 10), nodes), {
    nominate: "",
    message:
      "preemption: 0/3 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
  });
});

test("DefaultPreemption leaves others alone for a pod whose policy is Never", async () => {
  const nodes = new TestNodes([small("a")], [running("a", "4", 1)]);
  const plugin = await startPlugin(defaultPreemption);
  assert.deepEqual(await preempt(plugin, wanting("1", 10, { preemptionPolicy: "Never" }), nodes), {
    message: "preemption: not eligible due to preemptionPolicy=Never.",
  });
});

test("DefaultPreemption waits for the victims it has chosen, and for those that it finds on their way out", async () => {
  const victim = running("a", "4", 1);
  const nodes = new TestNodes([small("a"), small("b")], [victim, running("b", "4", 1)]);
  const context = await contextOf({}, nodes);
  const plugin = await startPlugin(defaultPreemption, undefined, context);
  const pod = wanting("4", 10);
  const first = await preempt(plugin, pod, nodes);
  assert.equal(first.nominate, "a");
  const barred = { message: "preemption: not eligible due to a terminating pod on the nominated node." };
  assert.deepEqual(await preempt(plugin, pod, nodes), barred);
  assert.equal(context.requests.length <= 2, true);

  victim.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  victim.status = {
    conditions: [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" }],
  };
  const restarted = await startPlugin(defaultPreemption, undefined, context);
  assert.deepEqual(await preempt(restarted, { ...pod, status: { nominatedNodeName: "a" } }, nodes), barred);
});

test("DefaultPreemption takes nominations of less priority from the node", async () => {
  const nodes = new TestNodes([small("a")], [running("a", "4", 1)]);
  const context = await contextOf({}, nodes);
  const plugin = await startPlugin(defaultPreemption, undefined, context);
  const waiting = [podNamed("less", { priority: 5 }), podNamed("more", { priority: 20 })];
  await preempt(plugin, wanting("4", 10), nodes, new Map([["a", waiting.map((each) => new PodInfo(each))]]));
  await settled();
  const cleared = context.requests.filter(({ path }) => path.endsWith("/less/status"));
  assert.deepEqual(
    cleared.map(({ body }) => body),
    [{ status: { nominatedNodeName: null } }],
  );
  assert.equal(
    sent(context).some((line) => line.includes("/more/")),
    false,
  );
});

test("DefaultPreemption prefers victims that no disruption budget protects", async () => {
  const [guarded, free] = [running("a", "4", 1), running("b", "4", 1)];
  guarded.metadata.labels = { app: "guarded" };
  const budget = {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "b", namespace: "default" },
    spec: { selector: { matchLabels: { app: "guarded" } } },
    status: { disruptionsAllowed: 0 },
  } as unknown as KubeObject;
  const nodes = new TestNodes([small("a"), small("b")], [guarded, free]);
  const context = await contextOf({ poddisruptionbudgets: [budget] }, nodes);
  const plugin = await startPlugin(defaultPreemption, undefined, context);
  await synced(context, PodDisruptionBudget);
  assert.equal((await preempt(plugin, wanting("4", 10), nodes)).nominate, "b");
  // Where there is no other way, a budget does not save them.
  const only = new TestNodes([small("a")], [guarded]);
  assert.equal(
    (await preempt(plugin, podNamed("q", { ...asking({ cpu: "4" }), priority: 9 }), only)).nominate,
    "a",
  );
  await context.informers.stop();
});

test("splitByBudgets counts each pod against the budgets that mean it, in order", () => {
  const pods = [1, 2, 3].map((i) => new PodInfo(podNamed(`p${i}`, {}, { labels: { app: "v" } })));
  const selector = { everything: false, requirements: [], matches: () => true };
  const budget = { namespace: "default", selector, allowed: 1, disrupted: new Set(["p1"]) };
  const { violating, allowed } = splitByBudgets(pods, [budget]);
  assert.deepEqual(
    [violating, allowed].map((each) => each.map(({ key }) => key)),
    [["default/p3"], ["default/p1", "default/p2"]],
  );
});

test("selectVictims spares the most important pods that can stay", async () => {
  const [young, old] = [
    running("a", "2", 1, "2023-06-01T00:00:00Z"),
    running("a", "2", 1, "2023-01-01T00:00:00Z"),
  ];
  const nodes = new TestNodes([small("a")], [young, old]);
  const { cycle, trial } = await attempt(wanting("2", 10), nodes);
  const selected = selectVictims(cycle, trial, nodes.at("a"), []);
  assert.ok("victims" in selected);
  assert.deepEqual(
    selected.victims.map(({ pod }) => pod.metadata.name),
    [young.metadata.name],
  );
});

test("bestCandidate compares violations, priorities, their sum, numbers and ages, in this order", () => {
  const of = (node: string, violations: number, ...victims: [number, string?][]) =>
    candidateOf(
      node,
      victims.map(([priority, start]) => new PodInfo(running("x", "1", priority, start))),
      violations,
    );
  const best = (...candidates: ReturnType<typeof of>[]) => bestCandidate(candidates)?.node;
  assert.equal(best(of("a", 1, [1]), of("b", 0, [9])), "b");
  assert.equal(best(of("a", 0, [5]), of("b", 0, [4], [4])), "b");
  assert.equal(best(of("a", 0, [5], [2]), of("b", 0, [5], [1])), "b");
  assert.equal(best(of("a", 0, [5], [-5]), of("b", 0, [5])), "b");
  assert.equal(best(of("a", 0, [5, "2023-01-01T00:00:00Z"]), of("b", 0, [5, "2023-02-01T00:00:00Z"])), "b");
  assert.equal(best(of("a", 0, [5]), of("b", 0, [5])), "a");
  assert.equal(best(), undefined);
});

test("DefaultPreemption looks again at a node that changed since it looked for a like pod", async () => {
  const guard = running("a", "4", 10);
  const nodes = new TestNodes([small("a")], [guard]);
  const plugin = await startPlugin(defaultPreemption, undefined, await contextOf({}, nodes));
  const like = (name: string) => podNamed(name, { ...asking({ cpu: "4" }), priority: 10 });
  assert.equal((await preempt(plugin, like("p"), nodes)).nominate, "");
  assert.equal((await preempt(plugin, like("q"), nodes)).nominate, "");
  nodes.at("a").removePod(`default/${guard.metadata.name}`);
  nodes.add(running("a", "4", 1));
  assert.equal((await preempt(plugin, like("r"), nodes)).nominate, "a");
  const less = podNamed("s", { ...asking({ cpu: "4" }), priority: 1 });
  assert.equal((await preempt(plugin, less, nodes)).nominate, "");
});
