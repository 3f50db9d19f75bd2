import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cycleOf, nodeNamed, podNamed, TestNodes } from "../testing/cluster.ts";
import { type DomainCounts, DomainCountsCache, TriedCounts } from "./domain-counts.ts";
import { NodeInfo } from "./node-info.ts";
import { PodInfo } from "./pod-info.ts";

const WEB = { isCounted: ({ pod }: PodInfo) => pod.metadata.labels?.app === "web" };
const podOf = (name: string, app: string, node: string) =>
  podNamed(name, { nodeName: node }, { labels: { app } });

function countsOf(cache: DomainCountsCache, nodes: TestNodes): DomainCounts {
  cache.sync(cycleOf(podNamed("asking"), nodes));
  return cache.of("web", "zone", () => WEB);
}

/** What one finds who looks at every pod. */
function counted(nodes: TestNodes): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { node, pods } of nodes.list) {
    const zone = node.metadata.labels?.zone;
    if (zone === undefined) continue;
    found[zone] = (found[zone] ?? 0) + [...pods.values()].filter(WEB.isCounted).length;
  }
  return found;
}

const nodeAt = (i: number, zone: number) => nodeNamed(`n${i}`, zone === 0 ? {} : { zone: `z${zone}` });
const change = fc.oneof(
  fc.record({ kind: fc.constant("pod"), node: fc.nat(5), app: fc.constantFrom("web", "db") }),
  fc.record({ kind: fc.constant("gone"), node: fc.nat(5) }),
  fc.record({ kind: fc.constant("label"), node: fc.nat(5), zone: fc.nat(3) }),
  fc.record({ kind: fc.constant("leave"), node: fc.nat(5) }),
  fc.record({ kind: fc.constant("join"), node: fc.nat(5), zone: fc.nat(3) }),
  fc.record({ kind: fc.constant("look") }),
);

function apply(
  nodes: TestNodes,
  each: { kind: string; node?: number; app?: string; zone?: number },
  i: number,
): void {
  const { kind, node = 0, app = "", zone = 0 } = each;
  const known = nodes.get(`n${node}`);
  if (kind === "join" && !known) nodes.list = [new NodeInfo(nodeAt(node, zone)), ...nodes.list];
  if (!known) return;
  if (kind === "pod") known.addPod(new PodInfo(podOf(`p${i}`, app, known.name)));
  if (kind === "gone") known.removePod([...known.pods.keys()][0] ?? "");
  if (kind === "label") known.setNode(nodeAt(node, zone));
  if (kind === "leave") nodes.list = nodes.list.filter((one) => one !== known);
}

test("DomainCounts that follow changes are those that one finds who looks at every pod", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const nodes = new TestNodes([nodeAt(0, 1), nodeAt(1, 1), nodeAt(2, 2)]);
      const cache = new DomainCountsCache();
      for (const [i, each] of [...changes, { kind: "look" }].entries()) {
        apply(nodes, each, i);
        if (each.kind !== "look") continue;
        const counts = countsOf(cache, nodes);
        const expected = counted(nodes);
        const found = [...counts.domains].map(([domain, { pods }]) => [domain, pods]);
        assert.deepEqual(Object.fromEntries(found), expected);
        const values = Object.values(expected);
        assert.equal(
          counts.total,
          values.reduce((sum, pods) => sum + pods, 0),
        );
        assert.equal(new TriedCounts(counts).least, values.length > 0 ? Math.min(...values) : 0);
      }
    }),
  );
});

test("DomainCounts that were not asked for long are right when they are asked again", () => {
  const nodes = new TestNodes([nodeAt(0, 1), nodeAt(1, 2)]);
  const cache = new DomainCountsCache();
  assert.equal(countsOf(cache, nodes).podsIn("z1"), 0);
  for (let i = 0; i < 5000; i++) {
    nodes.at("n0").addPod(new PodInfo(podOf(`p${i % 7}`, "web", "n0")));
    cache.sync(cycleOf(podNamed("other"), nodes));
  }
  assert.equal(countsOf(cache, nodes).podsIn("z1"), 7);
});

test("TriedCounts change with the pods tried and leave the counts alone", () => {
  const nodes = new TestNodes([nodeAt(0, 1), nodeAt(1, 2)], [podOf("there", "web", "n0")]);
  const counts = countsOf(new DomainCountsCache(), nodes);
  const tried = new TriedCounts(counts);
  tried.change(new PodInfo(podOf("more", "web", "n1")), nodes.at("n1"), 1);
  tried.change(new PodInfo(podOf("other", "db", "n1")), nodes.at("n1"), 1);
  assert.deepEqual([tried.podsIn("z2"), tried.least, tried.total], [1, 1, 2]);
  const again = tried.clone();
  again.change(new PodInfo(podOf("there", "web", "n0")), nodes.at("n0"), -1);
  assert.deepEqual([again.podsIn("z1"), again.least, tried.least], [0, 0, 1]);
  assert.deepEqual([counts.podsIn("z2"), counts.total], [0, 1]);
});
