/**
 * An API server, put together: store → watch cache → registry → endpoints → filters → handler. It has no socket of its
 * own; `serve` in http/server.ts gives it one, and the in-process client goes to `handler` directly.
 */
import { lookup } from "node:dns/promises";
import { performance } from "node:perf_hooks";
import { type AdmissionObserver, startChain } from "../admission/chain.ts";
import { type AdmissionChoice, chosenAdmission } from "../admission/index.ts";
import type { AdmissionDeclaration } from "../admission/plugin.ts";
import { resources as builtIn } from "../api/index.ts";
import type { ClusterSettings, Ports, RandomPort } from "../api/ports.ts";
import { ResourceSlice } from "../api/resource/resource-slice.ts";
import type { Resource } from "../api/resource.ts";
import { schemas } from "../api/schema/schemas.ts";
import { forbiddenError } from "../auth/authorization/forbidden-message.ts";
import { type Auth, openAuth } from "../auth/open-auth.ts";
import type { Clock } from "../base/clock.ts";
import type { Store } from "../store/store.ts";
import { bootstrap } from "./bootstrap/bootstrap.ts";
import { type EndpointLeases, startEndpointLeases } from "./bootstrap/endpoint-leases.ts";
import { publishEndpoints, type Target } from "./bootstrap/kubernetes-service.ts";
import { claimStatusAuthorization } from "./claim-status-authorization.ts";
import type { ApiRequest } from "./endpoints/api-request.ts";
import { Bookmarks } from "./endpoints/bookmarks.ts";
import type { Endpoints } from "./endpoints/endpoint.ts";
import { documents, servePath } from "./endpoints/path-endpoint.ts";
import { serveResource } from "./endpoints/resource-endpoint.ts";
import { RouteTable } from "./endpoints/route-table.ts";
import { authenticate } from "./filters/authenticate.ts";
import { authorize } from "./filters/authorize.ts";
import { impersonate } from "./filters/impersonate.ts";
import { measure } from "./filters/measure.ts";
import { createHandler, type Handler } from "./handler.ts";
import { AdmissionMetrics } from "./metrics/admission-metrics.ts";
import { RequestMetrics } from "./metrics/request-metrics.ts";
import { pathEndpoints } from "./paths.ts";
import { systemRandom } from "./random.ts";
import { rbacEscalation } from "./rbac-escalation.ts";
import type { Registry, Served } from "./registry/registry.ts";
import { SystemWriter } from "./registry/system-writer.ts";
import { Turns } from "./registry/turns.ts";
import type { KubeletClientOptions } from "./streaming/kubelets.ts";
import { WatchCache } from "./watch-cache/watch-cache.ts";

export interface APIServerOptions {
  store: Store;
  clock: Clock;
  credentials: Credentials;
  settings: ClusterSettings;
  issuer?: string;
  random?: RandomPort;
  resources?: readonly Resource[];
  /** By default upstream's default plugins. */
  admission?: AdmissionChoice;
  /** Steps of each resource that the watch cache remembers at the least. */
  history?: number;
  /** Field descriptions for OpenAPI; read at the first request for it. */
  descriptions?: () => Promise<Descriptions | undefined>;
  /** How kubelets are reached, for logs and streams; absent: these are answered with 503. */
  kubelet?: KubeletClientOptions;
  /** Every address of a host name, for the proxies; by default as the system knows it. */
  lookup?: (hostname: string) => Promise<readonly string[]>;
  /** Whether other servers may use the store too: the `kubernetes` Service then leads to all that are alive. */
  sharedStore?: boolean;
  /** Where the `kubernetes` Service points; undefined leaves its EndpointSlice empty. */
  advertise?: () => { address: string; port: number } | undefined;
  log: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

/** What the server trusts and signs with; PEM texts. */
export interface Credentials {
  clientCA: string;
  frontProxyCA: string;
  serviceAccountPrivateKey: string;
  /** Keys that signed tokens which are still taken. */
  serviceAccountPublicKeys?: string;
  /** The content of a static token file; off by default. */
  tokenFile?: string;
}

export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface APIServer {
  readonly handler: Handler;
  readonly registry: Registry;
  readonly auth: Auth;
  readonly routes: RouteTable;
  /** Serves the figures of another component of this process at /metrics too; `exposition` is called at each request. */
  addMetrics(exposition: () => string): void;
  /**
   * Serves what another component of this process knows, as JSON: `read` gets what comes behind `path/` and answers
   * undefined where there is nothing. Who may see it is for the authorizer, as with every path that is no resource.
   */
  addDocuments(path: string, read: (below: string) => object | undefined): void;
  /** Says where the server is reached: in the `kubernetes` Service, once it listens. */
  advertise(target: Target): Promise<void>;
  /** Takes what is told by /readyz back, so that load balancers go elsewhere, and ends the watches. */
  drain(): void;
  /** Stops following the store: nothing may be asked any more. */
  close(): Promise<void>;
}

export const ISSUER = "https://kubernetes.default.svc.cluster.local";
const HISTORY = 2048;

export async function startAPIServer(options: APIServerOptions): Promise<APIServer> {
  const {
    store,
    clock,
    settings,
    log,
    random = systemRandom(),
    resources = builtIn,
    issuer = ISSUER,
  } = options;
  const cache = new WatchCache(store, resources, { events: options.history ?? HISTORY });
  await cache.start();
  const { tokenFile, ...authorities } = options.credentials;
  const auth = openAuth(
    {
      reader: cache,
      clock,
      uuid: random.uuid,
      clientCA: authorities.clientCA,
      frontProxyCA: authorities.frontProxyCA,
      serviceAccountKey: authorities.serviceAccountPrivateKey,
      serviceAccountPublicKeys: authorities.serviceAccountPublicKeys,
      issuer,
      tokenFile,
      refused: seldom(clock, (why, more) => log("warn", "credentials refused", { why, more })),
    },
    servedSlices(resources),
  );
  const plugins = chosenAdmission(options.admission ?? { enable: [], disable: [] });
  const admission = new AdmissionMetrics(() => performance.now());
  const registry = openRegistry({
    store,
    cache,
    clock,
    auth,
    random,
    settings,
    plugins,
    observer: admission,
  });
  const routes = new RouteTable(resources);
  const requests = new RequestMetrics();
  const state = { ready: false, closing: false };
  const others: (() => string)[] = [];
  const paths = pathEndpoints({
    registry,
    routes,
    requests,
    admission,
    others,
    auth,
    issuer,
    state,
    options,
  });
  const bookmarks = new Bookmarks(clock, cache);
  const endpoints: Endpoints = {
    registry,
    timers: clock,
    bookmarks,
    connect: streamsOf(options, cache, auth, random, () => endpoints),
  };
  const handler = createHandler({
    routes,
    newId: random.uuid,
    filters: [
      measure(requests, () => performance.now()),
      authenticate(auth.authenticator),
      impersonate(auth.authorizer),
      authorize(auth.authorizer, forbiddenError),
    ],
    endpoint: (request: ApiRequest) =>
      request.info.isResource &&
      (request.info.served || request.info.subresource !== "" || request.info.name !== "")
        ? serveResource(endpoints, request)
        : servePath(paths, request),
    bug: (error, request) => {
      const { method, path } = request.exchange;
      log("error", "a request failed on a bug", {
        method,
        path,
        error: (error as Error)?.stack ?? String(error),
      });
    },
  });
  await bootstrap({
    registry,
    settings,
    advertise: options.advertise,
    clientCA: options.credentials.clientCA,
    frontProxyCA: options.credentials.frontProxyCA,
    reachesKubelets: options.kubelet !== undefined,
  });
  state.ready = true;
  let leases: EndpointLeases | undefined;
  return {
    handler,
    registry,
    auth,
    routes,
    addMetrics: (exposition) => void others.push(exposition),
    addDocuments: (path, read) => void paths.paths.push(documents(path, read)),
    async advertise(target) {
      if (!options.sharedStore) return publishEndpoints(registry, [target.address], target.port);
      await leases?.stop();
      const failed = (error: unknown): void =>
        log("warn", "the kubernetes Service could not be led to this server", { error: String(error) });
      leases = await startEndpointLeases({ store, clock, registry, target, failed });
    },
    drain() {
      state.closing = true;
      void leases?.stop();
      cache.endWatches();
    },
    async close() {
      state.closing = true;
      await leases?.stop();
      auth.close();
      cache.close();
    },
  };
}

/** By which the node authorizer knows the slices of a node; the declaration is over a wider type than it reads. */
function servedSlices(resources: readonly Resource[]): Parameters<typeof openAuth>[1] {
  const slices: unknown = ResourceSlice;
  return resources.includes(slices as Resource) ? (slices as Parameters<typeof openAuth>[1]) : undefined;
}

/** Milliseconds between two lines about refused credentials: whoever tries them must not fill the log. */
const SELDOM = 10_000;

function seldom(clock: Clock, say: (why: string, more: number) => void): (why: string) => void {
  let next = 0;
  let kept = 0;
  return (why) => {
    if (clock.now() < next) {
      kept++;
      return;
    }
    next = clock.now() + SELDOM;
    say(why, kept);
    kept = 0;
  };
}

/** What streams need is loaded with the first of them: a server without nodes never does. */
function streamsOf(
  { kubelet, lookup: given = systemLookup }: APIServerOptions,
  cache: WatchCache,
  { authorizer }: Auth,
  random: RandomPort,
  endpoints: () => Endpoints,
): Endpoints["connect"] {
  const options = { cache, authorizer, refusal: forbiddenError, kubelet, lookup: given, below: random.below };
  const load = async () => {
    const { openStreaming, serveConnect } = await import("./streaming/streaming.ts");
    const streaming = openStreaming(options);
    return (request: ApiRequest, served: Served) => serveConnect(streaming, endpoints(), request, served);
  };
  let loaded: ReturnType<typeof load> | undefined;
  return async (request, served) => {
    loaded ??= load();
    await (await loaded)(request, served);
  };
}

const systemLookup = async (hostname: string): Promise<string[]> =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);

interface RegistryParts {
  store: Store;
  cache: WatchCache;
  clock: Clock;
  auth: Auth;
  random: RandomPort;
  settings: ClusterSettings;
  plugins: readonly AdmissionDeclaration[];
  observer: AdmissionObserver;
}

function openRegistry(parts: RegistryParts): Registry {
  const { store, cache, clock, auth, random, settings, plugins, observer } = parts;
  const ports: Ports = {
    reader: cache,
    writer: new SystemWriter(() => registry),
    authorizer: auth.authorizer,
    tokens: auth.tokens,
    random,
    settings,
  };
  const admission = startChain([...plugins, rbacEscalation(auth), claimStatusAuthorization], ports, observer);
  const registry: Registry = {
    store,
    cache,
    schemas,
    ports,
    admission,
    turns: new Turns(),
    now: () => clock.now(),
    setTimer: (ms, fire) => clock.setTimer(ms, fire),
  };
  return registry;
}
