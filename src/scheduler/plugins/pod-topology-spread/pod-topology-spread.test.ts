import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Node } from "../../../api/core/node.ts";
import type { Pod } from "../../../api/core/pods.ts";
import { Service } from "../../../api/core/services.ts";
import type { KubeObject } from "../../../api/object.ts";
import type { PodSpec, TopologySpreadConstraint } from "../../../api/schema/core.v1.generated.ts";
import { ConfigurationError } from "../../framework/plugin.ts";
import { PodInfo } from "../../framework/pod-info.ts";
import {
  contextOf,
  cycleOf,
  isFilter,
  mayHelp,
  nodeNamed,
  podNamed,
  reasons,
  scores,
  startPlugin,
  synced,
  TestNodes,
} from "../../testing/cluster.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";

const SKEWED = "node(s) didn't match pod topology spread constraints";
const MISSING = `${SKEWED} (missing required label)`;
const LABELS = { app: "web" };

function spreading(more: Partial<TopologySpreadConstraint> = {}, spec: Partial<PodSpec> = {}): Pod {
  const constraint: TopologySpreadConstraint = {
    topologyKey: "zone",
    maxSkew: 1,
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: { matchLabels: LABELS },
    ...more,
  };
  return podNamed("p", { ...spec, topologySpreadConstraints: [constraint] }, { labels: LABELS });
}

let made = 0;
const web = (node: string, more: { namespace?: string; labels?: Record<string, string> } = {}) =>
  podNamed(`web-${++made}`, { nodeName: node }, { labels: LABELS, ...more });
const inZones = (zones: Record<string, string>): Node[] =>
  Object.entries(zones).map(([name, zone]) => nodeNamed(name, { zone }));
const filtered = async (pod: Pod, nodes: TestNodes) =>
  reasons(await startPlugin(podTopologySpread), cycleOf(pod, nodes));

test("PodTopologySpread keeps a pod out of domains that would have too many more than others", async () => {
  const nodes = new TestNodes(inZones({ a: "1", b: "1", c: "2" }), [web("a")]);
  assert.deepEqual(await filtered(spreading(), nodes), { a: SKEWED, b: SKEWED, c: undefined });
  assert.deepEqual(await filtered(spreading({ maxSkew: 2 }), nodes), {
    a: undefined,
    b: undefined,
    c: undefined,
  });
});

test("PodTopologySpread counts only pods of the namespace that match and are not on their way out", async () => {
  const leaving = web("a");
  leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  const others = [leaving, web("a", { namespace: "other" }), web("a", { labels: { app: "db" } })];
  const nodes = new TestNodes(inZones({ a: "1", c: "2" }), others);
  assert.equal((await filtered(spreading(), nodes)).a, undefined);
});

test("PodTopologySpread tells nodes that lack the label", async () => {
  const nodes = new TestNodes([...inZones({ a: "1" }), nodeNamed("bare")]);
  assert.deepEqual(await filtered(spreading(), nodes), { a: undefined, bare: MISSING });
});

test("PodTopologySpread takes the fewest for none until there are minDomains", async () => {
  const nodes = new TestNodes(inZones({ a: "1", c: "2" }), [web("a"), web("c")]);
  assert.equal((await filtered(spreading({ minDomains: 2 }), nodes)).a, undefined);
  assert.equal((await filtered(spreading({ minDomains: 3 }), nodes)).a, SKEWED);
});

test("PodTopologySpread leaves out nodes that the pod cannot go to, as its policies say", async () => {
  const tainted = nodeNamed("t", { zone: "3" }, { spec: { taints: [{ key: "x", effect: "NoSchedule" }] } });
  const nodes = new TestNodes([...inZones({ a: "1", c: "2" }), tainted], [web("a")]);
  const elsewhere = { nodeSelector: { "kubernetes.io/hostname": "a" } };
  assert.equal((await filtered(spreading({}, elsewhere), nodes)).a, undefined);
  assert.equal((await filtered(spreading({ nodeAffinityPolicy: "Ignore" }, elsewhere), nodes)).a, SKEWED);
  const onTwo = new TestNodes([...inZones({ a: "1" }), tainted], [web("a")]);
  assert.equal((await filtered(spreading(), onTwo)).a, SKEWED);
  assert.equal((await filtered(spreading({ nodeTaintsPolicy: "Honor" }), onTwo)).a, undefined);
});

test("PodTopologySpread counts only pods with the same values of matchLabelKeys", async () => {
  const nodes = new TestNodes(inZones({ a: "1", c: "2" }), [
    web("a", { labels: { ...LABELS, hash: "old" } }),
  ]);
  const pod = spreading({ matchLabelKeys: ["hash"] });
  pod.metadata.labels = { ...LABELS, hash: "new" };
  assert.equal((await filtered(pod, nodes)).a, undefined);
  assert.equal((await filtered(spreading(), nodes)).a, SKEWED);
});

test("PodTopologySpread prefers the domains with the fewest pods", async () => {
  const nodes = new TestNodes(inZones({ a: "1", b: "1", c: "2", d: "3" }), [web("a"), web("a"), web("c")]);
  const plugin = await startPlugin(podTopologySpread);
  const pod = spreading({ whenUnsatisfiable: "ScheduleAnyway" });
  // Three zones weigh ln 5: 2, 2, 1 and 0 pods are 3, 3, 2 and 0.
  assert.deepEqual(scores(plugin, cycleOf(pod, nodes)), { a: 0, b: 0, c: 33, d: 100 });
  assert.equal(scores(plugin, cycleOf(podNamed("q"), nodes)), undefined);
});

test("PodTopologySpread gives nothing to nodes without the label", async () => {
  const nodes = new TestNodes([...inZones({ a: "1", c: "2" }), nodeNamed("bare")], [web("a")]);
  const plugin = await startPlugin(podTopologySpread);
  const pod = spreading({ whenUnsatisfiable: "ScheduleAnyway" });
  assert.deepEqual(scores(plugin, cycleOf(pod, nodes)), { a: 0, c: 100, bare: 0 });
});

const service = (selector: Record<string, string>): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `s-${selector.app}`, namespace: "default" },
    spec: { selector },
  }) as never;

async function withServices(...services: KubeObject[]) {
  const context = await contextOf({ services });
  const plugin = await startPlugin(podTopologySpread, undefined, context);
  await synced(context, Service);
  return { plugin, stop: () => context.informers.stop() };
}

test("PodTopologySpread spreads pods of one Service over hosts and zones where they do not say", async () => {
  const nodes = new TestNodes(
    [
      nodeNamed("a", { "topology.kubernetes.io/zone": "1" }),
      nodeNamed("b", { "topology.kubernetes.io/zone": "1" }),
      nodeNamed("c", { "topology.kubernetes.io/zone": "2" }),
    ],
    [web("a"), web("a"), web("a")],
  );
  const { plugin, stop } = await withServices(service(LABELS), service({ app: "db" }));
  const of = (labels: Record<string, string>) =>
    scores(plugin, cycleOf(podNamed("p", {}, { labels }), nodes));
  // By host ln 5 and skew 3, by zone ln 4 and skew 5: a (3, 3) 15, b (0, 3) 10, c (0, 0) 6.
  assert.deepEqual(of(LABELS), { a: 40, b: 73, c: 100 });
  assert.equal(of({ app: "other" }), undefined);
  await stop();
});

test("PodTopologySpread refuses arguments that make no sense", async () => {
  for (const [args, message] of [
    [{ defaultingType: "Other" }, /^defaultingType: Unsupported value: "Other"/],
    [
      { defaultConstraints: [{ topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway" }] },
      /^defaultingType: Invalid value: "System": when \.defaultConstraints are not empty/,
    ],
    [
      {
        defaultingType: "List",
        defaultConstraints: [{ topologyKey: "zone", maxSkew: 0, whenUnsatisfiable: "ScheduleAnyway" }],
      },
      /^defaultConstraints\[0\]\.maxSkew: Invalid value: 0/,
    ],
  ] as const) {
    await assert.rejects(
      startPlugin(podTopologySpread, args),
      (error) => error instanceof ConfigurationError && message.test(error.message),
    );
  }
});

test("PodTopologySpread looks again when a pod that counts comes or goes, or a domain does", async () => {
  const plugin = await startPlugin(podTopologySpread);
  const waiting = spreading();
  assert.equal(mayHelp(plugin, "pods", waiting, { was: web("a") }), true);
  assert.equal(mayHelp(plugin, "pods", waiting, { now: web("a") }), true);
  assert.equal(mayHelp(plugin, "pods", waiting, { now: web("a", { labels: { app: "db" } }) }), false);
  assert.equal(mayHelp(plugin, "pods", waiting, { now: web("a", { namespace: "other" }) }), false);
  assert.equal(mayHelp(plugin, "nodes", waiting, { now: nodeNamed("n", { zone: "9" }) }), true);
  assert.equal(mayHelp(plugin, "nodes", waiting, { now: nodeNamed("n") }), false);
});

const place = fc.record({ node: fc.nat(4), app: fc.constantFrom("web", "db"), leaves: fc.boolean() });

test("PodTopologySpread judges alike whether pods are tried on a clone or there when it prepares", async () => {
  const [plugin, other] = [await startPlugin(podTopologySpread), await startPlugin(podTopologySpread)];
  const nodes = [...inZones({ n0: "1", n1: "1", n2: "2", n3: "3" }), nodeNamed("n4")];
  const podAt = ({ node, app, leaves }: { node: number; app: string; leaves: boolean }, i: number): Pod => {
    const pod = podNamed(`x${i}`, { nodeName: `n${node}` }, { labels: { app } });
    if (leaves) pod.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
    return pod;
  };
  fc.assert(
    fc.property(
      fc.array(place, { maxLength: 12 }),
      fc.array(place, { maxLength: 4 }),
      fc.nat(6),
      fc.integer({ min: 1, max: 4 }),
      (there, coming, going, minDomains) => {
        const pods = there.map(podAt);
        const more = coming.map((each, i) => podAt(each, i + 100));
        const pod = spreading({ minDomains });
        const before = new TestNodes(nodes, pods);
        const prepared = plugin.prepareFilter?.(cycleOf(pod, before));
        assert.ok(isFilter(prepared));
        const untouched = before.list.map((node) => prepared.filter(node)?.reasons);
        const tried = prepared.clone!();
        const gone = pods.slice(0, going);
        for (const each of gone) tried.removePod?.(new PodInfo(each), before.at(each.spec?.nodeName ?? ""));
        for (const each of more) tried.addPod?.(new PodInfo(each), before.at(each.spec?.nodeName ?? ""));
        const after = new TestNodes(nodes, [...pods.slice(going), ...more]);
        const anew = other.prepareFilter?.(cycleOf(pod, after));
        assert.ok(isFilter(anew));
        assert.deepEqual(
          before.list.map((node) => tried.filter(node)?.reasons),
          after.list.map((node) => anew.filter(node)?.reasons),
        );
        assert.deepEqual(
          before.list.map((node) => prepared.filter(node)?.reasons),
          untouched,
        );
      },
    ),
  );
});

test("PodTopologySpread that has seen nodes change judges as one that sees them first", async () => {
  const old = await startPlugin(podTopologySpread);
  const zones = ["1", "2", "3", undefined];
  const change = fc.oneof(
    fc.record({ pod: fc.constantFrom("web", "db"), node: fc.nat(3) }),
    fc.record({ remove: fc.nat(3) }),
    fc.record({ label: fc.nat(3), zone: fc.constantFrom(...zones) }),
    fc.record({ replace: fc.nat(3) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
      const nodes = new TestNodes(inZones({ n0: "1", n1: "2", n2: "3", n3: "3" }));
      let count = 0;
      for (const each of changes) {
        if ("pod" in each) {
          nodes.add(podNamed(`y${++count}`, { nodeName: `n${each.node}` }, { labels: { app: each.pod } }));
        } else if ("remove" in each) {
          const node = nodes.at(`n${each.remove}`);
          const [key] = node.pods.keys();
          if (key !== undefined) node.removePod(key);
        } else if ("label" in each) {
          const name = `n${each.label}`;
          nodes.at(name).setNode(nodeNamed(name, each.zone === undefined ? {} : { zone: each.zone }));
        } else {
          nodes.list = nodes.list.map((node) => (node.name === `n${each.replace}` ? node.clone() : node));
        }
        const pod = spreading();
        const soft = spreading({ whenUnsatisfiable: "ScheduleAnyway" });
        const first = await startPlugin(podTopologySpread);
        assert.deepEqual(reasons(old, cycleOf(pod, nodes)), reasons(first, cycleOf(pod, nodes)));
        assert.deepEqual(scores(old, cycleOf(soft, nodes)), scores(first, cycleOf(soft, nodes)));
      }
    }),
    { numRuns: 60 },
  );
});
