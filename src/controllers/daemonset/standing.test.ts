import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { DaemonSet } from "../../api/schema/apps.v1.generated.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { seededRandom } from "../../base/random.ts";
import { daemonPods } from "./daemon-pod.ts";
import { judgeOf } from "./node-verdict.ts";
import { podsByNode, type Seen } from "./plan.ts";
import { Standing, Standings } from "./standing.ts";
import { statusOf } from "./status.ts";

const NOW = Date.parse("2026-01-01T00:01:00Z");
const SET: DaemonSet = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: "d", namespace: "ns", uid: "set", generation: 1 },
  spec: {
    selector: {},
    template: { metadata: { labels: { app: "d" } }, spec: { containers: [] } },
    minReadySeconds: 10,
  },
};
const podOn = daemonPods(SET, "new");

function nodeOf(i: number): Node {
  const taints = i % 10 === 0 ? [{ key: "k", effect: "NoSchedule" }] : undefined;
  return { apiVersion: "v1", kind: "Node", metadata: { name: `n${i}` }, spec: { taints } };
}

/** One that is ready for so many seconds; undefined: not at all. */
function running(node: string, name: string, readyFor: number | undefined): Pod {
  const made = podOn(node);
  const lastTransitionTime = new Date(NOW - (readyFor ?? 0) * 1000).toISOString();
  const status = readyFor === undefined ? "False" : "True";
  return {
    ...made,
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...made.metadata, name, creationTimestamp: "2026-01-01T00:00:00Z" },
    status: { phase: "Running", conditions: [{ type: "Ready", status, lastTransitionTime }] },
  } as Pod;
}

test("a standing that looked at the nodes of changed pods says what a look at all nodes says", () => {
  const random = seededRandom(7);
  const nodes = Array.from({ length: 50 }, (_, i) => nodeOf(i));
  const pods = new Map<string, Pod[]>();
  const judge = judgeOf(SET);
  const seenOf = (of: readonly Node[], mine: readonly Pod[]): Seen => ({
    set: SET,
    hash: "new",
    nodes: of,
    judge,
    pods: mine,
    now: NOW,
    backoff: () => 0,
  });
  const all = (): Pod[] => [...pods.values()].flat();
  const standing = new Standing(seenOf(nodes, []), new Map(), 0, undefined);
  for (let step = 0; step < 500; step++) {
    const changed = nodes[Math.floor(random() * nodes.length)]!;
    const name = changed.metadata.name!;
    const many = Math.floor(random() * 3);
    const ready = [undefined, 5, 20][Math.floor(random() * 3)];
    pods.set(
      name,
      Array.from({ length: many }, (_, i) => running(name, `${name}-${i}`, ready)),
    );
    const mine = pods.get(name)!;
    const status = standing.look(seenOf([changed], mine), podsByNode(mine));
    assert.deepEqual(status, statusOf(seenOf(nodes, all()), 0));
  }
});

test("a standing holds for a set as it was, with the status that it says, until its time", () => {
  const seen: Seen = {
    set: SET,
    hash: "new",
    nodes: [nodeOf(1)],
    judge: judgeOf(SET),
    pods: [],
    now: NOW,
    backoff: () => 0,
  };
  const standing = new Standing(seen, new Map(), 0, NOW + 1000);
  const { status } = standing;
  assert.equal(standing.fits({ ...SET, status }, NOW), true);
  assert.equal(standing.fits({ ...SET, status }, NOW + 1000), false);
  assert.equal(standing.fits({ ...SET, status: { ...status, numberReady: 7 } }, NOW), false);
  for (const metadata of [{ uid: "other" }, { generation: 2 }, { annotations: { a: "b" } }]) {
    assert.equal(standing.fits({ ...SET, metadata: { ...SET.metadata, ...metadata }, status }, NOW), false);
  }
});

test("a standing that was dropped while its pass went on is not kept", () => {
  const standings = new Standings();
  const seen = {
    set: SET,
    hash: "new",
    nodes: [],
    judge: judgeOf(SET),
    pods: [],
    now: NOW,
    backoff: () => 0,
  };
  const standing = new Standing(seen, new Map(), 0, undefined);
  const first = standings.take("key");
  standings.changed("key", "n1");
  standings.keep("key", standing, first);
  const second = standings.take("key");
  assert.deepEqual([second.standing, [...second.nodes]], [standing, ["n1"]]);
  standings.drop("key");
  standings.keep("key", standing, second);
  assert.equal(standings.has("key"), false);
});
