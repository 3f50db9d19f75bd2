/**
 * What thousands of simulated nodes cost a control plane, and how long it takes over changes of them, in process, with
 * all controllers, the scheduler and the real API server on the memory store.
 *
 *     node bench/scale.ts [idle] [rollout] [drain] [zones] [--nodes N] [--filler N] [--zones N] [--seconds N]
 *
 * `idle` runs on the system's clock; the others on a virtual one, so that what Kubernetes makes wait (grace periods,
 * rates of eviction) is told beside the real seconds that the work takes. Both count the simulated kubelets too.
 */
import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import {
  Deployment,
  Node,
  PodDisruptionBudget,
  type SimulatedCluster,
  startCluster,
  VirtualClock,
  type VirtualCluster,
} from "../src/testing/index.ts";
import { crowd, Drain, isComplete, Picture, SPACE, setImage } from "../test/scenario/crowd.ts";

type BenchCluster = VirtualCluster & SimulatedCluster;

const { values, positionals } = parseArgs({
  options: {
    nodes: { type: "string", default: "5000" },
    filler: { type: "string", default: "10000" },
    zones: { type: "string", default: "90" },
    seconds: { type: "string", default: "30" },
  },
  allowPositionals: true,
});
const NODES = Number(values.nodes);
const FILLER = Number(values.filler);
const ZONES = Number(values.zones);
const DRAINED = Math.round(NODES / 50);

const asked = (name: string): boolean => positionals.length === 0 || positionals.includes(name);

const log = (level: string, text: string, facts?: object): void => {
  if (level !== "info") console.error(level, text, facts);
};

function memory(): string {
  globalThis.gc?.();
  return `${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB RSS`;
}

/** Prints the real seconds, the CPU, and what `run` says of its result. */
async function measure(name: string, run: () => Promise<string>): Promise<void> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const told = await run();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const spent = (user + system) / 1e6;
  console.log(`${name}: ${told} in ${seconds.toFixed(1)} s, ${spent.toFixed(1)} s of CPU, ${memory()}`);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s of the cluster's time`;

async function fill(cluster: BenchCluster): Promise<void> {
  await measure(`filled: ${FILLER} pods of a Deployment`, async () => {
    const { client } = cluster;
    await client.resource(Deployment, SPACE).create(crowd("filler", FILLER));
    return seconds(await cluster.run({ until: () => isComplete(client, "filler") }));
  });
  const budget = { maxUnavailable: "1%", selector: { matchLabels: { app: "filler" } } };
  const metadata = { name: "filler" };
  await cluster.client.resource(PodDisruptionBudget, SPACE).create({ metadata, spec: budget });
}

async function rollOut(cluster: BenchCluster): Promise<void> {
  const { client } = cluster;
  const deployments = client.resource(Deployment, SPACE);
  const complete = async (): Promise<string> =>
    seconds(await cluster.run({ until: () => isComplete(client, "web") }));
  await measure("created: 1000 pods of a Deployment", async () => {
    await deployments.create(crowd("web", 1000));
    return complete();
  });
  await measure("rolled: 1000 pods of a Deployment to a new template", async () => {
    await setImage(client, "web", "web:2");
    return complete();
  });
}

async function drain(cluster: BenchCluster, picture: Picture): Promise<void> {
  const { client, simulation } = cluster;
  const names = new Set([...simulation.nodes.keys()].slice(0, DRAINED));
  await measure(`drained: ${names.size} nodes under a budget of 1% of ${FILLER} pods`, async () => {
    for (const name of names) {
      await client.resource(Node).patch(name, { spec: { unschedulable: true } }, { type: "merge" });
    }
    const found = picture.on(names);
    const evictions = new Drain(cluster, found);
    const done = (): boolean | Promise<boolean> => evictions.left === 0 && isComplete(client, "filler");
    const took = await cluster.run({ until: done });
    if (picture.on(names).length > 0) throw new Error("there are pods on drained nodes");
    return `${found.length} pods, ${evictions.refused} evictions refused, ${seconds(took)}`;
  });
  for (const name of names) {
    await client.resource(Node).patch(name, { spec: { unschedulable: null } }, { type: "merge" });
  }
}

async function loseZones(cluster: BenchCluster, picture: Picture): Promise<void> {
  const { client, simulation } = cluster;
  const lost = [...simulation.nodes.keys()].filter((_, i) => i % ZONES < ZONES / 3);
  const names = new Set(lost);
  await measure(`lost: ${lost.length} nodes, all of ${Math.ceil(ZONES / 3)} zones of ${ZONES}`, async () => {
    const before = picture.on(names).length;
    const all = picture.ready;
    for (const name of lost) simulation.halt(name);
    const took = await spaced(cluster, async () => picture.readyBeside(names) >= all);
    return `${before} pods replaced, ${seconds(took)}`;
  });
  await measure("back: the same nodes", async () => {
    for (const name of lost) simulation.resume(name);
    const well = async (): Promise<boolean> => {
      const { items } = await client.resource(Node).list();
      return (
        items.every(({ spec }) => (spec?.taints ?? []).length === 0) &&
        (await isComplete(client, "filler")) &&
        picture.on(names).every(({ metadata }) => !metadata.deletionTimestamp)
      );
    };
    return seconds(await spaced(cluster, well));
  });
}

/** Asks only once in ten seconds of the cluster's time, because it reads everything. */
async function spaced(cluster: BenchCluster, until: () => Promise<boolean>): Promise<number> {
  const began = cluster.clock.now();
  while (!(await until())) await cluster.pass(10_000);
  return cluster.clock.now() - began;
}

async function idle(): Promise<void> {
  const began = performance.now();
  const cluster = await startCluster({ nodes: NODES, clock: systemClock, log });
  console.log(`started: ${NODES} nodes in ${((performance.now() - began) / 1000).toFixed(1)} s, ${memory()}`);
  const wait = (s: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, s * 1000));
  // What follows from the start: addresses of pods, events, a first look at everything.
  await wait(15);
  await measure(`idle: ${NODES} nodes that send heartbeats`, async () => {
    await wait(Number(values.seconds));
    return "nothing else happened";
  });
  await cluster.stop();
}

if (asked("idle")) await idle();
if (["rollout", "drain", "zones"].some(asked)) {
  const cluster = await startCluster({
    nodes: { count: NODES, zones: ZONES },
    clock: new VirtualClock(),
    seed: 1,
    log,
  });
  await measure("a minute of the cluster's time, idle", async () => {
    await cluster.pass(60_000);
    return `${NODES} nodes`;
  });
  await fill(cluster);
  const picture = await Picture.of(cluster);
  if (asked("rollout")) await rollOut(cluster);
  if (asked("drain")) await drain(cluster, picture);
  if (asked("zones")) await loseZones(cluster, picture);
  await cluster.stop();
}
process.exit(0);
