import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../../api/core/config-map.ts";
import { VirtualClock } from "../../base/clock.ts";
import { seededRandom } from "../../base/random.ts";
import { openClient } from "../client.ts";
import { FakeServer } from "../testing/fake-server.ts";
import { InProcessTransport } from "../transports/in-process-transport.ts";
import { type Change, Informer } from "./informer.ts";

function setUp(server = new FakeServer(), random = seededRandom(1)) {
  const clock = new VirtualClock();
  const client = openClient(new InProcessTransport(server.dispatch));
  const failures: unknown[] = [];
  const informer = new Informer({
    client: client.resource(ConfigMap),
    indexes: { value: ({ data }) => (data?.value ? [data.value] : []) },
    clock,
    random,
    failed: (error) => failures.push(error),
  });
  return { server, clock, informer, failures };
}

/** Lets everything that is under way in this process come to rest. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("an informer holds what there is, then what changes, and tells of both", async () => {
  const { server, informer } = setUp();
  server.put("a", "1");
  const told: string[] = [];
  informer.subscribe(({ key, now, was }) => told.push(`${key} ${was?.data?.value}→${now?.data?.value}`));
  informer.start();
  await informer.synced;
  server.put("b", "1");
  server.put("a", "2");
  server.remove("b");
  await settled();
  assert.deepEqual(told, [
    "default/a undefined→1",
    "default/b undefined→1",
    "default/a 1→2",
    "default/b 1→undefined",
  ]);
  assert.deepEqual(
    informer.lister.by("value", "2").map(({ metadata }) => metadata.name),
    ["a"],
  );
  assert.deepEqual(informer.lister.by("value", "1"), []);
  assert.equal(informer.lister.list("default").length, 1);
  assert.ok(Object.isFrozen(informer.lister.get("default", "a")?.data));
  await informer.stop();
  assert.equal(server.watching, 0);
});

test("an informer lists in pages when the server does not stream lists", async () => {
  const { server, clock, informer } = setUp();
  server.streamsLists = false;
  for (let i = 0; i < 1201; i++) server.put(`m${i}`, "1");
  informer.start();
  await settled();
  clock.advance(1000);
  await informer.synced;
  assert.equal(informer.lister.size, 1201);
  assert.equal(informer.lister.get("default", "m1200")?.kind, "ConfigMap");
  const pages = server.requests.filter(({ url }) => url.includes("limit=500"));
  assert.equal(pages.length, 3);
  await informer.stop();
});

test("an informer resumes from a bookmark's revision when its watch ends", async () => {
  const { server, clock, informer } = setUp();
  server.put("a", "1");
  informer.start();
  await informer.synced;
  server.revision = 500;
  server.bookmark();
  await settled();
  server.endWatches();
  await settled();
  clock.advance(1000);
  await settled();
  assert.match(server.requests.at(-1)?.url ?? "", /resourceVersion=500/);
  await informer.stop();
});

test("an informer takes a new picture when its revision is gone, and tells only the difference", async () => {
  const { server, clock, informer, failures } = setUp();
  server.put("kept", "1");
  server.put("gone", "1");
  server.put("other", "1");
  informer.start();
  await informer.synced;
  await settled();
  const told: Change<ConfigMap>[] = [];
  informer.subscribe((change) => told.push(change));
  told.length = 0;
  server.endWatches();
  server.remove("gone");
  server.put("other", "2");
  server.put("new", "1");
  server.compact();
  for (let i = 0; i < 5; i++) {
    await settled();
    clock.advance(2000);
  }
  await settled();
  const keys = told.map(({ key, now, was }) => [key, was?.data?.value, now?.data?.value]);
  assert.deepEqual(keys.sort(), [
    ["default/gone", "1", undefined],
    ["default/new", undefined, "1"],
    ["default/other", "1", "2"],
  ]);
  assert.equal(failures.length, 1);
  await informer.stop();
});

test("an informer waits longer after each failure and never polls while its watch is open", async () => {
  const { server, clock, informer } = setUp(new FakeServer(), () => 0);
  server.refusal = { status: 503, body: "not now" };
  informer.start();
  await settled();
  const attempts: number[] = [];
  for (let i = 0; i < 100; i++) {
    clock.advance(100);
    await settled();
    attempts.push(server.requests.length);
  }
  // At 0, 200, 600, 1400, 3000 and 6200 ms.
  assert.equal(attempts.at(-1), 6);
  server.refusal = undefined;
  clock.advance(30_000);
  await informer.synced;
  const before = server.requests.length;
  clock.advance(3_600_000);
  await settled();
  assert.equal(server.requests.length, before);
  assert.equal(clock.pending, 0);
  await informer.stop();
});

test("an informer misses none of 10,000 events when its watch is cut at random bytes", async () => {
  const seed = 20260721;
  const random = seededRandom(seed);
  const { server, clock, informer, failures } = setUp(new FakeServer(), seededRandom(seed + 1));
  server.cut = (bytes) => {
    const at = Math.floor(random() * bytes.length);
    if (random() < 0.01) return [bytes.subarray(0, at), undefined];
    return random() < 0.3 ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes];
  };
  let seen = 0;
  let last = 0;
  informer.subscribe(({ now, was }) => {
    seen++;
    const at = Number((now ?? was)?.metadata.resourceVersion);
    assert.ok(at > last, `revision ${at} after ${last} (seed ${seed})`);
    last = at;
  });
  informer.start();
  await informer.synced;
  const first = server.revision;
  let watches = 0;
  for (let i = 0; i < 10_000; i++) {
    const name = `m${Math.floor(random() * 50)}`;
    if (random() < 0.2 && server.objects.has(name)) server.remove(name);
    else server.put(name, String(i));
    if (i % 97 !== 0) continue;
    await settled();
    clock.advance(60_000);
    await settled();
    watches = server.requests.length;
  }
  while (last < server.revision) {
    await settled();
    clock.advance(60_000);
  }
  assert.deepEqual(failures, []);
  assert.equal(seen, server.revision - first);
  assert.ok(watches > 50, `the watch was opened ${watches} times (seed ${seed})`);
  const held = informer.lister.list().map(({ metadata, data }) => [metadata.name, data?.value]);
  const there = [...server.objects.values()].map(({ metadata, data }) => [metadata.name, data?.value]);
  assert.deepEqual(new Map(held as [string, string][]), new Map(there as [string, string][]));
  await informer.stop();
});

test("an informer goes on when a handler throws", async () => {
  const { server, informer, failures } = setUp();
  informer.subscribe(() => {
    throw new Error("handler");
  });
  const told: string[] = [];
  informer.subscribe(({ key }) => told.push(key));
  informer.start();
  await informer.synced;
  server.put("a", "1");
  await settled();
  assert.deepEqual(told, ["default/a"]);
  assert.match(String(failures[0]), /handler/);
  await informer.stop();
});
