import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeSelectorTerm } from "../../api/schema/core.v1.generated.ts";
import { ConfigurationError } from "../framework/plugin.ts";
import {
  cycleOf,
  isFilter,
  mayHelp,
  nodeNamed,
  podNamed,
  reasons,
  scores,
  startPlugin,
  TestNodes,
} from "../testing/cluster.ts";
import { nodeAffinity } from "./node-affinity.ts";

const MISS = "node(s) didn't match Pod's node affinity/selector";
const nodes = new TestNodes([nodeNamed("a", { disk: "ssd" }), nodeNamed("b", { disk: "hdd" })]);

const requiring = (...nodeSelectorTerms: NodeSelectorTerm[]) =>
  podNamed("p", {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });
const named = (...values: string[]) => ({ key: "metadata.name", operator: "In", values });
const disk = (...values: string[]) => ({ key: "disk", operator: "In", values });

test("NodeAffinity keeps a pod to the nodes of its selector and its required terms", async () => {
  const plugin = await startPlugin(nodeAffinity);
  for (const pod of [
    podNamed("p", { nodeSelector: { disk: "ssd" } }),
    requiring({ matchExpressions: [disk("ssd")] }),
    requiring({ matchFields: [named("a")] }),
  ]) {
    assert.deepEqual(reasons(plugin, cycleOf(pod, nodes)), { a: undefined, b: MISS });
  }
  assert.equal(plugin.prepareFilter?.(cycleOf(podNamed("p"), nodes)), undefined);
});

test("NodeAffinity names the only nodes worth asking where every term names some", async () => {
  const plugin = await startPlugin(nodeAffinity);
  const only = (pod: ReturnType<typeof podNamed>) => {
    const prepared = plugin.prepareFilter?.(cycleOf(pod, nodes));
    return isFilter(prepared) ? prepared.only && [...prepared.only] : prepared?.reasons;
  };
  assert.deepEqual(only(requiring({ matchFields: [named("a")] }, { matchFields: [named("c")] })), ["a", "c"]);
  assert.equal(
    only(requiring({ matchFields: [named("a")] }, { matchExpressions: [disk("ssd")] })),
    undefined,
  );
  assert.deepEqual(only(requiring({ matchFields: [named("a"), named("b")] })), [
    "pod affinity terms conflict",
  ]);
});

test("NodeAffinity prefers nodes by the weights of the terms they match", async () => {
  const plugin = await startPlugin(nodeAffinity);
  const prefer = (weight: number, ...values: string[]) => ({
    weight,
    preference: { matchExpressions: [disk(...values)] },
  });
  const pod = podNamed("p", {
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [prefer(30, "ssd"), prefer(10, "ssd", "hdd")],
      },
    },
  });
  assert.deepEqual(scores(plugin, cycleOf(pod, nodes)), { a: 100, b: 25 });
  assert.equal(scores(plugin, cycleOf(podNamed("p"), nodes)), undefined);
});

test("NodeAffinity adds the affinity of its arguments to every pod", async () => {
  const plugin = await startPlugin(nodeAffinity, {
    addedAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [disk("ssd")] }],
      },
    },
  });
  assert.deepEqual(reasons(plugin, cycleOf(podNamed("p"), nodes)), {
    a: undefined,
    b: "node(s) didn't match scheduler-enforced node affinity",
  });
});

test("NodeAffinity refuses arguments that make no sense, with their path", async () => {
  const required = (term: unknown) => ({
    addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
  });
  for (const [args, message] of [
    [{ added: {} }, /^unknown field "added"$/],
    [
      required({ matchExpressions: [{ key: "a", operator: "Like" }] }),
      /nodeSelectorTerms\[0\]\.matchExpressions\[0\]\.operator: Unsupported value: "Like"/,
    ],
  ] as const) {
    await assert.rejects(
      startPlugin(nodeAffinity, args),
      (error) => error instanceof ConfigurationError && message.test(error.message),
    );
  }
});

test("NodeAffinity looks again when a node comes to match", async () => {
  const plugin = await startPlugin(nodeAffinity);
  const waiting = podNamed("p", { nodeSelector: { disk: "ssd" } });
  const [ssd, hdd] = [nodeNamed("a", { disk: "ssd" }), nodeNamed("a", { disk: "hdd" })];
  assert.equal(mayHelp(plugin, "nodes", waiting, { was: hdd, now: ssd }), true);
  assert.equal(mayHelp(plugin, "nodes", waiting, { now: hdd }), false);
  assert.equal(mayHelp(plugin, "nodes", waiting, { was: ssd, now: hdd }), false);
});
