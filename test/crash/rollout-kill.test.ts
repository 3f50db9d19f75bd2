/**
 * A server with all controllers, the scheduler and simulated nodes, killed at any point of a Deployment's rollouts:
 * whatever was half done is finished by the next one, and nothing is made twice.
 *
 * `node test/crash/rollout-kill.test.ts 100` kills it a hundred times.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Random } from "../fuzz/random.ts";
import { type ServerProcess, type Shown, startServer } from "./server-process.ts";

const KILLS = Number(process.argv[2] ?? 10);
const REPLICAS = 12;
/** Of maxSurge, 25 %. */
const SURGE = 3;
const WITH_ALL = ["--simulate-nodes", "3"];
const DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/web";
const SETS = "/apis/apps/v1/namespaces/default/replicasets";
const PODS = "/api/v1/namespaces/default/pods";

interface Deployment extends Shown {
  metadata: Shown["metadata"] & { generation: number };
  spec: { template: { spec: { containers: { image: string }[] } } };
  status: Record<string, number | undefined>;
}

interface Pod extends Shown {
  metadata: Shown["metadata"] & {
    uid: string;
    deletionTimestamp?: string;
    ownerReferences: { uid: string }[];
  };
  spec: { nodeName?: string; containers: { image: string }[] };
  status: { phase: string; podIP?: string };
}

interface ReplicaSet extends Shown {
  metadata: Shown["metadata"] & { uid: string };
  spec: Deployment["spec"] & { replicas: number };
}

const folder = await mkdtemp(join(tmpdir(), "kybern-rollout-kill-"));
after(() => rm(folder, { recursive: true, force: true }));

function deployment(image: string): object {
  const template = {
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "web", image }], terminationGracePeriodSeconds: 1 },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas: REPLICAS,
      revisionHistoryLimit: 1000,
      selector: { matchLabels: { app: "web" } },
      template,
    },
  };
}

/** Asks for another image as soon as the server is up. */
async function roll(server: ServerProcess, image: string): Promise<void> {
  const first = await server.ask("GET", DEPLOYMENT);
  if (first.code === 404) {
    await server.ok("POST", DEPLOYMENT.replace("/web", ""), deployment(image));
    return;
  }
  for (let code = 409; code === 409; ) {
    const now = (await server.ok("GET", DEPLOYMENT)) as Deployment;
    now.spec.template.spec.containers[0]!.image = image;
    const answer = await server.ask("PUT", DEPLOYMENT, now);
    assert.ok(answer.code === 200 || answer.code === 409, `${answer.code} ${answer.object.message}`);
    code = answer.code;
  }
}

/** Fails where there are ever more pods than a rollout may have. */
function followPods(server: ServerProcess, most: { seen: number }): Promise<{ properly: boolean }> {
  const active = new Set<string>();
  return server.watch(`${PODS}?watch=true&labelSelector=app%3Dweb`, (event) => {
    const { metadata, status } = event.object as Pod;
    const ended = status?.phase === "Failed" || status?.phase === "Succeeded";
    if (event.type === "DELETED" || metadata.deletionTimestamp || ended) active.delete(metadata.uid);
    else active.add(metadata.uid);
    most.seen = Math.max(most.seen, active.size);
  });
}

/** Resolves once the deployment says that it is done. */
async function converged(server: ServerProcess): Promise<void> {
  const done = new AbortController();
  const url = `${DEPLOYMENT.replace("/web", "")}?watch=true&fieldSelector=metadata.name%3Dweb`;
  await server.watch(
    url,
    ({ object }) => {
      const { metadata, status } = object as Deployment;
      const { replicas, updatedReplicas, availableReplicas, observedGeneration = 0 } = status;
      const all = [replicas, updatedReplicas, availableReplicas].every((count) => count === REPLICAS);
      if (all && observedGeneration >= metadata.generation) done.abort();
    },
    done.signal,
  );
}

async function items<T>(server: ServerProcess, path: string): Promise<T[]> {
  return ((await server.ok("GET", path)).items ?? []) as unknown as T[];
}

async function check(server: ServerProcess, image: string): Promise<void> {
  const sets = await items<ReplicaSet>(server, SETS);
  const images = sets.map(({ spec }) => spec.template.spec.containers[0]!.image);
  assert.deepEqual(images.length, new Set(images).size, "two ReplicaSets for one template");
  const current = sets.find(({ spec }) => spec.template.spec.containers[0]!.image === image);
  assert.ok(current);
  for (const { metadata, spec } of sets)
    assert.equal(spec.replicas, metadata === current.metadata ? REPLICAS : 0);
  const pods = (await items<Pod>(server, PODS)).filter(({ metadata }) => !metadata.deletionTimestamp);
  assert.equal(pods.length, REPLICAS);
  for (const { metadata } of pods) assert.equal(metadata.ownerReferences[0]?.uid, current.metadata.uid);
  assert.equal(new Set(pods.map(({ status }) => status.podIP)).size, REPLICAS, "two pods have one address");
}

test(`rollouts go on to their end though the process is killed ${KILLS} times`, async (t) => {
  const seed = Date.now() % 0x7fffffff;
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const directory = join(folder, "data");
  const most = { seen: 0 };
  let image = "";
  for (let kill = 0; kill < KILLS; kill++) {
    const server = await startServer(directory, WITH_ALL);
    const following = followPods(server, most);
    image = `web:${kill}`;
    await roll(server, image);
    await new Promise((resolve) => setTimeout(resolve, random.below(600)));
    server.kill("SIGKILL");
    assert.equal((await server.ended).signal, "SIGKILL");
    server.forget();
    await following;
  }
  const server = await startServer(directory, WITH_ALL);
  const following = followPods(server, most);
  image = "web:last";
  await roll(server, image);
  await converged(server);
  await check(server, image);
  t.diagnostic(`at most ${most.seen} pods at a time`);
  assert.ok(most.seen <= REPLICAS + SURGE, `there were ${most.seen} pods at a time`);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  await following;
});
