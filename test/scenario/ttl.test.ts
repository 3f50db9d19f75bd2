import assert from "node:assert/strict";
import { test } from "node:test";
import { Node } from "../../src/api/core/node.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { startCluster } from "../../src/testing/index.ts";

test("every node is told how long its kubelet may keep Secrets, and anew when the cluster grows", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock(), nodes: 2 });
  const nodes = cluster.client.resource(Node);
  const told = async (): Promise<Set<unknown>> => {
    const { items } = await nodes.list();
    return new Set(items.map(({ metadata }) => metadata.annotations?.["node.alpha.kubernetes.io/ttl"]));
  };
  const is = async (ttl: string): Promise<boolean> => [...(await told())].join() === ttl;
  await cluster.run({ until: () => is("0") });
  for (let i = 0; i < 100; i++) await nodes.create({ metadata: { name: `more-${i}` } });
  await cluster.run({ until: () => is("15") });
  assert.equal((await nodes.list()).items.length, 102);
});
