/**
 * What the verbs work on. A Registry is the server's state behind HTTP; it knows no kind and no protocol. The verbs are
 * functions over it, a file each, so that the HTTP endpoints, the in-process client and the server's own writes all go
 * the same way.
 */
import type { AdmissionChain } from "../../admission/chain.ts";
import type { KubeObject } from "../../api/object.ts";
import { apiVersionOf } from "../../api/object.ts";
import type { Ports } from "../../api/ports.ts";
import type { AlternateVersion, RequestContext, Resource } from "../../api/resource.ts";
import type { User } from "../../api/user.ts";
import type { Clock } from "../../base/clock.ts";
import type { Schemas } from "../../machinery/schema/schema.ts";
import type { GroupResource } from "../../machinery/status/status-error.ts";
import { formatTime } from "../../machinery/time/time.ts";
import type { Store } from "../../store/store.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import type { Turns } from "./turns.ts";

export interface Registry {
  store: Store;
  cache: WatchCache;
  schemas: Schemas;
  admission: AdmissionChain;
  ports: Ports;
  turns: Turns;
  /** Milliseconds since the epoch. */
  now(): number;
  setTimer: Clock["setTimer"];
}

/** A resource as one of its versions serves it. */
export interface Served {
  resource: Resource;
  group: string;
  version: string;
  kind: string;
  definition: string;
  apiVersion: string;
  alternate: AlternateVersion<KubeObject> | undefined;
}

export function servedVersions(resource: Resource): Served[] {
  const { group, version, kind, definition } = resource;
  const stored = {
    resource,
    group,
    version,
    kind,
    definition,
    apiVersion: apiVersionOf(resource),
    alternate: undefined,
  };
  const others = resource.alternates.map((alternate) => ({
    resource,
    group: alternate.group,
    version: alternate.version,
    kind: alternate.kind,
    definition: alternate.definition,
    apiVersion: apiVersionOf(alternate),
    alternate,
  }));
  return [stored, ...others];
}

/** Who asks, and how; one for each request. */
export interface Call {
  user: User;
  /** As authorization saw it; absent where the server asks itself. */
  verb?: string;
  dryRun: boolean;
  /** The fieldManager parameter, or what the User-Agent says. */
  manager: string;
  /** RFC 3339, seconds. */
  now: string;
  warn(text: string): void;
  annotate(key: string, value: string): void;
}

export function contextOf(registry: Registry, call: Call): RequestContext {
  const { user, now, dryRun } = call;
  return { user, now, dryRun, warn: call.warn, ports: registry.ports };
}

/** How errors name the resource: by the group in which it was asked for. */
export function groupResource({ group, resource }: Served): GroupResource {
  return { group, resource: resource.plural };
}

let lastSecond = 0;
let lastTimestamp = "1970-01-01T00:00:00Z";

/** RFC 3339 without fractions, as metadata's times are written. The text of the last second asked for is kept. */
export function timestamp(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== lastSecond) {
    lastTimestamp = formatTime(second * 1000);
    lastSecond = second;
  }
  return lastTimestamp;
}

/** The storage key of an object. */
export function storeKey(resource: Resource, namespace: string, name: string): string {
  const within = namespace === "" ? "" : `${namespace}/`;
  return `/registry/${resource.storagePrefix}/${within}${name}`;
}
