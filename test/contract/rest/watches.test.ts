/** watch: where it begins, what it tells, and how it ends. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { configMap, type Event, NAMESPACED, pod, startTestServer, type TestServer } from "./harness.ts";

const MAPS = `${NAMESPACED}/configmaps`;
const PODS = `${NAMESPACED}/pods`;
const MERGE = { "content-type": "application/merge-patch+json" };
const WATCH_LIST =
  "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

let server: TestServer;
before(async () => {
  server = await startTestServer();
  await server.create(`${NAMESPACED}/serviceaccounts`, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
  });
});
after(() => server[Symbol.asyncDispose]());

const said = ({ type, object }: Event): string => `${type} ${object.metadata.name}`;
const revision = (): Promise<number> => server.store.current();
const patch = (url: string, body: object) => server.ask("PATCH", url, { headers: MERGE, body });

describe("a watch begins", () => {
  test("with what there is at resourceVersion 0 and unset, and with what comes at a revision", async () => {
    await server.create(MAPS, configMap("begin-1", {}, { set: "begin" }));
    const at = await revision();
    await server.create(MAPS, configMap("begin-2", {}, { set: "begin" }));
    const url = `${MAPS}?watch=true&labelSelector=set%3Dbegin`;
    const watches = [
      url,
      `${url}&resourceVersion=0`,
      `${url}&resourceVersion=${at}`,
      `${url}&resourceVersion=${await revision()}`,
    ].map((one) => server.watch(one));
    await server.create(MAPS, configMap("begin-3", {}, { set: "begin" }));
    const all = ["ADDED begin-1", "ADDED begin-2", "ADDED begin-3"];
    for (const [i, watch] of watches.entries()) {
      const expected = all.slice([0, 0, 1, 2][i]);
      assert.deepEqual((await watch.take(expected.length)).map(said), expected);
      watch.close();
    }
  });

  test("with a list and a bookmark that marks its end, where sendInitialEvents asks for it", async () => {
    await server.create(MAPS, configMap("stream-1", {}, { set: "stream" }));
    await server.create(MAPS, configMap("stream-2", {}, { set: "stream" }));
    const watch = server.watch(`${MAPS}?${WATCH_LIST}&labelSelector=set%3Dstream`);
    const events = await watch.take(3);
    assert.deepEqual(events.slice(0, 2).map(said), ["ADDED stream-1", "ADDED stream-2"]);
    const { type, object } = events[2]!;
    assert.deepEqual([type, object.kind, object.apiVersion], ["BOOKMARK", "ConfigMap", "v1"]);
    assert.deepEqual(object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
    assert.equal(object.metadata.resourceVersion, String(await revision()));
    await server.create(MAPS, configMap("stream-3", {}, { set: "stream" }));
    assert.equal(said(await watch.next()), "ADDED stream-3");
    watch.close();
  });

  test("with the bookmark alone where nothing matches", async () => {
    const watch = server.watch(`${MAPS}?${WATCH_LIST}&labelSelector=set%3Dnothing`);
    assert.equal((await watch.next()).type, "BOOKMARK");
    watch.close();
  });

  test("with what comes where sendInitialEvents is false", async () => {
    const watch = server.watch(
      `${MAPS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    await watch.answer;
    await server.create(MAPS, configMap("not-initial"));
    assert.equal(said(await watch.next()), "ADDED not-initial");
    watch.close();
  });

  test("at a revision that is yet to come without a word until then", async () => {
    const watch = server.watch(`${MAPS}?watch=true&resourceVersion=${(await revision()) + 1}`);
    assert.equal((await watch.answer).code, 200);
    await server.create(MAPS, configMap("future-1"));
    await server.create(MAPS, configMap("future-2"));
    assert.equal(said(await watch.next()), "ADDED future-2");
    watch.close();
  });

  test("by the older path too", async () => {
    const watch = server.watch(`/api/v1/watch/namespaces/default/configmaps/old-path`);
    await server.create(MAPS, configMap("old-path"));
    assert.equal(said(await watch.next()), "ADDED old-path");
    watch.close();
  });
});

describe("a selector's watch tells", () => {
  test("of objects that come into and leave a label selector", async () => {
    const watch = server.watch(
      `${MAPS}?watch=true&labelSelector=color%3Dred&resourceVersion=${await revision()}`,
    );
    await server.create(MAPS, configMap("paint", { data: { n: "1" } }, { color: "blue" }));
    const red = await patch(`${MAPS}/paint`, { metadata: { labels: { color: "red" } } });
    const changed = await patch(`${MAPS}/paint`, { data: { n: "2" } });
    const green = await patch(`${MAPS}/paint`, {
      metadata: { labels: { color: "green" } },
      data: { n: "3" },
    });
    await patch(`${MAPS}/paint`, { data: { n: "4" } });
    await patch(`${MAPS}/paint`, { metadata: { labels: { color: "red" } } });
    await server.ask("DELETE", `${MAPS}/paint`);
    const events = await watch.take(5);
    watch.close();
    assert.deepEqual(
      events.map(({ type }) => type),
      ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"],
    );
    assert.deepEqual(events[0]!.object, red.object);
    assert.deepEqual(events[1]!.object, changed.object);
    // What leaves is shown as it last was in the selection, under the revision at which it left.
    assert.deepEqual(events[2]!.object, {
      ...changed.object,
      metadata: { ...changed.object.metadata, resourceVersion: green.object.metadata.resourceVersion },
    });
    assert.deepEqual(events[4]!.object.data, { n: "4" });
  });

  test("of pods that come to a node, and of no others", async () => {
    const watch = server.watch(
      `${PODS}?watch=true&fieldSelector=spec.nodeName%3Dn-1&resourceVersion=${await revision()}`,
    );
    await server.create(PODS, pod("scheduled"));
    await server.create(PODS, pod("elsewhere", { spec: { nodeName: "n-2" } }));
    const target = { kind: "Node", name: "n-1" };
    const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: "scheduled" }, target };
    assert.equal((await server.ask("POST", `${PODS}/scheduled/binding`, { body: binding })).code, 201);
    await server.ask("DELETE", `${PODS}/elsewhere?gracePeriodSeconds=0`);
    await server.ask("DELETE", `${PODS}/scheduled?gracePeriodSeconds=0`);
    const events = await watch.take(2);
    watch.close();
    assert.equal(said(events[0]!), "ADDED scheduled");
    assert.equal(events[0]!.object.spec.nodeName, "n-1");
    assert.deepEqual(events.at(-1)!.object.metadata.name, "scheduled");
  });

  test("of one name only, in its own namespace only", async () => {
    await server.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "beside" },
    });
    const query = "watch=true&fieldSelector=metadata.name%3Dtwin";
    const here = server.watch(`${MAPS}?${query}`);
    const everywhere = server.watch(`/api/v1/configmaps?${query}`);
    await server.create("/api/v1/namespaces/beside/configmaps", configMap("twin"));
    await server.create(MAPS, configMap("other"));
    await server.create(MAPS, configMap("twin"));
    assert.equal((await here.next()).object.metadata.namespace, "default");
    assert.deepEqual(
      (await everywhere.take(2)).map(({ object }) => object.metadata.namespace),
      ["beside", "default"],
    );
    here.close();
    everywhere.close();
  });
});

describe("a watch", () => {
  test("gets bookmarks while time passes, where it allows them, and never otherwise", async () => {
    const at = await revision();
    const asked = server.watch(
      `${MAPS}?watch=true&allowWatchBookmarks=true&resourceVersion=${at}&timeoutSeconds=600`,
    );
    const plain = server.watch(`${MAPS}?watch=true&resourceVersion=${at}&timeoutSeconds=600`);
    await asked.answer;
    await plain.answer;
    await server.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "marks" },
    });
    server.clock.advance(60_000);
    const { type, object } = await asked.next();
    assert.equal(type, "BOOKMARK");
    assert.equal(object.metadata.resourceVersion, String(await revision()));
    assert.equal(object.metadata.annotations, undefined);
    // It knows the newest revision: there is nothing to tell until something is written.
    server.clock.advance(600_000);
    assert.deepEqual(await asked.rest(), []);
    assert.deepEqual(await plain.rest(), []);
  });

  test("ends after timeoutSeconds, and within an hour where none is given", async () => {
    const short = server.watch(`${MAPS}?watch=true&timeoutSeconds=5&resourceVersion=${await revision()}`);
    const long = server.watch(`${MAPS}?watch=true&resourceVersion=${await revision()}`);
    await short.answer;
    await long.answer;
    server.clock.advance(5000);
    assert.deepEqual(await short.rest(), []);
    server.clock.advance(3600_000);
    assert.deepEqual(await long.rest(), []);
  });

  test("that its client leaves holds nothing", async () => {
    const { clock } = server;
    const pending = clock.pending;
    const watches = Array.from({ length: 50 }, () =>
      server.watch(`${MAPS}?watch=true&allowWatchBookmarks=true`),
    );
    await Promise.all(watches.map(({ answer }) => answer));
    await new Promise((resolve) => setImmediate(resolve));
    for (const watch of watches) watch.close();
    assert.equal(clock.pending, pending);
  });

  test("whose client has left before it began leaves no watcher behind", async () => {
    const { registry, routes } = server.api;
    const { watchers } = registry.cache.cache(routes.find("", "v1", "configmaps")!.resource);
    const before = watchers.size;
    const at = await revision();
    for (const query of ["", `&resourceVersion=${at}`, "&resourceVersion=0"]) {
      const watch = server.watch(`${MAPS}?watch=true${query}`);
      watch.close();
    }
    const { answer } = server.watch(`${MAPS}?watch=true&timeoutSeconds=1`);
    await answer;
    await new Promise((resolve) => setImmediate(resolve));
    server.clock.advance(1000);
    assert.equal(watchers.size, before);
  });

  test("sees each of many writes once, in order, beside hundreds of others", async () => {
    const at = await revision();
    const selectors = ["", "&labelSelector=kind%3Deven", "&fieldSelector=metadata.namespace%3Ddefault"];
    const watches = Array.from({ length: 300 }, (_, i) => ({
      even: i % 3 === 1,
      watch: server.watch(`${MAPS}?watch=true&resourceVersion=${at}${selectors[i % 3]}`),
    }));
    const labels = (i: number) => ({ kind: i % 2 === 0 ? "even" : "odd" });
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => server.create(MAPS, configMap(`many-${i}`, {}, labels(i)))),
    );
    for (const { even, watch } of watches) {
      const events = await watch.take(even ? 20 : 40);
      watch.close();
      const revisions = events.map(({ object }) => Number(object.metadata.resourceVersion));
      assert.deepEqual(
        revisions,
        [...new Set(revisions)].sort((a, b) => a - b),
      );
    }
  });

  test("whose client asks for more than it may is refused before it opens", async () => {
    const { code, object } = await server.get(`${MAPS}?watch=true`, { token: "alice-token" });
    assert.equal(code, 403);
    assert.equal(
      object.message,
      'configmaps is forbidden: User "alice" cannot watch resource "configmaps" in API group "" in the namespace "default"',
    );
  });
});
