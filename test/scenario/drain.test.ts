import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Deployment,
  Node,
  PodDisruptionBudget,
  startCluster,
  VirtualClock,
} from "../../src/testing/index.ts";
import { crowd, Drain, isComplete, Picture, SPACE } from "./crowd.ts";

const REPLICAS = 240;
const BUDGET = 12;
const MINUTE = 60_000;

test("ten nodes of 60 are drained at once, at the pace that a disruption budget allows", async () => {
  await using cluster = await startCluster({
    clock: new VirtualClock(),
    seed: 6,
    nodes: 60,
    stages: [{ start: 1000, ready: { ms: 2000, jitter: 2000 }, terminate: 3000 }],
  });
  const { client, simulation } = cluster;
  const complete = () => isComplete(client, "web");
  await client.resource(Deployment, SPACE).create(crowd("web", REPLICAS));
  const spec = { maxUnavailable: "5%", selector: { matchLabels: { app: "web" } } };
  await client.resource(PodDisruptionBudget, SPACE).create({ metadata: { name: "web" }, spec });
  await cluster.run({ until: complete, within: MINUTE });
  const picture = await Picture.of(cluster);
  const names = [...simulation.nodes.keys()].slice(0, 10);
  const nodes = client.resource(Node);
  for (const name of names) await nodes.patch(name, { spec: { unschedulable: true } }, { type: "merge" });
  const leaving = picture.on(names);
  assert.ok(leaving.length >= 20);

  picture.begin();
  const drain = new Drain(cluster, leaving);
  await cluster.run({ until: () => drain.left === 0 && complete(), within: 10 * MINUTE });
  assert.ok(picture.leastReady >= REPLICAS - BUDGET, `${picture.leastReady} were ready`);
  assert.ok(drain.refused > 0, "the budget held nothing back");
  await cluster.pass(MINUTE);
  assert.deepEqual(picture.on(names), []);
  assert.equal(picture.ready, REPLICAS);
  const { status } = await client.resource(PodDisruptionBudget, SPACE).get("web");
  assert.equal(status?.disruptionsAllowed, BUDGET);
  assert.equal(status.currentHealthy, REPLICAS);
  assert.deepEqual(status.disruptedPods ?? {}, {});

  // What comes next goes to the nodes that are let in again, for they are empty.
  for (const name of names) await nodes.patch(name, { spec: { unschedulable: null } }, { type: "merge" });
  await client.resource(Deployment, SPACE).create(crowd("more", 10));
  await cluster.run({ until: () => isComplete(client, "more"), within: MINUTE });
  assert.deepEqual(new Set(picture.on(names).map(({ spec }) => spec?.nodeName)), new Set(names));
  await picture.stop();
});
