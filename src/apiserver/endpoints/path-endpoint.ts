/** Paths that are not of a resource: health, version, metrics, discovery, OpenAPI, and the index of them all. */
import { StatusError } from "../../machinery/status/status-error.ts";
import { type HealthChecks, type HealthObserver, serveHealth } from "../health/health.ts";
import type { ApiRequest } from "./api-request.ts";
import { noSuchMethod } from "./no-such-method.ts";

/** What answers one path, or everything below it where `below` is set. */
export interface PathEndpoint {
  path: string;
  below?: true;
  serve(request: ApiRequest): void | Promise<void>;
}

export interface PathEndpoints {
  health: HealthChecks;
  healthChecked: HealthObserver;
  /** Undefined where the path is none of discovery's. */
  discovery(request: ApiRequest): boolean;
  paths: PathEndpoint[];
  /** The paths that GET / lists. */
  index(): string[];
}

export function servePath(endpoints: PathEndpoints, request: ApiRequest): void | Promise<void> {
  const { method, path } = request.exchange;
  const known = endpoints.paths.find(
    (one) => one.path === path || (one.below && path.startsWith(`${one.path}/`)),
  );
  if (method !== "GET" && method !== "HEAD") {
    throw known || method === "OPTIONS" ? noSuchMethod() : unknownPath();
  }
  const health = serveHealth(endpoints.health, request, endpoints.healthChecked);
  if (health) return health;
  if (known) return known.serve(request);
  if (endpoints.discovery(request)) return;
  if (path === "/") {
    const paths = endpoints.index();
    request.send(200, "application/json", `${JSON.stringify({ paths }, undefined, 2)}`);
    return;
  }
  throw unknownPath();
}

/** JSON documents below a path, made when they are asked for. */
export function documents(path: string, read: (below: string) => object | undefined): PathEndpoint {
  return {
    path,
    below: true,
    serve(request) {
      const document = read(request.exchange.path.slice(path.length + 1));
      if (!document) throw unknownPath();
      request.send(200, "application/json", JSON.stringify(document));
    },
  };
}

function unknownPath(): StatusError {
  return new StatusError("NotFound", "the server could not find the requested resource", {});
}
