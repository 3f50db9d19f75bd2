import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Namespace } from "../../../api/core/namespace.ts";
import type { Pod } from "../../../api/core/pods.ts";
import type { KubeObject } from "../../../api/object.ts";
import type { Affinity, PodAffinityTerm } from "../../../api/schema/core.v1.generated.ts";
import { PodInfo } from "../../framework/pod-info.ts";
import {
  contextOf,
  cycleOf,
  isFilter,
  judge,
  mayHelp,
  nodeNamed,
  podNamed,
  reasons,
  scores,
  startPlugin,
  synced,
  TestNodes,
} from "../../testing/cluster.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";

const NO_AFFINITY = "node(s) didn't match pod affinity rules";
const OWN = "node(s) didn't match pod anti-affinity rules";
const EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules";

const near = (app: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey: "zone",
  labelSelector: { matchLabels: { app } },
  ...more,
});
const required = (...terms: PodAffinityTerm[]) => ({ requiredDuringSchedulingIgnoredDuringExecution: terms });
const preferred = (weight: number, term: PodAffinityTerm) => ({
  preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term }],
});

let made = 0;
const podOf = (app: string, affinity: Affinity = {}, nodeName?: string, namespace = "default"): Pod =>
  podNamed(`x${++made}`, { affinity, nodeName }, { labels: { app }, namespace });

const nodesWith = (...pods: Pod[]) =>
  new TestNodes(
    [
      nodeNamed("a", { zone: "1" }),
      nodeNamed("b", { zone: "1" }),
      nodeNamed("c", { zone: "2" }),
      nodeNamed("bare"),
    ],
    pods,
  );
const filtered = async (pod: Pod, ...there: Pod[]) =>
  reasons(await startPlugin(interPodAffinity), cycleOf(pod, nodesWith(...there)));

test("InterPodAffinity brings a pod into the domain of the pods it must be near", async () => {
  const pod = podOf("web", { podAffinity: required(near("db")) });
  const nowhere = { a: NO_AFFINITY, b: NO_AFFINITY, c: NO_AFFINITY, bare: NO_AFFINITY };
  assert.deepEqual(await filtered(pod, podOf("db", {}, "a")), { ...nowhere, a: undefined, b: undefined });
  assert.deepEqual(await filtered(pod, podOf("db", {}, "a", "other")), nowhere);
  assert.deepEqual(await filtered(pod), nowhere);
});

test("InterPodAffinity lets the first pod of a group that wants to be together go anywhere with the label", async () => {
  const pod = podOf("web", { podAffinity: required(near("web")) });
  const free = { a: undefined, b: undefined, c: undefined, bare: NO_AFFINITY };
  assert.deepEqual(await filtered(pod), free);
  assert.deepEqual(await filtered(pod, podOf("web", {}, "c")), { ...free, a: NO_AFFINITY, b: NO_AFFINITY });
});

test("InterPodAffinity keeps a pod away from those that it or they do not want near", async () => {
  const own = podOf("web", { podAntiAffinity: required(near("db")) });
  const free = { a: undefined, b: undefined, c: undefined, bare: undefined };
  assert.deepEqual(await filtered(own, podOf("db", {}, "a")), { ...free, a: OWN, b: OWN });
  const there = podOf("db", { podAntiAffinity: required(near("web")) }, "a");
  assert.deepEqual(await filtered(podOf("web"), there), { ...free, a: EXISTING, b: EXISTING });
  assert.deepEqual(await filtered(podOf("other"), there), free);
});

test("InterPodAffinity tells whether preemption may help", async () => {
  const plugin = await startPlugin(interPodAffinity);
  const of = (affinity: Affinity) =>
    judge(plugin, cycleOf(podOf("web", affinity), nodesWith(podOf("db", {}, "a")))).a?.code;
  assert.equal(of({ podAntiAffinity: required(near("db")) }), "unschedulable");
  assert.equal(of({ podAffinity: required(near("none")) }), "unresolvable");
});

test("InterPodAffinity finds namespaces by their labels", async () => {
  const namespaces = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "blue", labels: { team: "blue" } } },
  ] as KubeObject[];
  const context = await contextOf({ namespaces });
  const plugin = await startPlugin(interPodAffinity, undefined, context);
  await synced(context, Namespace);
  const namespaceSelector = { matchLabels: { team: "blue" } };
  const pod = podOf("web", { podAffinity: required(near("db", { namespaceSelector })) });
  const of = (namespace: string) =>
    reasons(plugin, cycleOf(pod, nodesWith(podOf("db", {}, "c", namespace)))).c;
  assert.equal(of("blue"), undefined);
  assert.equal(of("red"), NO_AFFINITY);
  const there = podOf("db", { podAntiAffinity: required(near("web", { namespaceSelector })) }, "c");
  const incoming = (namespace: string) =>
    reasons(plugin, cycleOf(podOf("web", {}, undefined, namespace), nodesWith(there))).c;
  assert.equal(incoming("blue"), EXISTING);
  assert.equal(incoming("default"), undefined);
  await context.informers.stop();
});

test("InterPodAffinity prefers by the pod's own preferences and those of pods there are", async () => {
  const plugin = await startPlugin(interPodAffinity);
  const wants = podOf("web", { podAffinity: preferred(10, near("db")) });
  const db = podOf("db", {}, "a");
  assert.deepEqual(scores(plugin, cycleOf(wants, nodesWith(db))), { a: 100, b: 100, c: 0, bare: 0 });
  const shuns = podOf("web", { podAntiAffinity: preferred(10, near("db")) });
  assert.deepEqual(scores(plugin, cycleOf(shuns, nodesWith(db))), { a: 0, b: 0, c: 100, bare: 100 });
  const wanted = podOf("db", { podAffinity: preferred(10, near("web")) }, "c");
  assert.deepEqual(scores(plugin, cycleOf(podOf("web"), nodesWith(wanted))), { a: 0, b: 0, c: 100, bare: 0 });
  const needs = podOf("db", { podAffinity: required(near("web")) }, "c");
  assert.deepEqual(scores(plugin, cycleOf(podOf("web"), nodesWith(needs))), { a: 0, b: 0, c: 100, bare: 0 });
  assert.equal(scores(plugin, cycleOf(podOf("web"), nodesWith(db))), undefined);
});

test("InterPodAffinity ignores preferences of pods there are where it is told to", async () => {
  const plugin = await startPlugin(interPodAffinity, { ignorePreferredTermsOfExistingPods: true });
  const wanted = podOf("db", { podAffinity: preferred(10, near("web")) }, "c");
  assert.equal(scores(plugin, cycleOf(podOf("web"), nodesWith(wanted))), undefined);
  await assert.rejects(
    startPlugin(interPodAffinity, { hardPodAffinityWeight: 101 }),
    /^Error: hardPodAffinityWeight: Invalid value: 101: not in valid range \[0, 100\]/,
  );
});

test("InterPodAffinity looks again when a pod comes near, or one that was in the way goes", async () => {
  const plugin = await startPlugin(interPodAffinity);
  const wants = podOf("web", { podAffinity: required(near("db")) });
  const shuns = podOf("web", { podAntiAffinity: required(near("db")) });
  const db = podOf("db", {}, "a");
  assert.equal(mayHelp(plugin, "pods", wants, { now: db }), true);
  assert.equal(mayHelp(plugin, "pods", wants, { was: db }), false);
  assert.equal(mayHelp(plugin, "pods", shuns, { was: db }), true);
  assert.equal(mayHelp(plugin, "pods", shuns, { now: db }), false);
  const refuses = podOf("db", { podAntiAffinity: required(near("web")) }, "a");
  assert.equal(mayHelp(plugin, "pods", podOf("web"), { was: refuses }), true);
  assert.equal(mayHelp(plugin, "nodes", shuns, { now: nodeNamed("n", { zone: "3" }) }), true);
});

const APPS = ["web", "db"];
const anyAffinity = fc.constantFrom<Affinity>(
  {},
  { podAffinity: required(near("web")) },
  { podAntiAffinity: required(near("web")) },
  { podAntiAffinity: required(near("db", { topologyKey: "kubernetes.io/hostname" })) },
  { podAffinity: preferred(5, near("web")), podAntiAffinity: preferred(3, near("db")) },
);
const anyPod = fc.record({
  app: fc.constantFrom(...APPS),
  affinity: anyAffinity,
  node: fc.constantFrom("a", "b", "c", "bare"),
});
const INCOMING: Affinity[] = [
  {},
  { podAffinity: required(near("web"), near("web", { topologyKey: "kubernetes.io/hostname" })) },
  { podAffinity: required(near("db")), podAntiAffinity: required(near("web")) },
  { podAntiAffinity: required(near("web"), near("db", { topologyKey: "kubernetes.io/hostname" })) },
  { podAffinity: preferred(7, near("web")) },
];

test("InterPodAffinity judges alike whether pods are tried on a clone or there when it prepares", async () => {
  const [plugin, other] = [await startPlugin(interPodAffinity), await startPlugin(interPodAffinity)];
  const given = (pods: readonly { app: string; affinity: Affinity; node: string }[]) =>
    pods.map(({ app, affinity, node }) => podOf(app, affinity, node));
  fc.assert(
    fc.property(
      fc.array(anyPod, { maxLength: 8 }),
      fc.array(anyPod, { maxLength: 3 }),
      fc.nat(4),
      fc.constantFrom(...INCOMING),
      (there, coming, going, affinity) => {
        const [pods, more] = [given(there), given(coming)];
        const pod = podOf("web", affinity);
        const before = nodesWith(...pods);
        const after = nodesWith(...pods.slice(going), ...more);
        const expected = Object.values(reasons(other, cycleOf(pod, after)));
        const prepared = plugin.prepareFilter?.(cycleOf(pod, before));
        // Without any terms there is nothing to prepare; whoever tries pods with terms asks for it anew.
        if (!isFilter(prepared)) return;
        const tried = prepared.clone!();
        const at = ({ spec }: Pod) => before.at(spec?.nodeName ?? "");
        for (const each of pods.slice(0, going)) tried.removePod?.(new PodInfo(each), at(each));
        for (const each of more) tried.addPod?.(new PodInfo(each), at(each));
        assert.deepEqual(
          before.list.map((node) => tried.filter(node)?.reasons.join()),
          expected,
        );
      },
    ),
  );
});

test("InterPodAffinity that has seen pods come and go judges as one that sees them first", async () => {
  const old = await startPlugin(interPodAffinity);
  const change = fc.oneof(anyPod, fc.record({ remove: fc.constantFrom("a", "b", "c", "bare") }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
      const nodes = nodesWith();
      for (const each of changes) {
        if ("remove" in each) {
          const [key] = nodes.at(each.remove).pods.keys();
          if (key !== undefined) nodes.at(each.remove).removePod(key);
        } else nodes.add(podOf(each.app, each.affinity, each.node));
        for (const affinity of INCOMING) {
          const pod = podOf("web", affinity);
          const first = await startPlugin(interPodAffinity);
          assert.deepEqual(reasons(old, cycleOf(pod, nodes)), reasons(first, cycleOf(pod, nodes)));
          assert.deepEqual(scores(old, cycleOf(pod, nodes)), scores(first, cycleOf(pod, nodes)));
        }
      }
    }),
    { numRuns: 40 },
  );
});
