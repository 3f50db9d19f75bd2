/**
 * Controllers, scheduler and nodes on a bad line: requests and answers are lost, the server is slow or busy, watches are
 * cut and revisions expire. Once the line is good again everything is as it was asked for: nothing twice, nothing left.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/random.ts";
import { ChaosTransport } from "../../src/client/testing/chaos-transport.ts";
import {
  Deployment,
  EndpointSlice,
  Job,
  Pod,
  ReplicaSet,
  Service,
  StatefulSet,
  startCluster,
  VirtualClock,
} from "../../src/testing/index.ts";

const MINUTE = 60_000;
const CHAOS = { lost: 0.04, unanswered: 0.04, refused: 0.04, slow: 300, cut: 20_000, expired: 0.3 };
const SEEDS = process.argv[2] ? [Number(process.argv[2])] : [1, 2, 3, 4];

const podsLike = (app: string, image = "web:1") => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "web", image }] },
});
const selector = (app: string) => ({ matchLabels: { app } });

async function start(seed: number) {
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const lines: ChaosTransport[] = [];
  const cluster = await startCluster({
    clock,
    seed,
    nodes: 4,
    between(transport) {
      const line = new ChaosTransport(transport, { chaos: CHAOS, clock, random });
      lines.push(line);
      return line;
    },
  });
  return { cluster, lines };
}

type Cluster = Awaited<ReturnType<typeof start>>["cluster"];

async function ask({ client }: Cluster): Promise<void> {
  await client.resource(Service, "default").create({
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ports: [{ port: 80, protocol: "TCP" }] },
  });
  await client.resource(Deployment, "default").create({
    metadata: { name: "web" },
    spec: { replicas: 8, selector: selector("web"), template: podsLike("web") },
  });
  await client.resource(StatefulSet, "default").create({
    metadata: { name: "db" },
    spec: { replicas: 3, serviceName: "db", selector: selector("db"), template: podsLike("db") },
  });
  const once = podsLike("batch");
  await client.resource(Job, "default").create({
    metadata: { name: "batch" },
    spec: {
      completions: 6,
      parallelism: 3,
      template: { ...once, spec: { ...once.spec, restartPolicy: "Never" } },
    },
  });
}

/** Everything is as asked for; a text says what is not. */
async function lacking({ client }: Cluster): Promise<string | undefined> {
  const web = await client.resource(Deployment, "default").get("web");
  const { replicas, updatedReplicas, availableReplicas, observedGeneration = 0 } = web.status ?? {};
  if (observedGeneration < web.metadata.generation!) return "web: not seen";
  if ([replicas, updatedReplicas, availableReplicas].some((count) => count !== 5))
    return "web: not rolled out";
  const db = await client.resource(StatefulSet, "default").get("db");
  if (db.status?.availableReplicas !== 3 || db.status.updatedReplicas !== 3) return "db: not there";
  const batch = await client.resource(Job, "default").get("batch");
  return batch.status?.conditions?.some(({ type }) => type === "Complete")
    ? undefined
    : "batch: not complete";
}

async function check({ client }: Cluster): Promise<void> {
  const sets = (await client.resource(ReplicaSet, "default").list()).items;
  const counts = sets
    .map(({ spec }) => `${spec?.template?.spec?.containers[0]?.image} ${spec?.replicas}`)
    .sort();
  assert.deepEqual(counts, ["web:1 0", "web:2 5"]);
  const pods = (await client.resource(Pod, "default").list()).items;
  const of = (app: string) => pods.filter(({ metadata }) => metadata.labels?.app === app);
  assert.equal(of("web").length, 5);
  assert.deepEqual(
    of("db")
      .map(({ metadata }) => metadata.name)
      .sort(),
    ["db-0", "db-1", "db-2"],
  );
  const job = await client.resource(Job, "default").get("batch");
  assert.equal(job.status?.succeeded, 6);
  assert.equal(job.status.failed ?? 0, 0);
  assert.equal(of("batch").filter(({ status }) => status?.phase === "Succeeded").length, 6);
  for (const { metadata } of pods) {
    assert.equal(metadata.ownerReferences?.length, 1, `${metadata.name} has no owner`);
    assert.deepEqual(metadata.finalizers ?? [], [], `${metadata.name} is held`);
    assert.equal(metadata.deletionTimestamp, undefined, `${metadata.name} is not gone`);
  }
  const addresses = pods.map(({ status }) => status?.podIP);
  assert.equal(new Set(addresses).size, pods.length);
  const slices = await client
    .resource(EndpointSlice, "default")
    .list({ labelSelector: "kubernetes.io/service-name=web" });
  const served = slices.items
    .flatMap(({ endpoints }) => endpoints ?? [])
    .flatMap(({ addresses }) => addresses);
  assert.deepEqual(
    served.sort(),
    of("web")
      .map(({ status }) => status?.podIP)
      .sort(),
  );
}

for (const seed of SEEDS) {
  test(`everything comes out as asked for though the line is bad (seed ${seed})`, async (t) => {
    const { cluster, lines } = await start(seed);
    await using _ = cluster;
    for (const line of lines) line.begin();
    await ask(cluster);
    await cluster.pass(10_000);
    const deployments = cluster.client.resource(Deployment, "default");
    await deployments.patch(
      "web",
      { spec: { replicas: 5, template: podsLike("web", "web:2") } },
      { type: "merge" },
    );
    await cluster.pass(2 * MINUTE);
    for (const line of lines) line.end();
    const took = await cluster.run({
      until: async () => (await lacking(cluster)) === undefined,
      within: 60 * MINUTE,
    });
    await cluster.pass(5 * MINUTE);
    await check(cluster);
    const wrong = new Map<string, number>();
    for (const { done } of lines)
      for (const [what, count] of done) wrong.set(what, (wrong.get(what) ?? 0) + count);
    t.diagnostic(`${JSON.stringify(Object.fromEntries(wrong))}, whole ${took / 1000} s after the line was`);
    for (const what of ["lost", "unanswered", "refused", "cut", "expired"]) assert.ok(wrong.get(what), what);
  });
}
