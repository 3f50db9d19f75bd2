import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../base/random.ts";
import { Cache } from "../cache/cache.ts";
import type { Cycle, NodeFilter } from "../framework/plugin.ts";
import { PodInfo } from "../framework/pod-info.ts";
import { type Rejection, reject } from "../framework/rejection.ts";
import { Nominator } from "../queue/nominator.ts";
import { makeNode, makePod, makeProfile } from "../testing/make.ts";
import { AlignedRejections } from "./aligned-rejections.ts";
import { messageOf } from "./diagnosis.ts";
import { NodeRanking } from "./node-ranking.ts";
import { NodeSearch, nodesToFind, type Prepared, prepare } from "./node-search.ts";

const CPU = reject("Fit", "unschedulable", "Insufficient cpu");
const CORDON = reject("Cordon", "unresolvable", "node(s) were unschedulable");

function cacheOf(count: number): Cache {
  const cache = new Cache();
  for (let i = 0; i < count; i++) cache.setNode(makeNode(`n${i}`));
  return cache;
}

function cycleOf(cache: Cache, pod = makePod("web", { requests: { cpu: "1" } })): Cycle {
  return { info: new PodInfo(pod), pod, nodes: cache, now: 0, state: new Map() };
}

/** Takes nodes that have the processors left. */
function fit(milliCPU: number): NodeFilter {
  return {
    filter: ({ allocatable, requested }) =>
      requested.milliCPU + milliCPU > allocatable.milliCPU ? CPU : undefined,
  };
}

test("nodesToFind is upstream's share of the nodes", () => {
  for (const [nodes, percentage, expected] of [
    [10, undefined, 10],
    [99, 5, 99],
    [100, undefined, 100],
    [1000, undefined, 420],
    [5000, undefined, 500],
    [6000, undefined, 300],
    [20_000, undefined, 1000],
    [1000, 1, 100],
    [1000, 100, 1000],
    [1000, 40, 400],
  ] as const) {
    assert.equal(nodesToFind(nodes, percentage), expected, `${nodes} ${percentage}`);
  }
});

test("a search stops when enough nodes are found, and the next goes on where it ended", () => {
  const cache = cacheOf(10);
  const search = new NodeSearch(new Nominator(() => {}));
  const prepared = { profile: "p", filters: [], nodes: cache.list };
  const found = (): string[] => search.found.slice(0, search.count).map(({ name }) => name);
  search.run(cycleOf(cache), prepared, 4);
  assert.deepEqual(found(), ["n0", "n1", "n2", "n3"]);
  search.run(cycleOf(cache), prepared, 4);
  assert.deepEqual(found(), ["n4", "n5", "n6", "n7"]);
  search.run(cycleOf(cache), prepared, 4);
  assert.deepEqual(found(), ["n8", "n9", "n0", "n1"]);
});

test("a search keeps the room of pods nominated to a node, but not from those of more priority", () => {
  const cache = cacheOf(1);
  const nominator = new Nominator((node) => cache.get(node)?.changed());
  nominator.nominate(new PodInfo(makePod("first", { priority: 5, requests: { cpu: "4" } })), "n0");
  const search = new NodeSearch(nominator);
  const filters = [fit(1000)];
  const fits = (name: string, priority: number): number => {
    const cycle = cycleOf(cache, makePod(name, { priority, requests: { cpu: "1" } }));
    search.run(cycle, { profile: "p", filters, nodes: cache.list }, 1);
    return search.count;
  };
  assert.equal(fits("lower", 4), 0);
  assert.equal(fits("equal", 5), 0);
  assert.equal(fits("higher", 6), 1);
  assert.equal(fits("first", 5), 1, "its own nomination is no obstacle");
});

test("a search asks for twins of pods that found no node only the nodes that changed since", () => {
  const cache = cacheOf(3);
  const nominator = new Nominator((node) => cache.get(node)?.changed());
  const search = new NodeSearch(nominator);
  const asked: string[] = [];
  const inner = fit(3000);
  const filter: NodeFilter = {
    filter: (node) => {
      asked.push(node.name);
      return inner.filter(node);
    },
    twin: () => "three processors",
  };
  /** The nodes that would do, and those that were asked. */
  const run = (name: string, priority = 0): [string[], string[]] => {
    const pod = makePod(name, { priority, requests: { cpu: "3" } });
    asked.length = 0;
    search.run(cycleOf(cache, pod), { profile: "p", filters: [filter], nodes: cache.list }, 3);
    return [search.found.slice(0, search.count).map((node) => node.name), [...asked]];
  };
  const holder = (name: string): PodInfo => new PodInfo(makePod(name, { requests: { cpu: "2" } }));
  for (const i of [0, 1, 2]) cache.assume(holder(`h${i}`), `n${i}`);
  for (let i = 0; i < 2; i++) assert.deepEqual(run("a"), [[], ["n0", "n1", "n2"]]);
  assert.deepEqual(run("b"), [[], []]);
  cache.forget("uid-h1");
  assert.deepEqual(run("c"), [["n1"], ["n1"]]);
  assert.deepEqual(run("d"), [["n1"], []]);
  // Once as it is, and once with the pod that is to get it.
  nominator.nominate(new PodInfo(makePod("e", { priority: 5, requests: { cpu: "3" } })), "n1");
  assert.deepEqual(run("f"), [[], ["n1", "n1"]]);
  assert.deepEqual(run("g"), [[], []]);
  assert.deepEqual(run("e", 5), [["n1"], []]);
  assert.deepEqual(run("h", 6), [["n1"], []]);
  assert.deepEqual(run("i"), [[], ["n1"]]);
  nominator.remove("uid-e");
  assert.deepEqual(run("j"), [["n1"], ["n1"]]);
});

test("prepare asks each plugin once and narrows the nodes to those that all of them name", () => {
  const cache = cacheOf(4);
  const only = (...names: string[]) => ({
    prepareFilter: () => ({ only: new Set(names), filter: () => undefined }),
  });
  const two = makeProfile({ A: only("n0", "n1", "gone"), B: only("n1", "n2") });
  const prepared = prepare(cycleOf(cache), two) as Prepared;
  assert.deepEqual(
    prepared.nodes.map(({ name }) => name),
    ["n1"],
  );
  assert.deepEqual(prepared.outside?.reasons, ["node(s) didn't satisfy plugin(s) [A B]"]);
  assert.match(prepared.outside?.advice?.() ?? "", /^the pod asks by name for n1: /);
  const none = prepare(cycleOf(cache), makeProfile({ B: only("n0"), A: only("n1") })) as Rejection;
  assert.deepEqual(none.reasons, ["node(s) didn't satisfy plugin(s) [A B] simultaneously"]);
  const single = prepare(cycleOf(cache), makeProfile({ A: only() })) as Rejection;
  assert.deepEqual(single.reasons, ["node(s) didn't satisfy plugin A"]);
  assert.equal(prepare(cycleOf(cache), makeProfile({ A: { prepareFilter: () => CPU } })), CPU);
});

test("a search that finds nothing tells of every node why, also of those that were not asked", () => {
  const cache = cacheOf(3);
  const search = new NodeSearch(new Nominator(() => {}));
  const outside = reject("A", "unresolvable", "node(s) didn't satisfy plugin(s) [A]");
  const prepared = { profile: "p", filters: [{ filter: () => CPU }], nodes: [cache.get("n1")!], outside };
  search.run(cycleOf(cache), prepared, 1);
  const rejected = search.rejections(cycleOf(cache), prepared);
  const told: string[] = [];
  rejected.forEach(({ plugin }, { name }) => {
    told.push(`${name} ${plugin}`);
  });
  assert.deepEqual(told.sort(), ["n0 A", "n1 Fit", "n2 A"]);
  assert.equal(rejected.get(cache.get("n1")!), CPU);
  assert.equal(rejected.size, 3);
});

test("rejections of a search are counted, and tell which nodes say so with one code", () => {
  const { list } = cacheOf(6);
  const withCode = (...said: (Rejection | undefined)[]) => {
    const rejections = new AlignedRejections(list, said);
    const names = rejections.withCode("unschedulable").map(({ name }) => name);
    return [
      rejections.size,
      [...rejections.counts].map(([{ plugin }, count]) => `${plugin} ${count}`),
      names,
    ];
  };
  assert.deepEqual(withCode(CPU, CPU, CORDON, undefined, CORDON, CPU), [
    5,
    ["Fit 3", "Cordon 2"],
    ["n0", "n1", "n5"],
  ]);
  assert.deepEqual(withCode(CPU, CPU, CPU, CPU, CPU, CPU), [6, ["Fit 6"], list.map(({ name }) => name)]);
  assert.deepEqual(withCode(CPU, CPU, undefined, CPU, CPU, CPU)[2], ["n0", "n1", "n3", "n4", "n5"]);
  assert.deepEqual(withCode(undefined, CORDON, CORDON, CORDON, CORDON, CORDON), [5, ["Cordon 5"], []]);
  assert.deepEqual(withCode(undefined, undefined, undefined, undefined, undefined, undefined), [0, [], []]);
});

test("messageOf counts reasons as upstream does, and sorts them with their numbers as texts", () => {
  const cache = cacheOf(13);
  const both = reject("Fit", "unschedulable", ["Insufficient cpu", "Insufficient memory"]);
  const said = cache.list.map((_, i) => (i === 0 ? CORDON : i < 3 ? both : CPU));
  const { counts } = new AlignedRejections(cache.list, said);
  assert.equal(
    messageOf({ nodes: 13, counts }, "preemption: 0/13 nodes are available: 13 No preemption victims found."),
    "0/13 nodes are available: 1 node(s) were unschedulable, 12 Insufficient cpu, 2 Insufficient memory. preemption: 0/13 nodes are available: 13 No preemption victims found.",
  );
  const everywhere = reject("Volumes", "unresolvable", ['persistentvolumeclaim "data" not found']);
  assert.equal(
    messageOf({ nodes: 13, everywhere, counts }),
    '0/13 nodes are available: persistentvolumeclaim "data" not found.',
  );
  assert.equal(messageOf({ nodes: 0, counts: new Map() }), "no nodes available to schedule pods");
});

test("a ranking takes the node of the highest weighted sum, and tells the next best", () => {
  const cache = cacheOf(4);
  const scores = (...values: number[]) => ({
    prepareScore: () => ({ score: ({ name }: { name: string }) => values[Number(name.slice(1))]! }),
  });
  const profile = makeProfile({
    A: { ...scores(10, 20, 30, 0), weight: 1 },
    B: { ...scores(50, 0, 10, 30), weight: 2 },
    Silent: { prepareScore: () => undefined },
    Halved: {
      prepareScore: () => ({
        score: () => 100,
        normalize: (values) =>
          values.forEach((value, i) => {
            values[i] = value / 2;
          }),
      }),
    },
  });
  const ranking = new NodeRanking(() => 0);
  const best = ranking.best(cycleOf(cache), profile, cache.list);
  assert.equal(best.name, "n0");
  assert.deepEqual(ranking.top(cache.list, best), [
    { node: "n0", total: 160, byPlugin: { A: 10, B: 100, Halved: 50 } },
    { node: "n3", total: 110, byPlugin: { A: 0, B: 60, Halved: 50 } },
    { node: "n2", total: 100, byPlugin: { A: 30, B: 20, Halved: 50 } },
  ]);
  const extra = new Float64Array([0, 1000, 0, 0]);
  assert.equal(ranking.best(cycleOf(cache), profile, cache.list, extra).name, "n1");
});

test("a ranking takes each of equal nodes as often as the others", () => {
  const cache = cacheOf(4);
  const ranking = new NodeRanking(seededRandom(1));
  const taken = new Map<string, number>();
  for (let i = 0; i < 4000; i++) {
    const { name } = ranking.best(cycleOf(cache), makeProfile({}), cache.list);
    taken.set(name, (taken.get(name) ?? 0) + 1);
  }
  for (const count of taken.values()) assert.ok(count > 850 && count < 1150, String([...taken]));
  assert.equal(taken.size, 4);
});
