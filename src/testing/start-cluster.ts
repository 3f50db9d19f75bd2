/** A cluster inside a test: store, API server and controllers in this process, gone when the test leaves its block. */
import { type APIServer, startAPIServer } from "../apiserver/api-server.ts";
import { dispatchTo } from "../apiserver/http/dispatch.ts";
import { type RunningServer, serve } from "../apiserver/http/server.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Client, openClient } from "../client/client.ts";
import { InProcessTransport } from "../client/transports/in-process-transport.ts";
import { makeKubeconfig, printKubeconfig } from "../cluster/kubeconfig/kubeconfig.ts";
import { type Controllers, startAllControllers } from "../controllers/start.ts";
import { openMemory } from "../store/memory/open-memory.ts";
import { makeCredentials, shown, type TestCredentials } from "./credentials.ts";

export interface ClusterOptions {
  /** Opens an HTTPS port of 127.0.0.1, for kubectl and other programs. Off: no socket at all. */
  listen?: boolean;
  /** The port to listen on; a free one by default. */
  port?: number;
  /** On by default; without them the API server stands alone, as objects are written. */
  controllers?: boolean;
  /** What the cluster takes for the time. */
  clock?: Clock;
  /** Told of warnings and errors of the components; nothing is printed by default. */
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface Cluster extends AsyncDisposable {
  /** Acts as an administrator (group system:masters), through everything that requests go through. */
  readonly client: Client;
  /** Ends the cluster; `await using` does it by itself. */
  stop(): Promise<void>;
}

export interface ListeningCluster extends Cluster {
  /** `https://127.0.0.1:port` */
  readonly url: string;
  /** The text of a kubeconfig of the administrator. */
  readonly kubeconfig: string;
}

const SERVICE_CIDR = "10.96.0.0/12";
const CLUSTER_CIDR = "10.244.0.0/16";
/** Milliseconds that requests from outside get to end. */
const GRACE = 500;
/** Milliseconds that the controllers get to give the default namespace its service account. */
const READY_WITHIN = 10_000;

export function startCluster(options: ClusterOptions & { listen: true }): Promise<ListeningCluster>;
export function startCluster(options?: ClusterOptions): Promise<Cluster>;
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster | ListeningCluster> {
  const { clock = systemClock, log = () => {} } = options;
  const credentials = makeCredentials(new Date(clock.now()));
  const store = await openMemory();
  let port = 0;
  const server = await startAPIServer({
    store,
    clock,
    credentials: {
      clientCA: credentials.ca.certificate,
      frontProxyCA: credentials.ca.certificate,
      serviceAccountPrivateKey: credentials.serviceAccount.privateKey,
      serviceAccountPublicKeys: credentials.serviceAccount.publicKey,
    },
    settings: {
      serviceCIDRs: [SERVICE_CIDR],
      nodePortRange: { from: 30000, to: 32767 },
      dnsDomain: "cluster.local",
    },
    advertise: () => (port === 0 ? undefined : { address: "127.0.0.1", port }),
    log,
  });
  const client = openClient(transportOf(server, credentials.admin), { userAgent: "kybern-testing" });
  const controllers =
    options.controllers === false ? undefined : runControllers(server, credentials, clock, log);
  let listener: RunningServer | undefined;
  const stop = once(async () => {
    await controllers?.stop();
    await client.close();
    await server.close();
    await listener?.close(GRACE);
    await store[Symbol.asyncDispose]();
  });
  const cluster = { client, stop, [Symbol.asyncDispose]: stop };
  try {
    if (controllers) await inTime(controllers.ready);
    if (!options.listen) return cluster;
    listener = await listen(server, credentials, options.port);
  } catch (error) {
    await stop();
    throw error;
  }
  port = listener.port;
  const url = `https://127.0.0.1:${port}`;
  const { ca, admin } = credentials;
  const config = makeKubeconfig({
    server: url,
    ca: ca.certificate,
    certificate: admin.certificate,
    key: admin.key,
  });
  return { ...cluster, url, kubeconfig: printKubeconfig(config) };
}

/** By the machine's own time: a clock that a test holds still would wait for ever. */
async function inTime(ready: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = systemClock.setTimer(READY_WITHIN, () =>
    late.reject(new Error("the cluster's controllers did not start in time: pass `log` to see why")),
  );
  await Promise.race([ready, late.promise]).finally(cancel);
}

function transportOf(
  { handler }: APIServer,
  user?: { certificate: string; key: string },
): InProcessTransport {
  const certificate = user ? shown(user) : undefined;
  return new InProcessTransport(dispatchTo(handler, certificate && (() => certificate)));
}

function runControllers(
  server: APIServer,
  { ca, controllerManager }: TestCredentials,
  clock: Clock,
  log: NonNullable<ClusterOptions["log"]>,
): Controllers {
  return startAllControllers({
    transport: transportOf(server, controllerManager),
    bare: transportOf(server),
    clock,
    random: Math.random,
    settings: {
      rootCA: ca.certificate,
      signer: ca,
      clusterCIDRs: [CLUSTER_CIDR],
      serviceCIDRs: [SERVICE_CIDR],
      loadBalancerRanges: [],
    },
    log,
  });
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
