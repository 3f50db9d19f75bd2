/**
 * How many pods a second the scheduler gives their nodes, binds included: in process, with the real API server on the
 * memory store, after the shapes of upstream's scheduler_perf.
 *
 *     node bench/scheduler.ts [shape …] [--nodes N] [--pods N]
 *
 * Pods are created before the clock starts; it stops when a watch has shown all of them on nodes.
 */
import { parseArgs } from "node:util";
import type { PodSpec } from "../src/api/schema/core.v1.generated.ts";
import { systemClock } from "../src/base/clock.ts";
import { seededRandom } from "../src/base/random.ts";
import { Informers } from "../src/client/informer/informers.ts";
import { type RunningScheduler, startScheduler } from "../src/scheduler/start.ts";
import type { Cluster } from "../src/testing/index.ts";
import { Namespace, Node, Pod, startCluster } from "../src/testing/index.ts";

interface Shape {
  nodes: number;
  /** Pods that have nodes before. */
  initial: number;
  pods: number;
  zones?: number;
  /** Of the initial pods, and of those that are measured. */
  before?: (i: number) => PodShape;
  pod: (i: number) => PodShape;
}

interface PodShape {
  labels?: Record<string, string>;
  spec?: Partial<PodSpec>;
  requests?: Record<string, string>;
}

const REQUESTS = { cpu: "100m", memory: "500Mi" };
const ZONE = "topology.kubernetes.io/zone";
const HOSTNAME = "kubernetes.io/hostname";

const shapes: Record<string, Shape> = {
  "5500-on-100": {
    nodes: 100,
    initial: 0,
    pods: 5500,
    pod: () => ({ requests: { cpu: "10m", memory: "10Mi" } }),
  },
  basic: { nodes: 5000, initial: 1000, pods: 1000, pod: () => ({}) },
  "node-affinity": {
    nodes: 5000,
    initial: 5000,
    pods: 10_000,
    zones: 1,
    before: () => affineToZone(),
    pod: () => affineToZone(),
  },
  "topology-spreading": {
    nodes: 5000,
    initial: 5000,
    pods: 5000,
    zones: 3,
    pod: () => ({
      labels: { color: "blue" },
      spec: {
        topologySpreadConstraints: [
          {
            maxSkew: 5,
            topologyKey: ZONE,
            whenUnsatisfiable: "DoNotSchedule",
            labelSelector: { matchLabels: { color: "blue" } },
          },
        ],
      },
    }),
  },
  "pod-affinity": {
    nodes: 5000,
    initial: 5000,
    pods: 1000,
    zones: 1,
    before: () => affineToPods(),
    pod: () => affineToPods(),
  },
  preemption: {
    nodes: 500,
    initial: 2000,
    pods: 500,
    before: () => ({ requests: { cpu: "900m", memory: "500Mi" } }),
    pod: () => ({ requests: { cpu: "3", memory: "500Mi" }, spec: { priority: 10 } }),
  },
};

function affineToZone(): PodShape {
  const term = { matchExpressions: [{ key: ZONE, operator: "In", values: ["zone0", "zone-other"] }] };
  const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } };
  return { spec: { affinity: { nodeAffinity } } };
}

function affineToPods(): PodShape {
  const term = { labelSelector: { matchLabels: { color: "blue" } }, topologyKey: ZONE };
  const podAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [term] };
  return { labels: { color: "blue" }, spec: { affinity: { podAffinity } } };
}

const { values, positionals } = parseArgs({
  options: { nodes: { type: "string" }, pods: { type: "string" }, initial: { type: "string" } },
  allowPositionals: true,
});

async function inParallel(count: number, run: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: 64 }, worker));
}

async function makeNodes({ client }: Cluster, { nodes, zones = 0 }: Shape): Promise<void> {
  const allocatable = { cpu: "4", memory: "32Gi", pods: "110" };
  await inParallel(nodes, async (i) => {
    const name = `node-${i}`;
    const labels: Record<string, string> = { [HOSTNAME]: name };
    if (zones > 0) labels[ZONE] = `zone${i % zones}`;
    const objects = client.resource(Node);
    await objects.create({
      metadata: { name, labels },
      spec: {},
      status: { allocatable, capacity: allocatable, conditions: [{ type: "Ready", status: "True" }] },
    });
    // Admission marks new nodes as not ready; no controller is there to see that they are.
    await objects.patch(name, { spec: { taints: null } }, { type: "merge" });
  });
}

function createPods(
  { client }: Cluster,
  prefix: string,
  count: number,
  shape: (i: number) => PodShape,
): Promise<void> {
  const pods = client.resource(Pod, "bench");
  return inParallel(count, (i) => {
    const { labels, spec, requests = REQUESTS } = shape(i);
    const { priority, ...rest } = spec ?? {};
    return pods.create({
      metadata: { name: `${prefix}-${i}`, labels },
      spec: {
        ...rest,
        ...(priority !== undefined && { priorityClassName: "bench-high" }),
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        containers: [{ name: "c", image: "pause", resources: { requests } }],
      },
    });
  });
}

/** Resolves when so many pods of the prefix are bound; `each` is told of the count. */
function allBound({ client }: Cluster, prefix: string, count: number): Promise<void> {
  const bound = new Set<string>();
  const done = Promise.withResolvers<void>();
  void (async () => {
    const options = {
      sendInitialEvents: true,
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: true,
    } as const;
    for await (const { type, object } of client.resource(Pod, "bench").watch(options)) {
      const { name = "" } = object.metadata;
      if (type === "BOOKMARK" || !object.spec?.nodeName || !name.startsWith(prefix)) continue;
      bound.add(name);
      if (bound.size === count) return done.resolve();
    }
  })();
  return done.promise;
}

function schedule({ client }: Cluster): RunningScheduler {
  const log = (level: string, text: string, facts?: object): void => {
    if (level !== "info") console.error(level, text, facts);
  };
  const informers = new Informers({ client, clock: systemClock, random: Math.random });
  const scheduler = startScheduler({ client, informers, clock: systemClock, random: seededRandom(1), log });
  const stop = async (): Promise<void> => {
    await scheduler.stop();
    await informers.stop();
  };
  return { ...scheduler, stop };
}

async function measure(name: string, shape: Shape): Promise<void> {
  const cluster = await startCluster({
    controllers: ["serviceaccount-controller"],
    scheduler: false,
    log: (level, text, facts) => level !== "info" && console.error(level, text, facts),
  });
  await cluster.client.resource(Namespace).create({ metadata: { name: "bench" } });
  await cluster.client
    .resource({
      group: "scheduling.k8s.io",
      version: "v1",
      kind: "PriorityClass",
      plural: "priorityclasses",
      scope: "Cluster",
    })
    .create({ metadata: { name: "bench-high" }, value: 10 } as never);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await makeNodes(cluster, shape);
  await createPods(cluster, "initial", shape.initial, shape.before ?? shape.pod);
  const first = schedule(cluster);
  await first.ready;
  if (shape.initial > 0) await allBound(cluster, "initial", shape.initial);
  await first.stop();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await createPods(cluster, "measured", shape.pods, shape.pod);
  const waiting = allBound(cluster, "measured", shape.pods);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const scheduler = schedule(cluster);
  await scheduler.ready;
  const [began, used] = [performance.now(), process.cpuUsage()];
  await waiting;
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  console.log(
    `${name}: ${shape.pods} pods on ${shape.nodes} nodes in ${seconds.toFixed(2)} s, ${Math.round(shape.pods / seconds)} pods/s; ${((user + system) / 1e6).toFixed(2)} s of processor`,
  );
  await scheduler.stop();
  await cluster.stop();
}

for (const [name, shape] of Object.entries(shapes)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const { nodes = shape.nodes, pods = shape.pods, initial = shape.initial } = values;
  await measure(name, { ...shape, nodes: Number(nodes), pods: Number(pods), initial: Number(initial) });
}
process.exit(0);
