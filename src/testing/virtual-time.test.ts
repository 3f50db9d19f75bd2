import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap, Event, Namespace, startCluster, VirtualClock } from "./index.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test("a month in which nothing happens fires next to no timer", async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ clock });
  let fired = 0;
  const setTimer = clock.setTimer.bind(clock);
  clock.setTimer = (ms, fire) =>
    setTimer(ms, () => {
      fired++;
      fire();
    });
  const before = clock.now();
  await cluster.pass(30 * DAY);
  assert.equal(clock.now(), before + 30 * DAY);
  assert.ok(fired < 100, `${fired} timers fired`);
});

test("a run goes on until its condition holds, and tells how long it took", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const events = cluster.client.resource(Event, "default");
  await events.create({
    metadata: { name: "short-lived" },
    involvedObject: { kind: "Pod", namespace: "default", name: "web" },
    reason: "Testing",
    type: "Normal",
  });
  const took = await cluster.run({ until: async () => (await events.list()).items.length === 0 });
  assert.equal(took, HOUR);
});

test("a run whose condition does not come to hold ends in time, and tells the seed", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock(), seed: 42 });
  const before = cluster.clock.now();
  await assert.rejects(cluster.run({ until: () => false, within: 2 * HOUR }), {
    message: "the condition did not come to hold within 7200 s (seed 42)",
  });
  assert.equal(cluster.clock.now(), before + 2 * HOUR);
});

test("settle lets the controllers finish what they can at this moment", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const before = cluster.clock.now();
  await cluster.client.resource(Namespace).create({ metadata: { name: "shop" } });
  await cluster.settle();
  await cluster.client.resource(ConfigMap, "shop").get("kube-root-ca.crt");
  await cluster.client.resource(Namespace).delete("shop");
  await cluster.settle();
  await assert.rejects(cluster.client.resource(Namespace).get("shop"), { reason: "NotFound" });
  assert.equal(cluster.clock.now(), before);
});

test("the same seed gives the same names, uids and revisions, and another seed others", async () => {
  const run = async (seed: number): Promise<string[]> => {
    await using cluster = await startCluster({ clock: new VirtualClock(), seed });
    const namespaces = cluster.client.resource(Namespace);
    for (let i = 0; i < 5; i++) await namespaces.create({ metadata: { generateName: "shop-" } });
    await cluster.pass(HOUR);
    const { items } = await cluster.client.resource(ConfigMap).list();
    return items.map(
      ({ metadata }) => `${metadata.namespace}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`,
    );
  };
  const first = await run(1);
  assert.ok(first.length >= 9);
  assert.deepEqual(await run(1), first);
  assert.notDeepEqual(await run(2), first);
});
