/** The paths beside the resources, bound to a running server. */

import { schemas } from "../api/schema/schemas.ts";
import {
  JWKS_PATH,
  jsonWebKeySet,
  OPENID_CONFIGURATION_PATH,
  openIDConfiguration,
} from "../auth/authentication/openid.ts";
import type { Auth } from "../auth/open-auth.ts";
import { StatusError } from "../machinery/status/status-error.ts";
import type { APIServerOptions } from "./api-server.ts";
import { makeDiscovery } from "./discovery/discovery.ts";
import type { ApiRequest } from "./endpoints/api-request.ts";
import type { PathEndpoint, PathEndpoints } from "./endpoints/path-endpoint.ts";
import type { RouteTable } from "./endpoints/route-table.ts";
import { type HealthCheck, PING } from "./health/health.ts";
import type { ResponseHeaders } from "./http/exchange.ts";
import type { AdmissionMetrics } from "./metrics/admission-metrics.ts";
import { HealthMetrics } from "./metrics/health-metrics.ts";
import { metricsEndpoint } from "./metrics/metrics.ts";
import type { RequestMetrics } from "./metrics/request-metrics.ts";
import { makeOpenAPI, type OpenAPI } from "./openapi/openapi.ts";
import type { Registry } from "./registry/registry.ts";
import { VERSION } from "./version.ts";

export interface PathsOptions {
  registry: Registry;
  routes: RouteTable;
  requests: RequestMetrics;
  admission: AdmissionMetrics;
  others: readonly (() => string)[];
  auth: Auth;
  issuer: string;
  state: { ready: boolean; closing: boolean };
  options: APIServerOptions;
}

export function pathEndpoints({
  registry,
  routes,
  requests,
  admission,
  others,
  auth,
  issuer,
  state,
  options,
}: PathsOptions): PathEndpoints {
  const resources = [...new Set(routes.served.map(({ resource }) => resource))];
  const discovery = makeDiscovery(resources);
  const slis = new HealthMetrics();
  const etcd: HealthCheck = {
    name: "etcd",
    check: async () => {
      await registry.store.status();
    },
  };
  const started = (name: string): HealthCheck => ({
    name,
    check: () => {
      if (!state.ready) throw new Error("not finished");
    },
  });
  const informers: HealthCheck = { name: "informer-sync", check: started("").check };
  const shutdown: HealthCheck = {
    name: "shutdown",
    check: () => {
      if (state.closing) throw new Error("process is shutting down");
    },
  };
  const hooks = HOOKS.map(started);
  const live = [PING, { ...PING, name: "log" }, etcd, ...hooks];
  const paths: PathEndpoint[] = [
    {
      path: "/version",
      serve: (request) => request.send(200, "application/json", JSON.stringify(VERSION, undefined, 2)),
    },
    {
      path: "/metrics",
      serve: metricsEndpoint({ registry, routes, requests, admission, others, version: VERSION }),
    },
    { path: "/metrics/slis", serve: slis.serve },
    {
      path: OPENID_CONFIGURATION_PATH,
      serve: (request) => {
        const document = openIDConfiguration(issuer, auth.verificationKeys, `${issuer}${JWKS_PATH}`);
        request.send(200, "application/json", JSON.stringify(document));
      },
    },
    {
      path: JWKS_PATH,
      serve: (request) =>
        request.send(200, "application/jwk-set+json", JSON.stringify(jsonWebKeySet(auth.verificationKeys))),
    },
  ];
  let openAPI: Promise<OpenAPI> | undefined;
  const describe = async (): Promise<OpenAPI> =>
    makeOpenAPI({
      resources,
      schemas,
      descriptions: await options.descriptions?.(),
      version: VERSION.gitVersion,
    });
  const serveOpenAPI = async (request: ApiRequest): Promise<void> => {
    openAPI ??= describe();
    await answerOpenAPI(await openAPI, request);
  };
  paths.push({ path: "/openapi", below: true, serve: serveOpenAPI });
  return {
    health: { healthz: live, livez: live, readyz: [...live, informers, shutdown] },
    healthChecked: (endpoint, check, well) => slis.observe(endpoint, check, well),
    discovery: (request) => answerDiscovery(discovery, request, options),
    paths,
    index: () => indexOf(discovery, paths, live),
  };
}

/** What upstream does after it listens, and Kybern before. */
const HOOKS = [
  "poststarthook/rbac/bootstrap-roles",
  "poststarthook/scheduling/bootstrap-system-priority-classes",
  "poststarthook/start-system-namespaces-controller",
  "poststarthook/bootstrap-controller",
  "poststarthook/start-service-ip-repair-controllers",
];

type Discovery = ReturnType<typeof makeDiscovery>;

function answerDiscovery(discovery: Discovery, request: ApiRequest, options: APIServerOptions): boolean {
  const { exchange } = request;
  const advertised = options.advertise?.();
  const answer = discovery.answer({
    path: exchange.path,
    accept: exchange.header("accept"),
    ifNoneMatch: exchange.header("if-none-match"),
    serverAddress: advertised ? `${advertised.address}:${advertised.port}` : "",
  });
  if (!answer) return false;
  reply(request, answer);
  return true;
}

async function answerOpenAPI(openAPI: OpenAPI, request: ApiRequest): Promise<void> {
  const { exchange, query } = request;
  const answer = await openAPI.answer({
    path: exchange.path,
    hash: query.get("hash") ?? undefined,
    accept: exchange.header("accept"),
    ifNoneMatch: exchange.header("if-none-match"),
  });
  if (!answer) throw new StatusError("NotFound", "the server could not find the requested resource", {});
  reply(request, answer);
}

function reply(
  request: ApiRequest,
  answer: { status: number; headers: Readonly<Record<string, string>>; body?: Uint8Array },
): void {
  const headers: ResponseHeaders = { "audit-id": request.id };
  for (const [name, value] of Object.entries(answer.headers)) headers[name.toLowerCase()] = value;
  request.code = answer.status;
  request.exchange.respond(answer.status, headers, answer.body);
}

function indexOf(
  { groups }: Discovery,
  paths: readonly PathEndpoint[],
  checks: readonly HealthCheck[],
): string[] {
  const all = new Set(["/api", "/apis", "/healthz", "/livez", "/readyz"]);
  for (const { name, versions } of groups) {
    if (name !== "") all.add(`/apis/${name}`);
    for (const { version } of versions) all.add(name === "" ? `/api/${version}` : `/apis/${name}/${version}`);
  }
  for (const { name } of checks)
    for (const root of ["healthz", "livez", "readyz"]) all.add(`/${root}/${name}`);
  for (const { path } of paths) all.add(path);
  return [...all].sort();
}
