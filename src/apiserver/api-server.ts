/**
 * An API server, put together: store → watch cache → registry → endpoints → filters → handler. It has no socket of its
 * own; `serve` in http/server.ts gives it one, and the in-process client goes to `handler` directly.
 */
import { performance } from "node:perf_hooks";
import { startChain } from "../admission/chain.ts";

const admissionPlugins: never[] = [];

import { resources as builtIn } from "../api/index.ts";
import type { ClusterSettings, Ports, RandomPort } from "../api/ports.ts";
import type { Resource } from "../api/resource.ts";
import { schemas } from "../api/schema/schemas.ts";
import type { Authorizer } from "../api/user.ts";
import { forbiddenError } from "../auth/authorization/forbidden-message.ts";
import type { Clock } from "../base/clock.ts";
import type { Store } from "../store/store.ts";
import { type Access, type Credentials, openAccess } from "./access.ts";
import { bootstrap } from "./bootstrap/bootstrap.ts";
import type { ApiRequest } from "./endpoints/api-request.ts";
import { servePath } from "./endpoints/path-endpoint.ts";
import { serveResource } from "./endpoints/resource-endpoint.ts";
import { RouteTable } from "./endpoints/route-table.ts";
import { authenticate } from "./filters/authenticate.ts";
import { authorize } from "./filters/authorize.ts";
import { impersonate } from "./filters/impersonate.ts";
import { measure } from "./filters/measure.ts";
import { createHandler, type Handler } from "./handler.ts";
import { RequestMetrics } from "./metrics/request-metrics.ts";
import { pathEndpoints } from "./paths.ts";
import { systemRandom } from "./random.ts";
import type { Registry } from "./registry/registry.ts";
import { SystemWriter } from "./registry/system-writer.ts";
import { WatchCache } from "./watch-cache/watch-cache.ts";

export interface APIServerOptions {
  store: Store;
  clock: Clock;
  credentials: Credentials;
  settings: ClusterSettings;
  issuer?: string;
  random?: RandomPort;
  resources?: readonly Resource[];
  /** Steps of each resource that the watch cache remembers at the least. */
  history?: number;
  /** Field descriptions for OpenAPI; read at the first request for it. */
  descriptions?: () => Promise<Descriptions | undefined>;
  /** Where the `kubernetes` Service points; undefined leaves its EndpointSlice empty. */
  advertise?: () => { address: string; port: number } | undefined;
  log: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface APIServer {
  readonly handler: Handler;
  readonly registry: Registry;
  readonly access: Access;
  readonly routes: RouteTable;
  /** Takes what is told by /readyz back, so that load balancers go elsewhere, and stops following the store. */
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
  const nodeAuthorizer: Authorizer[] = [];
  const access = openAccess({
    ...options.credentials,
    reader: cache,
    clock,
    uuid: random.uuid,
    issuer,
    authorizers: nodeAuthorizer,
  });
  const registry = openRegistry({ store, cache, clock, access, random, settings });
  const routes = new RouteTable(resources);
  const requests = new RequestMetrics();
  const state = { ready: false, closing: false };
  const paths = pathEndpoints({ registry, routes, requests, access, issuer, state, options });
  const handler = createHandler({
    routes,
    newId: random.uuid,
    filters: [
      measure(requests, () => performance.now()),
      authenticate(access.authenticator),
      impersonate(access.authorizer),
      authorize(access.authorizer, forbiddenError),
    ],
    endpoint: (request: ApiRequest) =>
      request.info.isResource &&
      (request.info.served || request.info.subresource !== "" || request.info.name !== "")
        ? serveResource({ registry, timers: clock }, request)
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
    access,
    settings,
    advertise: options.advertise,
    clientCA: options.credentials.clientCA,
    frontProxyCA: options.credentials.frontProxyCA,
  });
  state.ready = true;
  return {
    handler,
    registry,
    access,
    routes,
    async close() {
      state.closing = true;
      cache.close();
    },
  };
}

interface RegistryParts {
  store: Store;
  cache: WatchCache;
  clock: Clock;
  access: Access;
  random: RandomPort;
  settings: ClusterSettings;
}

function openRegistry({ store, cache, clock, access, random, settings }: RegistryParts): Registry {
  const ports: Ports = {
    reader: cache,
    writer: new SystemWriter(() => registry),
    authorizer: access.authorizer,
    tokens: access.tokens,
    random,
    settings,
  };
  const admission = startChain(admissionPlugins, ports);
  const registry: Registry = { store, cache, schemas, ports, admission, now: () => clock.now() };
  return registry;
}
