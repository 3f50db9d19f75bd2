/** What must hold over every store: the verbs of one kind, their revisions, and what a watch tells of them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Store } from "../../../src/store/store.ts";
import {
  configMap,
  NAMESPACED,
  pod,
  type Shown,
  startTestServer,
  statusOf,
  type TestServer,
} from "./harness.ts";

export interface CoreStore {
  store: Store;
  /** After the store was closed. */
  cleanUp(): Promise<void>;
}

export function coreCases(backend: string, open: () => Promise<CoreStore>, skip?: string): void {
  describe(`REST over ${backend}`, { skip: skip ?? false }, () => {
    let server: TestServer;
    let opened: CoreStore;
    before(async () => {
      opened = await open();
      server = await startTestServer({ store: opened.store });
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
      await opened.cleanUp();
    });
    writes(() => server);
    reads(() => server);
    watches(() => server);
  });
}

const MAPS = `${NAMESPACED}/configmaps`;
const revisionOf = (object: Shown): number => Number(object.metadata.resourceVersion);

function writes(server: () => TestServer): void {
  test("create, get, update and delete of an object take rising revisions", async () => {
    const created = await server().create(MAPS, configMap("life", { data: { step: "1" } }));
    assert.match(created.metadata.uid ?? "", /^[0-9a-f-]{36}$/);
    const read = await server().get(`${MAPS}/life`);
    assert.deepEqual(read.object, created);
    const updated = await server().ask("PUT", `${MAPS}/life`, { body: { ...created, data: { step: "2" } } });
    assert.equal(updated.code, 200);
    assert.ok(revisionOf(updated.object) > revisionOf(created));
    assert.equal(updated.object.metadata.creationTimestamp, created.metadata.creationTimestamp);
    const deleted = await server().ask("DELETE", `${MAPS}/life`);
    assert.equal(deleted.code, 200);
    const details = { name: "life", kind: "configmaps", uid: created.metadata.uid };
    assert.deepEqual(deleted.object, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details,
    });
    const gone = await server().get(`${MAPS}/life`);
    assert.deepEqual(statusOf(gone), {
      kind: "Status",
      status: "Failure",
      reason: "NotFound",
      code: 404,
      message: 'configmaps "life" not found',
      details: { name: "life", kind: "configmaps" },
    });
  });

  test("create of a name that is taken is AlreadyExists", async () => {
    await server().create(MAPS, configMap("twice"));
    const second = await server().ask("POST", MAPS, { body: configMap("twice") });
    assert.deepEqual(statusOf(second), {
      kind: "Status",
      status: "Failure",
      reason: "AlreadyExists",
      code: 409,
      message: 'configmaps "twice" already exists',
      details: { name: "twice", kind: "configmaps" },
    });
  });

  test("of many creates of one name at once exactly one wins", async () => {
    const all = await Promise.all(
      Array.from({ length: 16 }, () => server().ask("POST", MAPS, { body: configMap("race") })),
    );
    const codes = all.map(({ code }) => code).sort();
    assert.deepEqual(codes, [201, ...Array.from({ length: 15 }, () => 409)]);
  });

  test("an update from an old revision is a Conflict with upstream's text", async () => {
    const first = await server().create(MAPS, configMap("lock", { data: { n: "1" } }));
    await server().ask("PUT", `${MAPS}/lock`, { body: { ...first, data: { n: "2" } } });
    const late = await server().ask("PUT", `${MAPS}/lock`, { body: { ...first, data: { n: "3" } } });
    assert.deepEqual(statusOf(late), {
      kind: "Status",
      status: "Failure",
      reason: "Conflict",
      code: 409,
      message:
        'Operation cannot be fulfilled on configmaps "lock": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: "lock", kind: "configmaps" },
    });
  });

  test("of many updates from one revision exactly one wins", async () => {
    const base = await server().create(MAPS, configMap("contended", { data: { n: "0" } }));
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        server().ask("PUT", `${MAPS}/contended`, { body: { ...base, data: { n: `${i + 1}` } } }),
      ),
    );
    assert.equal(all.filter(({ code }) => code === 200).length, 1);
    assert.equal(all.filter(({ code }) => code === 409).length, 15);
  });

  test("patches of one object at once all take effect", async () => {
    await server().create(MAPS, configMap("patched"));
    const headers = { "content-type": "application/merge-patch+json" };
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        server().ask("PATCH", `${MAPS}/patched`, { headers, body: { data: { [`k${i}`]: "v" } } }),
      ),
    );
    assert.deepEqual([...new Set(all.map(({ code }) => code))], [200]);
    const { object } = await server().get(`${MAPS}/patched`);
    assert.equal(Object.keys(object.data).length, 16);
  });

  test("what a request is checked against knows of the request before it", async () => {
    for (let i = 0; i < 5; i++) {
      const name = `fresh-${i}`;
      const type = { apiVersion: "v1", metadata: { name } };
      await server().create("/api/v1/namespaces", { ...type, kind: "Namespace" });
      await server().create(`/api/v1/namespaces/${name}/serviceaccounts`, {
        ...type,
        kind: "ServiceAccount",
      });
      const spec = { serviceAccountName: name };
      await server().create(`/api/v1/namespaces/${name}/pods`, pod(name, { spec }));
      await server().ask("DELETE", `/api/v1/namespaces/${name}`);
      const late = await server().ask("POST", `/api/v1/namespaces/${name}/configmaps`, {
        body: configMap(name),
      });
      assert.equal(late.code, 403, late.text);
    }
  });

  test("an update that changes nothing keeps the revision", async () => {
    const created = await server().create(MAPS, configMap("same", { data: { a: "b" } }));
    const { code, object } = await server().ask("PUT", `${MAPS}/same`, { body: created });
    assert.equal(code, 200);
    assert.deepEqual(object, created);
  });

  test("an object with finalizers goes when the last one is taken away", async () => {
    const made = configMap("held");
    const created = await server().create(MAPS, {
      ...made,
      metadata: { ...made.metadata, finalizers: ["example.com/hold"] },
    });
    const deleted = await server().ask("DELETE", `${MAPS}/held`);
    assert.equal(deleted.code, 200);
    assert.equal(deleted.object.kind, "ConfigMap");
    assert.ok(deleted.object.metadata.deletionTimestamp);
    assert.equal(deleted.object.metadata.deletionGracePeriodSeconds, 0);
    assert.ok(revisionOf(deleted.object) > revisionOf(created));
    const headers = { "content-type": "application/merge-patch+json" };
    const freed = await server().ask("PATCH", `${MAPS}/held`, {
      headers,
      body: { metadata: { finalizers: null } },
    });
    assert.equal(freed.code, 200);
    assert.equal((await server().get(`${MAPS}/held`)).code, 404);
  });
}

function reads(server: () => TestServer): void {
  test("a paged list stays at one revision while writes go on", async () => {
    for (let i = 0; i < 7; i++) await server().create(MAPS, configMap(`page-${i}`, {}, { set: "pages" }));
    const selector = "labelSelector=set%3Dpages";
    const first = await server().get(`${MAPS}?limit=3&${selector}`);
    await server().create(MAPS, configMap("page-1a", {}, { set: "pages" }));
    await server().ask("DELETE", `${MAPS}/page-5`);
    const names = first.object.items.map(({ metadata }) => metadata.name);
    let token = first.object.metadata.continue;
    while (token) {
      const { object } = await server().get(
        `${MAPS}?limit=3&${selector}&continue=${encodeURIComponent(token)}`,
      );
      assert.equal(object.metadata.resourceVersion, first.object.metadata.resourceVersion);
      names.push(...object.items.map(({ metadata }) => metadata.name));
      token = object.metadata.continue;
    }
    assert.deepEqual(
      names,
      [0, 1, 2, 3, 4, 5, 6].map((i) => `page-${i}`),
    );
  });

  test("a list at an exact revision shows what stood then", async () => {
    const created = await server().create(MAPS, configMap("then", { data: { is: "old" } }, { set: "then" }));
    const changed = await server().ask("PUT", `${MAPS}/then`, { body: { ...created, data: { is: "new" } } });
    const url = `${MAPS}?labelSelector=set%3Dthen&resourceVersionMatch=Exact&resourceVersion=`;
    const old = await server().get(url + created.metadata.resourceVersion);
    assert.equal(old.object.metadata.resourceVersion, created.metadata.resourceVersion);
    assert.equal(old.object.items[0]!.data.is, "old");
    const now = await server().get(url + changed.object.metadata.resourceVersion);
    assert.equal(now.object.items[0]!.data.is, "new");
  });

  test("an acknowledged write is in the list that follows", async () => {
    for (let i = 0; i < 5; i++) {
      await server().create(MAPS, configMap(`seen-${i}`, {}, { set: "seen" }));
      const { object } = await server().get(`${MAPS}?labelSelector=set%3Dseen`);
      assert.equal(object.items.length, i + 1);
    }
  });

  test("a collection is deleted by a selector and leaves the others", async () => {
    for (const [name, set] of [
      ["drop-1", "drop"],
      ["drop-2", "drop"],
      ["kept", "keep"],
    ] as const)
      await server().create(MAPS, configMap(name, {}, { set }));
    const { code, object } = await server().ask("DELETE", `${MAPS}?labelSelector=set%3Ddrop`);
    assert.equal(code, 200);
    assert.equal(object.kind, "ConfigMapList");
    const left = await server().get(`${MAPS}?labelSelector=set%20in%20(drop,keep)`);
    assert.deepEqual(
      left.object.items.map(({ metadata }) => metadata.name),
      ["kept"],
    );
  });
}

function watches(server: () => TestServer): void {
  test("a watch from a list's revision tells every later step once and in order", async () => {
    const list = await server().get(MAPS);
    const watch = server().watch(
      `${MAPS}?watch=true&resourceVersion=${list.object.metadata.resourceVersion}`,
    );
    const created = await server().create(MAPS, configMap("told", { data: { n: "1" } }));
    const updated = await server().ask("PUT", `${MAPS}/told`, { body: { ...created, data: { n: "2" } } });
    await server().ask("DELETE", `${MAPS}/told`);
    const events = await watch.take(3);
    watch.close();
    assert.deepEqual(
      events.map(({ type }) => type),
      ["ADDED", "MODIFIED", "DELETED"],
    );
    assert.deepEqual(events[0]!.object, created);
    assert.deepEqual(events[1]!.object, updated.object);
    assert.deepEqual(events[2]!.object.data, { n: "2" });
    assert.ok(revisionOf(events[2]!.object) > revisionOf(updated.object));
  });

  test("a watch from an old revision tells what has happened since", async () => {
    const { object } = await server().get(MAPS);
    await server().create(MAPS, configMap("past-1"));
    await server().create(MAPS, configMap("past-2"));
    await server().ask("DELETE", `${MAPS}/past-1`);
    const watch = server().watch(`${MAPS}?watch=1&resourceVersion=${object.metadata.resourceVersion}`);
    const events = await watch.take(3);
    watch.close();
    assert.deepEqual(
      events.map(({ type, object }) => `${type} ${object.metadata.name}`),
      ["ADDED past-1", "ADDED past-2", "DELETED past-1"],
    );
  });

  test("a watch without a revision begins with what there is", async () => {
    await server().create(MAPS, configMap("there", {}, { set: "initial" }));
    const watch = server().watch(`${MAPS}?watch=true&labelSelector=set%3Dinitial`);
    const first = await watch.next();
    assert.deepEqual([first.type, first.object.metadata.name], ["ADDED", "there"]);
    await server().create(MAPS, configMap("later", {}, { set: "initial" }));
    const second = await watch.next();
    watch.close();
    assert.deepEqual([second.type, second.object.metadata.name], ["ADDED", "later"]);
  });
}
