import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../src/base/clock.ts";
import { Event, Node, startCluster } from "../../src/testing/index.ts";

test("every node gets a part of the pod network of its own, and one that is gone leaves its part to others", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock() });
  const nodes = cluster.client.resource(Node);
  await nodes.create({ metadata: { name: "own" }, spec: { podCIDRs: ["10.244.1.0/24"] } });
  await cluster.pass(1_000);
  const names = Array.from({ length: 255 }, (_, i) => `n${i}`);
  await Promise.all(names.map((name) => nodes.create({ metadata: { name } })));
  await cluster.run({ until: async () => (await nodes.list()).items.every(({ spec }) => spec?.podCIDR) });
  const { items } = await nodes.list();
  const parts = items.map(({ spec }) => spec?.podCIDR);
  assert.equal(new Set(parts).size, 256);
  assert.ok(parts.every((part) => /^10\.244\.\d+\.0\/24$/.test(part ?? "")));
  assert.ok(items.every(({ spec }) => spec?.podCIDRs?.[0] === spec?.podCIDR));

  await nodes.create({ metadata: { name: "late" } });
  await cluster.pass(1_000);
  assert.equal((await nodes.get("late")).spec?.podCIDR, undefined);
  const events = await cluster.client.resource(Event, "default").list();
  const told = events.items.find(({ reason }) => reason === "CIDRNotAvailable");
  assert.equal(told?.message, "Node late status is now: CIDRNotAvailable");

  const freed = (await nodes.get("n7")).spec?.podCIDR;
  await nodes.delete("n7");
  await cluster.pass(1_000);
  assert.equal((await nodes.get("late")).spec?.podCIDR, freed);
});
