/** Somebody sets the machine's clock: nothing that is measured in time that elapses may take it for elapsed time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../src/base/clock.ts";
import { Deployment, Node, Pod, startCluster, type VirtualCluster } from "../../src/testing/index.ts";

const DAY = 24 * 60 * 60_000;

/** What of the cluster would change if nodes were taken for lost. */
async function picture({ client }: VirtualCluster) {
  const nodes = await client.resource(Node).list();
  const pods = await client.resource(Pod, "default").list();
  return {
    nodes: nodes.items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      taints: spec?.taints,
      ready: status?.conditions?.find(({ type }) => type === "Ready")?.status,
    })),
    pods: pods.items.map(({ metadata, status }) => `${metadata.uid} ${status?.phase}`).sort(),
  };
}

function deployment(name: string, replicas: number): Omit<Deployment, "apiVersion" | "kind"> {
  const labels = { app: name };
  const spec = { containers: [{ name: "c", image: "c" }] };
  return {
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

for (const [how, ms] of [
  ["forward", DAY],
  ["back", -DAY],
] as const) {
  test(`a cluster whose clock is set ${how} by a day loses no node, evicts nothing and goes on`, async () => {
    const clock = new VirtualClock();
    await using cluster = await startCluster({ clock, nodes: { count: 3 } });
    const { client } = cluster;
    const deployments = client.resource(Deployment, "default");
    await deployments.create(deployment("before", 6));
    const readyIs = (name: string, count: number) => async (): Promise<boolean> =>
      (await deployments.get(name)).status?.readyReplicas === count;
    await cluster.run({ until: readyIs("before", 6) });
    const before = await picture(cluster);
    // One waits for room, with a back-off that is under way when the clock jumps.
    await client.resource(Pod, "default").create({
      metadata: { name: "waits" },
      spec: { nodeSelector: { wanted: "yes" }, containers: [{ name: "c", image: "c" }] },
    });
    await cluster.pass(500);

    clock.jump(ms);
    // Whoever looks at a node now must not find that it was silent for a day.
    const changed = { metadata: { labels: { looked: "at" } } };
    for (const name of ["node-0", "node-1", "node-2"])
      await client.resource(Node).patch(name, changed, { type: "merge" });
    await cluster.settle();
    assert.deepEqual((await picture(cluster)).nodes, before.nodes);
    await deployments.create(deployment("after", 3));
    const took = await cluster.run({ until: readyIs("after", 3) });
    assert.ok(took < 5_000, `${took} ms`);
    await client
      .resource(Node)
      .patch("node-0", { metadata: { labels: { wanted: "yes" } } }, { type: "merge" });
    const runs = async (): Promise<boolean> =>
      (await client.resource(Pod, "default").get("waits")).status?.phase === "Running";
    await cluster.run({ until: runs });
    await deployments.delete("after", { propagationPolicy: "Foreground" });
    await client.resource(Pod, "default").delete("waits", { gracePeriodSeconds: 0 });
    // Longer than nodes may be silent, and than pods bear it.
    await cluster.pass(8 * 60_000);
    assert.deepEqual(await picture(cluster), before);
    cluster.simulation.halt("node-2");
    await cluster.pass(61_000);
    assert.deepEqual(
      (await picture(cluster)).nodes.map(({ ready }) => ready),
      ["True", "True", "Unknown"],
    );
  });
}
