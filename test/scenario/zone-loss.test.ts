import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DaemonSet,
  Deployment,
  EndpointSlice,
  Node,
  Service,
  startCluster,
  VirtualClock,
} from "../../src/testing/index.ts";
import { crowd, isComplete, Picture, SPACE } from "./crowd.ts";

const NODES = 60;
const REPLICAS = 180;
const MINUTE = 60_000;
/** A node is taken for lost when it was silent for 50 seconds, which the ten between two heartbeats may precede. */
const SILENCE = 50_000;
/** Upstream drives pods away from one node of a zone in ten seconds; each pod goes 300 seconds after that. */
const PACE = 10_000;
const TOLERATED = 300_000;

test("pods of a zone that is lost leave service soon, are replaced elsewhere in time, and are gone when it is back", async () => {
  await using cluster = await startCluster({
    clock: new VirtualClock(),
    seed: 7,
    nodes: { count: NODES, zones: 3 },
  });
  const { client, simulation } = cluster;
  const deployments = client.resource(Deployment, SPACE);
  const complete = () => isComplete(client, "web");
  await deployments.create(crowd("web", REPLICAS));
  const { selector, template } = crowd("agent", 1).spec;
  await client
    .resource(DaemonSet, SPACE)
    .create({ metadata: { name: "agent" }, spec: { selector, template } });
  const spec = { selector: { app: "web" }, ports: [{ port: 80 }] };
  await client.resource(Service, SPACE).create({ metadata: { name: "web" }, spec });
  await cluster.run({ until: complete, within: MINUTE });
  await cluster.pass(MINUTE);
  const picture = await Picture.of(cluster);
  const inService = async (): Promise<string[]> => {
    const { items } = await client.resource(EndpointSlice, SPACE).list();
    return items.flatMap(({ endpoints }) =>
      (endpoints ?? []).filter(({ conditions }) => conditions?.ready).map(({ nodeName }) => nodeName ?? ""),
    );
  };
  const agents = (): number =>
    picture.on(lost).filter(({ metadata }) => metadata.labels?.app === "agent").length;
  const web = (): number => picture.readyBeside(lost) - (NODES - lost.size);
  const lost = new Set(
    [...simulation.nodes.values()].filter(({ shape }) => shape.zone === "zone-b").map(({ name }) => name),
  );
  assert.equal(lost.size, 20);
  const there = web();
  assert.ok(there > 100 && there < 140, `${there} pods are elsewhere`);
  assert.equal((await inService()).length, REPLICAS);

  const began = cluster.clock.now();
  for (const name of lost) simulation.halt(name);
  await cluster.pass(SILENCE + 5000);
  const serving = await inService();
  assert.equal(serving.length, there);
  assert.ok(serving.every((name) => !lost.has(name)));
  assert.equal((await deployments.get("web")).status?.availableReplicas, there);
  assert.equal(picture.all().length, REPLICAS + NODES, "pods were replaced before their time");

  await cluster.run({ until: () => web() === REPLICAS, within: 20 * MINUTE });
  const took = cluster.clock.now() - began;
  const expected = SILENCE + PACE * (lost.size - 1) + TOLERATED;
  assert.ok(Math.abs(took - expected) < 15_000, `replaced after ${took} ms, not ${expected}`);
  assert.equal(agents(), lost.size, "pods of the daemon set were driven away");
  const { length: dying } = picture.all().filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  assert.equal(dying, REPLICAS - there, "only a kubelet may say that its pods are gone");

  for (const name of lost) simulation.resume(name);
  await cluster.pass(MINUTE);
  assert.equal(picture.all().length, REPLICAS + NODES);
  assert.equal(picture.ready, REPLICAS + NODES);
  assert.equal((await inService()).length, REPLICAS);
  const { items } = await client.resource(Node).list();
  assert.ok(items.every(({ spec }) => (spec?.taints ?? []).length === 0));
  await picture.stop();
});
