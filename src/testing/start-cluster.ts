/** A cluster inside a test: store, API server and controllers in this process, gone when the test leaves its block. */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { resources as builtIn } from "../api/index.ts";
import { metricsResources } from "../api/metrics/index.ts";
import type { MetricsSource } from "../api/metrics/metrics-source.ts";
import { type APIServer, type APIServerOptions, startAPIServer } from "../apiserver/api-server.ts";
import { dispatchTo } from "../apiserver/http/dispatch.ts";
import { type RunningServer, serve } from "../apiserver/http/server.ts";
import { foretold } from "../apiserver/random.ts";
import { type Clock, systemClock, VirtualClock } from "../base/clock.ts";
import { seededRandom } from "../base/random.ts";
import { type Client, openClient } from "../client/client.ts";
import type { Transport } from "../client/transport.ts";
import { InProcessTransport } from "../client/transports/in-process-transport.ts";
import { makeKubeconfig, printKubeconfig } from "../cluster/kubeconfig/kubeconfig.ts";
import type { KeyPair } from "../cluster/pki/certificate.ts";
import type { ControllerSettings } from "../controllers/runtime/controller.ts";
import { startAllControllers } from "../controllers/start.ts";
import type { SchedulerConfiguration } from "../scheduler/configuration/configuration.ts";
import { readSchedulerConfiguration } from "../scheduler/configuration/read-configuration.ts";
import { DECISIONS_PATH } from "../scheduler/decisions/explanation.ts";
import { plugins } from "../scheduler/plugins/index.ts";
import { runScheduler } from "../scheduler/run-scheduler.ts";
import { type NodeShape, type NodesOptions, nodeShapes } from "../simulate/node-shape.ts";
import { type Simulation, type SimulationOptions, startSimulation } from "../simulate/simulation.ts";
import type { Stage } from "../simulate/stage.ts";
import { openMemory } from "../store/memory/open-memory.ts";
import { Activity } from "./activity.ts";
import { makeCredentials, shown, type TestCredentials } from "./credentials.ts";
import { type VirtualTime, virtualTime } from "./virtual-time.ts";

export interface ClusterOptions {
  /** Opens an HTTPS port of 127.0.0.1, for kubectl and other programs. Off: no socket at all. */
  listen?: boolean;
  /** The port to listen on; a free one by default. */
  port?: number;
  /**
   * On by default; without them the API server stands alone, as objects are written. A list chooses among them as
   * --controllers does: `["*", "-node-lifecycle-controller"]`.
   */
  controllers?: boolean | readonly string[];
  /** On by default; without it pods get no node but the one they name. A text is a KubeSchedulerConfiguration. */
  scheduler?: boolean | string;
  /** What the controllers are told of the cluster beside the defaults: ranges of load balancers, a cloud. */
  settings?: Partial<ControllerSettings>;
  /** What the cluster takes for the time. On a VirtualClock the cluster can be driven: see VirtualTime. */
  clock?: Clock;
  /**
   * Where all randomness of the cluster (names, uids, jitter) comes from. On a VirtualClock the same seed gives the same
   * run. A random one by default: `cluster.seed` tells it.
   */
  seed?: number;
  /**
   * Simulated nodes, ready when the cluster is: so many of a usual size, or what is said of them. Pods that are bound to
   * them run; `cluster.simulation` halts and resumes nodes.
   */
  nodes?: number | NodesOptions | readonly NodeShape[];
  /** What the pods on simulated nodes do; by default they run at once, and those of Jobs are done after a second. */
  stages?: readonly Stage[];
  /**
   * Off: simulated nodes send none, and no controller looks for them, so that months of virtual time pass in a moment.
   * On by default.
   */
  heartbeats?: boolean;
  /** What nodes and pods use, told by metrics.k8s.io/v1beta1, for autoscalers. Without it there is no such API. */
  metrics?: MetricsSource;
  /**
   * What the requests of controllers and scheduler, and of the simulated nodes, pass through on their way: for tests of
   * what goes wrong there. The test's own client is spared.
   */
  between?: (transport: Transport) => Transport;
  /** Told of warnings and errors of the components; nothing is printed by default. */
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

/** What `startCluster` gives for its options. */
export type ClusterOf<O extends ClusterOptions> = Cluster &
  (O extends { clock: VirtualClock } ? VirtualCluster : unknown) &
  (O extends { nodes: NonNullable<ClusterOptions["nodes"]> } ? SimulatedCluster : unknown) &
  (O extends { listen: true } ? ListeningCluster : unknown);

export interface Cluster extends AsyncDisposable {
  /** Acts as an administrator (group system:masters), through everything that requests go through. */
  readonly client: Client;
  readonly clock: Clock;
  readonly seed: number;
  /** Ends the cluster; `await using` does it by itself. */
  stop(): Promise<void>;
}

export interface ListeningCluster extends Cluster {
  /** `https://127.0.0.1:port` */
  readonly url: string;
  /** The text of a kubeconfig of the administrator. */
  readonly kubeconfig: string;
}

/** A cluster with nodes that run pods, though there are no machines. */
export interface SimulatedCluster extends Cluster {
  readonly simulation: Simulation;
}

/** A cluster whose time the test moves. */
export interface VirtualCluster extends Cluster, VirtualTime {
  readonly clock: VirtualClock;
}

const SERVICE_CIDR = "10.96.0.0/12";
const CLUSTER_CIDR = "10.244.0.0/16";
/** Milliseconds that requests from outside get to end. */
const GRACE = 500;
/** Milliseconds that the controllers get to give the default namespace its service account. */
const READY_WITHIN = 60_000;

export function startCluster<const O extends ClusterOptions = ClusterOptions>(
  options?: O,
): Promise<ClusterOf<O>>;
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { clock = systemClock, log = () => {}, seed = randomInt(2 ** 32) } = options;
  const random = seededRandom(seed);
  const credentials = makeCredentials(new Date(clock.now()));
  const store = await openMemory({ clock });
  let port = 0;
  const advertise = () => (port === 0 ? undefined : { address: "127.0.0.1", port });
  const resources = options.metrics && [...builtIn, ...metricsResources(options.metrics)];
  const server = await startServer(
    { store, clock, random: foretold(random), advertise, resources, log },
    credentials,
  );
  const activity = new Activity();
  const transportOf = (user?: KeyPair): InProcessTransport => {
    const certificate = user ? shown(user) : undefined;
    const dispatch = dispatchTo(server.handler, certificate && (() => certificate));
    return new InProcessTransport(activity.counted(dispatch));
  };
  const { between = (transport) => transport } = options;
  const client = openClient(transportOf(credentials.admin), { userAgent: "kybern-testing" });
  const controllers =
    options.controllers === false
      ? undefined
      : startAllControllers({
          transport: between(transportOf(credentials.controllerManager)),
          bare: between(transportOf()),
          clock,
          random,
          settings: { ...controllerSettings(credentials), ...options.settings },
          choice: choiceOf(options),
          log,
        });
  const informers = controllers?.informers;
  const scheduler =
    options.scheduler === false
      ? undefined
      : runScheduler({
          transport: between(transportOf(credentials.scheduler)),
          configuration: typeof options.scheduler === "string" ? configured(options.scheduler) : undefined,
          informers,
          clock,
          random,
          elapsed: clock instanceof VirtualClock ? counting() : undefined,
          log,
        });
  const simulation =
    options.nodes === undefined
      ? undefined
      : simulate(
          options,
          { client: openClient(between(transportOf(credentials.admin))), informers, clock, random },
          shapesOf(options.nodes),
          log,
        );
  if (scheduler) server.addDocuments(DECISIONS_PATH, scheduler.explain);
  let listener: RunningServer | undefined;
  const stop = once(async () => {
    await simulation?.stop();
    await scheduler?.stop();
    await controllers?.stop();
    await client.close();
    await server.close();
    await listener?.close(GRACE);
    await store[Symbol.asyncDispose]();
  });
  const revision = (): number => server.registry.cache.revision;
  const time = clock instanceof VirtualClock ? virtualTime({ clock, activity, revision, seed }) : {};
  const parts = { client, clock, seed, ...time, ...(simulation ? { simulation } : {}) };
  const cluster = { ...parts, stop, [Symbol.asyncDispose]: stop };
  try {
    await inTime(Promise.all([controllers?.ready, scheduler?.ready, simulation?.ready]));
    if (!options.listen) return cluster;
    listener = await listen(server, credentials, options.port);
  } catch (error) {
    await stop();
    throw error;
  }
  port = listener.port;
  const url = `https://127.0.0.1:${port}`;
  const { ca, admin } = credentials;
  const { certificate, key } = admin;
  const config = makeKubeconfig({ server: url, ca: ca.certificate, certificate, key });
  const listening: ListeningCluster = { ...cluster, url, kubeconfig: printKubeconfig(config) };
  return listening;
}

/** A measure of time that is the same in every run: it grows as often as it is asked. */
function counting(): () => number {
  let asked = 0;
  return () => asked++ / 10;
}

type ServerOptions = Pick<APIServerOptions, "store" | "clock" | "random" | "advertise" | "resources" | "log">;

function startServer(options: ServerOptions, { ca, serviceAccount }: TestCredentials): Promise<APIServer> {
  return startAPIServer({
    ...options,
    credentials: {
      clientCA: ca.certificate,
      frontProxyCA: ca.certificate,
      serviceAccountPrivateKey: serviceAccount.privateKey,
      serviceAccountPublicKeys: serviceAccount.publicKey,
    },
    settings: {
      serviceCIDRs: [SERVICE_CIDR],
      nodePortRange: { from: 30000, to: 32767 },
      dnsDomain: "cluster.local",
    },
  });
}

function simulate(
  { stages, heartbeats }: ClusterOptions,
  ports: Pick<SimulationOptions, "client" | "informers" | "clock" | "random">,
  nodes: readonly NodeShape[],
  log: NonNullable<ClusterOptions["log"]>,
): Simulation {
  return startSimulation({
    ...ports,
    nodes,
    stages,
    heartbeats,
    failed: (what, error) =>
      log("warn", "the simulation failed, and will retry", { what, error: String(error) }),
  });
}

function configured(text: string): SchedulerConfiguration {
  return readSchedulerConfiguration(text, plugins, (path) => readFileSync(path, "utf8")).configuration;
}

/** By the machine's own time: a clock that a test holds still would wait for ever. */
async function inTime(ready: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = systemClock.setTimer(READY_WITHIN, () =>
    late.reject(new Error("the cluster's controllers did not start in time: pass `log` to see why")),
  );
  await Promise.race([ready, late.promise]).finally(cancel);
}

const NODE_LIFECYCLE = "node-lifecycle-controller";

function choiceOf({ controllers, heartbeats }: ClusterOptions): readonly string[] {
  const choice = typeof controllers === "object" ? controllers : ["*"];
  return heartbeats === false ? [...choice, `-${NODE_LIFECYCLE}`] : choice;
}

function shapesOf(nodes: NonNullable<ClusterOptions["nodes"]>): readonly NodeShape[] {
  if (typeof nodes === "number") return nodeShapes({ count: nodes });
  return "count" in nodes ? nodeShapes(nodes) : nodes;
}

function controllerSettings({ ca, serviceAccount }: TestCredentials): ControllerSettings {
  return {
    rootCA: ca.certificate,
    signer: ca,
    clusterCIDRs: [CLUSTER_CIDR],
    serviceCIDRs: [SERVICE_CIDR],
    loadBalancerRanges: [],
    serviceAccountKey: serviceAccount.privateKey,
  };
}

function listen({ handler }: APIServer, { ca, serving }: TestCredentials, port = 0): Promise<RunningServer> {
  const { certificate: cert, key } = serving();
  const certificates = { cert, key, clientCA: [ca.certificate] };
  return serve({ host: "127.0.0.1", port, certificates, handler });
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}
