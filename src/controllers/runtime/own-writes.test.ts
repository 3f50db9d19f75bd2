import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../../api/core/config-map.ts";
import { VirtualClock } from "../../base/clock.ts";
import { openClient } from "../../client/client.ts";
import { Informer } from "../../client/informer/informer.ts";
import { FakeServer } from "../../client/testing/fake-server.ts";
import { InProcessTransport } from "../../client/transports/in-process-transport.ts";
import { OwnWrites } from "./own-writes.ts";

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function followed(server: FakeServer) {
  const client = openClient(new InProcessTransport(server.dispatch));
  const informer = new Informer({
    client: client.resource(ConfigMap, "default"),
    clock: new VirtualClock(),
    random: () => 0,
  });
  informer.start();
  await informer.synced;
  const own = new OwnWrites();
  own.follow(ConfigMap, informer as never);
  return { informer, own };
}

function map(name: string, resourceVersion: number | string) {
  const metadata = { namespace: "default", name, resourceVersion: String(resourceVersion) };
  return { apiVersion: "v1", kind: "ConfigMap", metadata };
}

/** Whether a promise is settled by now. */
async function isSeen(own: OwnWrites): Promise<boolean> {
  let seen = false;
  void (own.seen() ?? Promise.resolve()).then(() => {
    seen = true;
  });
  await settled();
  return seen;
}

test("own writes are seen when the informer has reached the last of them", async () => {
  const server = new FakeServer();
  const { informer, own } = await followed(server);
  assert.equal(own.seen(), undefined);
  const next = informer.revision + 1;
  own.wrote(ConfigMap, map("one", next));
  own.wrote({ ...ConfigMap, group: "", plural: "secrets" }, map("one", next + 50));
  own.wrote(ConfigMap, map("status of an action", ""));
  assert.equal(await isSeen(own), false);
  server.put("one", "1");
  assert.equal(await isSeen(own), true);
  await informer.stop();
});

test("a deletion of one's own is seen when the object is gone or another", async () => {
  const server = new FakeServer();
  const { informer, own } = await followed(server);
  server.put("one", "1");
  await settled();
  own.deleted(ConfigMap, "default", "one");
  own.deleted(ConfigMap, "default", "never-there");
  assert.equal(await isSeen(own), false);
  server.put("two", "1");
  assert.equal(await isSeen(own), false);
  server.remove("one");
  assert.equal(await isSeen(own), true);
  assert.equal(own.seen(), undefined);
  await informer.stop();
});
