/** What a transport promises, held by each of them against the same server. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { type Client, openClient } from "../../src/client/client.ts";
import { Informer } from "../../src/client/informer/informer.ts";
import { connectionOf } from "../../src/client/kubeconfig/connection.ts";
import { HTTPSTransport } from "../../src/client/transports/https-transport.ts";
import { unusedPort } from "../../src/host/testing/unused-port.ts";
import { startCluster } from "../../src/testing/index.ts";

interface SetUp extends AsyncDisposable {
  client: Client;
}

const transports: Record<string, () => Promise<SetUp>> = {
  "in process": () => startCluster(),
  async https() {
    const cluster = await startCluster({ listen: true });
    const connection = await connectionOf(cluster.kubeconfig);
    const client = openClient(new HTTPSTransport({ ...connection, clock: new VirtualClock() }));
    return {
      client,
      async [Symbol.asyncDispose]() {
        await client.close();
        await cluster.stop();
      },
    };
  },
};

for (const [name, setUp] of Object.entries(transports)) {
  describe(`the transport ${name}`, () => {
    test("carries every verb", async () => {
      await using made = await setUp();
      const maps = made.client.resource(ConfigMap, "default");
      const created = await maps.create({ metadata: { name: "a" }, data: { a: "ü→" } });
      assert.deepEqual((await maps.get("a")).data, { a: "ü→" });
      const updated = await maps.update({ ...created, data: { b: "1" } }, { fieldManager: "me" });
      assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
      await assert.rejects(maps.update({ ...created, data: {} }), { reason: "Conflict", code: 409 });
      const merged = await maps.patch("a", { data: { c: "2" } }, { type: "merge" });
      assert.deepEqual(merged.data, { b: "1", c: "2" });
      const applied = await maps.apply(
        { metadata: { name: "a" }, data: { d: "3" } },
        { fieldManager: "applier" },
      );
      assert.deepEqual(applied.data, { b: "1", c: "2", d: "3" });
      const names = async () => (await maps.list()).items.map(({ metadata }) => metadata.name);
      assert.deepEqual(await names(), ["a", "kube-root-ca.crt"]);
      await maps.delete("a", { preconditions: { uid: created.metadata.uid } });
      await maps.create({ metadata: { name: "b", labels: { of: "test" } } });
      await maps.deleteCollection({ labelSelector: "of=test" });
      assert.deepEqual(await names(), ["kube-root-ca.crt"]);
      await assert.rejects(maps.get("a"), { reason: "NotFound", message: 'configmaps "a" not found' });
    });

    test("carries a body of many pieces", async () => {
      await using made = await setUp();
      const maps = made.client.resource(ConfigMap, "default");
      const value = "x".repeat(900_000);
      await maps.create({ metadata: { name: "large" }, data: { value } });
      assert.equal((await maps.get("large")).data?.value, value);
    });

    test("carries a watch while it carries requests, and ends it when it is told to", async () => {
      await using made = await setUp();
      const maps = made.client.resource(ConfigMap, "default");
      const controller = new AbortController();
      const seen: string[] = [];
      const { resourceVersion } = (await maps.list()).metadata;
      await maps.create({ metadata: { name: "a" } });
      for await (const { type, object } of maps.watch({ resourceVersion, signal: controller.signal })) {
        seen.push(`${type} ${object.metadata.name}`);
        if (type === "ADDED") await maps.patch("a", { data: { a: "1" } }, { type: "merge" });
        if (type === "MODIFIED") await maps.delete("a");
        if (type === "DELETED") controller.abort();
      }
      assert.deepEqual(seen, ["ADDED a", "MODIFIED a", "DELETED a"]);
    });

    test("gives up a request whose signal is aborted", async () => {
      await using made = await setUp();
      const maps = made.client.resource(ConfigMap, "default");
      const reason = new Error("no longer wanted");
      await assert.rejects(maps.get("a", { signal: AbortSignal.abort(reason) }), reason);
    });

    test("keeps an informer in step with 500 objects that come and go", async () => {
      await using made = await setUp();
      const maps = made.client.resource(ConfigMap, "default");
      const informer = new Informer({ client: maps, clock: new VirtualClock(), random: () => 0.5 });
      const done = Promise.withResolvers<void>();
      let added = 0;
      let removed = 0;
      informer.subscribe(({ now, was }) => {
        if (!was) added++;
        if (!now && ++removed === 500) done.resolve();
      });
      informer.start();
      await informer.synced;
      const all = Array.from({ length: 500 }, (_, i) => `map-${i}`);
      await Promise.all(all.map((name) => maps.create({ metadata: { name, labels: { of: "test" } } })));
      await maps.deleteCollection({ labelSelector: "of=test" });
      await done.promise;
      assert.equal(added, 501);
      assert.deepEqual(
        informer.lister.list().map(({ metadata }) => metadata.name),
        ["kube-root-ca.crt"],
      );
      await informer.stop();
    });
  });
}

test("the transport https connects again when its server comes back", async () => {
  const port = await unusedPort();
  const first = await startCluster({ listen: true, port });
  // The second has another CA; who asks for its version need not be known.
  const client = openClient(
    new HTTPSTransport({ server: first.url, insecureSkipVerify: true, clock: new VirtualClock() }),
  );
  await client.request({ method: "GET", path: "/version" });
  await first.stop();
  await assert.rejects(client.request({ method: "GET", path: "/version" }), { name: "TransportError" });
  await using _second = await startCluster({ listen: true, port });
  assert.equal((await client.request({ method: "GET", path: "/version" })).status, 200);
  await client.close();
});
