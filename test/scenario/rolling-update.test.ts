import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployment, ReplicaSet, startCluster, VirtualClock } from "../../src/testing/index.ts";
import { crowd, isComplete, Picture, SPACE, setImage } from "./crowd.ts";

const REPLICAS = 200;
/** Upstream's default of maxSurge and maxUnavailable: a quarter. */
const QUARTER = REPLICAS / 4;
const MINUTE = 60_000;

test("a Deployment of 200 pods is rolled within its bounds, though its image changes again on the way", async () => {
  const slow = { start: 2000, ready: 6000, terminate: 4000 };
  await using cluster = await startCluster({
    clock: new VirtualClock(),
    seed: 5,
    nodes: { count: 60, zones: 3 },
    stages: [slow],
  });
  const { client } = cluster;
  const complete = () => isComplete(client, "web");
  await client.resource(Deployment, SPACE).create(crowd("web", REPLICAS));
  await cluster.run({ until: complete, within: MINUTE });
  const picture = await Picture.of(cluster);
  const busiest = new Map<string, number>();
  for (const { spec } of picture.all()) {
    busiest.set(spec!.nodeName!, (busiest.get(spec!.nodeName!) ?? 0) + 1);
  }
  assert.equal(busiest.size, 60);
  assert.ok(Math.max(...busiest.values()) <= 7, "pods crowd on some nodes");

  picture.begin();
  await setImage(client, "web", "web:2");
  await cluster.pass(10_000);
  await setImage(client, "web", "web:3");
  await cluster.run({ until: complete, within: 5 * MINUTE });
  assert.ok(picture.leastReady >= REPLICAS - QUARTER, `${picture.leastReady} were ready`);
  assert.ok(picture.mostActive <= REPLICAS + QUARTER, `there were ${picture.mostActive}`);
  await cluster.pass(MINUTE);
  assert.equal(picture.all().length, REPLICAS);
  assert.ok(picture.all().every(({ spec }) => spec?.containers[0]?.image === "web:3"));
  const { items } = await client.resource(ReplicaSet, SPACE).list();
  assert.deepEqual(items.map(({ spec }) => spec?.replicas).sort(), [0, 0, REPLICAS]);
  await picture.stop();
});
