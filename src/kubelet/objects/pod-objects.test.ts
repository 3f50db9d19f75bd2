import assert from "node:assert/strict";
import test from "node:test";
import { ConfigMap } from "../../api/core/config-map.ts";
import { systemClock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import { startCluster } from "../../testing/start-cluster.ts";
import { createPodObjects } from "./pod-objects.ts";

/** A client that counts the watches under way. */
function counting(client: Client): { client: Client; watches: () => number } {
  let watches = 0;
  const counted = (of: object): object =>
    new Proxy(of, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (name !== "watch") return typeof member === "function" ? member.bind(target) : member;
        return async function* (...given: unknown[]) {
          watches++;
          try {
            yield* (member as (...given: unknown[]) => AsyncIterable<unknown>).apply(target, given);
          } finally {
            watches--;
          }
        };
      },
    });
  const resource = ((...given: Parameters<Client["resource"]>) =>
    counted(client.resource(...given))) as never;
  return { client: { ...client, resource }, watches: () => watches };
}

async function start() {
  const cluster = await startCluster({ controllers: false, scheduler: false });
  const configMaps = cluster.client.resource(ConfigMap, "default");
  const { client, watches } = counting(cluster.client);
  const waiters: { uid: string; resolve: () => void }[] = [];
  const objects = createPodObjects({
    client,
    clock: systemClock,
    random: () => 0.5,
    changed: (uid) => {
      for (const waiter of waiters) if (waiter.uid === uid) waiter.resolve();
    },
  });
  const changeOf = (uid: string): Promise<void> => new Promise((resolve) => waiters.push({ uid, resolve }));
  const stop = async (): Promise<void> => {
    await objects.stop();
    await cluster.stop();
  };
  return { configMaps, objects, changeOf, watches, [Symbol.asyncDispose]: stop };
}

test("PodObjects shows an object and tells its users of each change", async () => {
  await using cluster = await start();
  const { configMaps, objects } = cluster;
  assert.equal(await objects.get("a", ConfigMap, "default", "settings"), undefined);
  const told = Promise.all([cluster.changeOf("a"), cluster.changeOf("b")]);
  await objects.get("b", ConfigMap, "default", "settings");
  await configMaps.create({ metadata: { name: "settings" }, data: { color: "red" } });
  await told;
  assert.equal((await objects.get("a", ConfigMap, "default", "settings"))?.data?.color, "red");
});

test("PodObjects keeps one watch for all users, until the last is gone", async () => {
  await using cluster = await start();
  const { objects, watches } = cluster;
  await Promise.all([
    objects.get("a", ConfigMap, "default", "one"),
    objects.get("b", ConfigMap, "default", "one"),
  ]);
  assert.equal(watches(), 1);
  objects.release("a");
  assert.equal(watches(), 1);
  objects.release("b");
  await objects.stop();
  assert.equal(watches(), 0);
});

test("PodObjects ceases to watch what is immutable, and still shows it", async () => {
  await using cluster = await start();
  const { configMaps, objects, watches } = cluster;
  await configMaps.create({ metadata: { name: "fixed" }, immutable: true, data: { a: "b" } });
  assert.equal((await objects.get("a", ConfigMap, "default", "fixed"))?.data?.a, "b");
  assert.equal((await objects.get("b", ConfigMap, "default", "fixed"))?.data?.a, "b");
  await new Promise(setImmediate);
  assert.equal(watches(), 0);
});

test("PodObjects throws what the server says where the object may not be seen", async () => {
  await using cluster = await start();
  const refused = new Error('configmaps "secret" is forbidden');
  const client = {
    resource: () => ({
      watch: () => {
        throw refused;
      },
    }),
  } as unknown as Client;
  const objects = createPodObjects({ client, clock: systemClock, random: () => 0, changed: () => {} });
  await assert.rejects(objects.get("a", ConfigMap, "default", "secret"), refused);
  await objects.stop();
  assert.equal(cluster.watches(), 0);
});
