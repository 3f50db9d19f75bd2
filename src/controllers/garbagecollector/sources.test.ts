import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { DiscoveredKind } from "../../client/discovery.ts";
import { Informers } from "../../client/informer/informers.ts";
import type { WatchOptions } from "../../client/options.ts";
import { Sources } from "./sources.ts";

const VERBS = ["list", "watch", "delete"];

function kind(kind: string, group = "example.com", verbs = VERBS): DiscoveredKind {
  return { group, version: "v1", kind, plural: `${kind.toLowerCase()}s`, scope: "Namespaced", verbs };
}

function setUp() {
  const watching = new Set<string>();
  const seen: string[] = [];
  const gone: string[] = [];
  const forgotten: string[] = [];
  async function* watch(plural: string, { signal }: WatchOptions = {}) {
    watching.add(plural);
    const metadata = { name: "one", namespace: "default", uid: `uid-of-${plural}`, resourceVersion: "1" };
    const object = { apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata", metadata };
    yield { type: "ADDED" as const, object };
    const annotations = { "k8s.io/initial-events-end": "true" };
    yield {
      type: "BOOKMARK" as const,
      object: { ...object, metadata: { resourceVersion: "1", annotations } },
    };
    await new Promise((resolve) => signal?.addEventListener("abort", resolve));
    watching.delete(plural);
  }
  const client = {
    metadata: ({ plural }: DiscoveredKind) => ({
      lasting: true,
      listAll: () => Promise.reject(new Error("not asked for")),
      watch: (options: WatchOptions) => watch(plural, options),
    }),
  } as unknown as Client;
  const clock = new VirtualClock();
  const random = (): number => 0;
  const sources = new Sources(
    new Informers({ client, clock, random }),
    {
      client,
      clock,
      random,
      seen: ({ plural }, { metadata }) => seen.push(`${plural} ${metadata.uid}`),
      gone: (uid) => gone.push(uid),
    },
    ({ plural }) => forgotten.push(plural),
  );
  return { sources, watching, seen, gone, forgotten };
}

test("sources follow what can be listed, watched and deleted, except events", async () => {
  const { sources, watching, seen } = setUp();
  const resources = [
    kind("Boat"),
    kind("Review", "example.com", ["create"]),
    kind("Event", ""),
    kind("Event", "events.k8s.io"),
  ];
  sources.follow({ resources, failed: [] });
  await sources.synced();
  assert.deepEqual([...watching], ["boats"]);
  assert.deepEqual(seen, ["boats uid-of-boats"]);
  const boats = sources.sourceOf(kind("Boat"));
  assert.equal(boats?.uidOf("default", "one"), "uid-of-boats");
  assert.equal(boats?.uidOf("default", "two"), undefined);
  assert.equal(boats?.namespaceOf("uid-of-boats"), "default");
  // An owner may be of a kind that is not followed: the server is asked for it then.
  const reference = { apiVersion: "example.com/v9", kind: "Review", name: "some", uid: "1" };
  assert.equal(sources.kindOf(reference)?.plural, "reviews");
  sources.stop();
});

test("sources forget a kind that is served no more, and keep one whose server is silent", async () => {
  const { sources, watching, forgotten, gone } = setUp();
  sources.follow({ resources: [kind("Boat"), kind("Ship", "away.com")], failed: [] });
  await sources.synced();
  sources.follow({ resources: [kind("Car")], failed: [{ groupVersion: "away.com/v1", why: "stale" }] });
  await sources.synced();
  assert.deepEqual([...watching].sort(), ["cars", "ships"]);
  assert.deepEqual(forgotten, ["boats"]);
  assert.deepEqual(gone, [], "that a kind is gone says nothing of an object");
  const reference = { apiVersion: "example.com/v1", kind: "Boat", name: "some", uid: "1" };
  assert.equal(sources.kindOf(reference), undefined);
  sources.stop();
});

test("sources begin a kind anew when its group prefers another version", async () => {
  const { sources, forgotten } = setUp();
  sources.follow({ resources: [kind("Boat")], failed: [] });
  await sources.synced();
  const newer = { ...kind("Boat"), version: "v2" };
  sources.follow({ resources: [newer], failed: [] });
  await sources.synced();
  assert.deepEqual(forgotten, ["boats"]);
  assert.equal(sources.sourceOf(newer)?.kind.version, "v2");
  assert.equal(sources.sourceOf(kind("Boat")), undefined);
  sources.stop();
});
