import assert from "node:assert/strict";
import test from "node:test";
import { ROLE, startControlPlaneRole } from "../../src/addons/control-plane-role/start-control-plane-role.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Informers } from "../../src/client/informer/informers.ts";
import { Node, startCluster } from "../../src/testing/index.ts";

test("the node of the control plane gets its role once for each Node, and no other node does", {
  timeout: 240_000,
}, async (t) => {
  await using cluster = await startCluster({ controllers: false, scheduler: false });
  const { client } = cluster;
  const informers = new Informers({ client, clock: systemClock, random: Math.random });
  const role = startControlPlaneRole({
    ...{ client, informers, clock: systemClock, nodeName: "a" },
    log: (_, text) => assert.fail(text),
  });
  t.after(async () => {
    await role.stop();
    await informers.stop();
  });
  const nodes = client.resource(Node);
  const seen = informers.of(Node);
  const hasRole = (name: string): boolean =>
    Object.hasOwn(seen.lister.get("", name)?.metadata.labels ?? {}, ROLE);
  await nodes.create({ metadata: { name: "b" } });
  await nodes.create({ metadata: { name: "a", labels: { mine: "yes" } } });
  await seen.until(() => hasRole("a"));
  assert.equal(seen.lister.get("", "a")?.metadata.labels?.mine, "yes");

  await nodes.patch("a", { metadata: { labels: { [ROLE]: null } } }, { type: "merge" });
  await seen.until(() => !hasRole("a"));
  await nodes.patch("a", { metadata: { labels: { later: "yes" } } }, { type: "merge" });
  await seen.until(() => seen.lister.get("", "a")?.metadata.labels?.later === "yes");
  assert.equal(hasRole("a"), false);

  await nodes.delete("a");
  await nodes.create({ metadata: { name: "a" } });
  await seen.until(() => hasRole("a"));
  assert.equal(hasRole("b"), false);
});
