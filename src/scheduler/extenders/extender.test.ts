import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExtenderConfiguration } from "../configuration/extender-configuration.ts";
import type { NodeVictims } from "../framework/plugin.ts";
import { asking, nodeNamed, podNamed, TestNodes } from "../testing/cluster.ts";
import { Extender } from "./extender.ts";
import { Extenders } from "./extenders.ts";

const NOTHING: ExtenderConfiguration = {
  urlPrefix: "http://extender/api/",
  filterVerb: "filter",
  preemptVerb: "preempt",
  prioritizeVerb: "rank",
  bindVerb: "bind",
  weight: 2,
  timeout: 1000,
  nodeCacheCapable: true,
  managedResources: [],
  ignorable: false,
  tls: undefined,
};

/** An extender that answers this, and what it was sent. */
function extenderOf(answer: unknown, more: Partial<ExtenderConfiguration> = {}) {
  const sent: { url: string; body: unknown }[] = [];
  const extender = new Extender({ ...NOTHING, ...more }, async (url, body) => {
    sent.push({ url, body: JSON.parse(JSON.stringify(body)) });
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { extender, sent };
}

const nodes = new TestNodes([nodeNamed("a"), nodeNamed("b")]);
const [low, other] = ["low", "other"].map((name) =>
  nodes.add(podNamed(name, { ...asking({ cpu: "1" }), nodeName: "a", priority: 1 }, { uid: `uid-${name}` })),
);
const pod = podNamed("p", { ...asking({ cpu: "4" }), priority: 9 }, { uid: "uid-p" });
const candidates = new Map<string, NodeVictims>([["a", { pods: [low!], violations: 1 }]]);
const wire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const metaVictims = (...uids: string[]) => ({
  NodeNameToMetaVictims: { a: { Pods: uids.map((UID) => ({ UID })), NumPDBViolations: 1 } },
});

test("an extender is sent fields as Go spells them: names of nodes where it keeps nodes, else the nodes", async () => {
  const asked = [nodes.at("a"), nodes.at("b")];
  const names = extenderOf({ NodeNames: ["a"], FailedNodes: { b: "no" } });
  const filtered = await names.extender.filter(pod, asked);
  assert.deepEqual(names.sent, [
    { url: "http://extender/api/filter", body: { Pod: wire(pod), Nodes: null, NodeNames: ["a", "b"] } },
  ]);
  assert.deepEqual(
    filtered.fitting.map(({ name }) => name),
    ["a"],
  );
  const whole = extenderOf({ nodes: { items: [wire(nodes.at("b").node)] } }, { nodeCacheCapable: false });
  const kept = await whole.extender.filter(pod, asked);
  const items = asked.map(({ node }) => wire(node));
  assert.deepEqual(whole.sent[0]?.body, { Pod: wire(pod), Nodes: { metadata: {}, items }, NodeNames: null });
  assert.deepEqual(
    kept.fitting.map(({ name }) => name),
    ["b"],
  );
});

test("an extender's answers are read in any case, and refused where they name what was not asked", async () => {
  const scores = new Float64Array(2);
  const ranks = extenderOf([{ Host: "a", Score: 3 }, { host: "b", score: 1 }, { host: "c" }]);
  await ranks.extender.prioritize(pod, nodes.list, scores);
  assert.deepEqual([...scores], [60, 20]);
  const { extender } = extenderOf({ nodenames: ["c"] });
  await assert.rejects(extender.filter(pod, nodes.list), {
    message:
      'extender "http://extender/api/" claims a filtered node "c" which is not found in the input node list',
  });
  const failed = extenderOf({ Error: "out of order" });
  await assert.rejects(failed.extender.bind(pod, nodes.at("a")), { message: "out of order" });
  assert.deepEqual(failed.sent[0]?.body, {
    PodName: "p",
    PodNamespace: "default",
    PodUID: "uid-p",
    Node: "a",
  });
});

test("an extender is told of victims by their uids where it keeps nodes, else as whole pods", async () => {
  const byUID = extenderOf(metaVictims("uid-other"));
  const chosen = await byUID.extender.preempt(pod, candidates, nodes);
  assert.deepEqual(byUID.sent[0]?.body, {
    Pod: wire(pod),
    NodeNameToVictims: null,
    NodeNameToMetaVictims: { a: { Pods: [{ UID: "uid-low" }], NumPDBViolations: 1 } },
  });
  assert.deepEqual([...chosen], [["a", { pods: [other], violations: 1 }]]);
  const whole = extenderOf(metaVictims("uid-low"), { nodeCacheCapable: false });
  await whole.extender.preempt(pod, candidates, nodes);
  assert.deepEqual(whole.sent[0]?.body, {
    Pod: wire(pod),
    NodeNameToVictims: { a: { Pods: [wire(low!.pod)], NumPDBViolations: 1 } },
    NodeNameToMetaVictims: null,
  });
});

test("extenders that name no victims or unknown ones fail, unless they may be ignored", async () => {
  for (const [answer, message, ignored] of [
    [metaVictims(), 'expected at least one victim pod on node "a"', []],
    [
      metaVictims("uid-x"),
      "extender: http://extender/api/ claims to preempt pod (UID: uid-x) on node: a, but the pod is not found on that node",
      ["a"],
    ],
    [{ NodeNameToMetaVictims: { c: { Pods: [{ UID: "x" }] } } }, 'node "c" not found', ["a"]],
    [new Error("no answer"), "no answer", ["a"]],
  ] as const) {
    const strict = new Extenders([extenderOf(answer).extender], () => {});
    await assert.rejects(strict.chooseVictims(pod, candidates, nodes), { message });
    const lenient = new Extenders([extenderOf(answer, { ignorable: true }).extender], () => {});
    assert.deepEqual([...(await lenient.chooseVictims(pod, candidates, nodes)).keys()], ignored, message);
  }
});

test("each extender is asked about the victims that the one before has left, and only where it has a say", async () => {
  const first = extenderOf(metaVictims("uid-other"));
  const without = extenderOf({}, { preemptVerb: "" });
  const foreign = extenderOf(
    {},
    { managedResources: [{ name: "example.com/gpu", ignoredByScheduler: false }] },
  );
  const last = extenderOf({ NodeNameToMetaVictims: {} });
  const after = extenderOf({});
  const of = (...all: { extender: Extender }[]) =>
    new Extenders(
      all.map(({ extender }) => extender),
      () => {},
    );
  assert.equal(of(without, foreign).havePreemptionSay(pod), false);
  const all = of(without, foreign, first, last, after);
  assert.equal(all.havePreemptionSay(pod), true);
  assert.equal((await all.chooseVictims(pod, candidates, nodes)).size, 0);
  assert.deepEqual(last.sent[0]?.body, {
    Pod: wire(pod),
    NodeNameToVictims: null,
    NodeNameToMetaVictims: { a: { Pods: [{ UID: "uid-other" }], NumPDBViolations: 1 } },
  });
  assert.deepEqual([without.sent, foreign.sent, after.sent], [[], [], []]);
});
