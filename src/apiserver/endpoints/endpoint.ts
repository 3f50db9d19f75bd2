/** What every endpoint needs of a request: the form of its answer, who makes it, and how the answer is sent. */
import type { KubeObject } from "../../api/object.ts";
import type { Clock } from "../../base/clock.ts";
import { StatusError } from "../../machinery/status/status-error.ts";
import { type Call, type Registry, type Served, timestamp } from "../registry/registry.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import type { ApiRequest } from "./api-request.ts";
import type { Bookmarks } from "./bookmarks.ts";
import { negotiate } from "./negotiate.ts";
import type { WriteParameters } from "./parameters.ts";
import { contentTypeOf, type Form, objectBytes, valueBytes } from "./representation.ts";
import { includeObject } from "./table.ts";

/** What the endpoints are given once, for every request. */
export interface Endpoints {
  registry: Registry;
  /** End watches whose time is up. */
  timers: Pick<Clock, "setTimer">;
  bookmarks: Bookmarks;
  /** Serves what ends at a node, a pod or a service: log, exec, proxy … */
  connect(request: ApiRequest, served: Served): Promise<void>;
}

export function formOf({ registry }: Endpoints, request: ApiRequest, served: Served): Form {
  const { exchange, query } = request;
  const accepted = negotiate(exchange.header("accept"), hasTables(served));
  if (accepted.as !== undefined) agreeOnForm(accepted.as, request.info.verb, served);
  const pretty = query.get("pretty");
  return {
    served,
    accepted,
    include: accepted.as === "Table" ? includeObject(query.get("includeObject")) : "Metadata",
    pretty: pretty === null ? false : pretty === "true" || pretty === "1" || pretty === "",
    schemas: registry.schemas,
    now: () => new Date(registry.now()),
  };
}

/** What is only ever created, as reviews are, has no columns. */
function hasTables({ resource: { virtual } }: Served): boolean {
  return !virtual || virtual.get !== undefined || virtual.list !== undefined;
}

const OF_LISTS = ["list", "deletecollection"];
const OF_OBJECTS = ["get", "create", "update", "patch"];

/** The metadata of a list is not that of an object; the texts name upstream's types. */
function agreeOnForm(as: string, verb: string, { group, kind }: Served): void {
  const type = `*${group === "" ? "core" : group.split(".", 1)[0]}.${kind}`;
  if (as === "PartialObjectMetadata" && OF_LISTS.includes(verb)) {
    const text = `you requested PartialObjectMetadata, but the requested object is a list (${type}List)`;
    throw new StatusError("NotAcceptable", text);
  }
  if (as === "PartialObjectMetadataList" && OF_OBJECTS.includes(verb)) {
    const text = `you requested PartialObjectMetadataList, but the requested object is not a list (${type})`;
    throw new StatusError("NotAcceptable", text);
  }
}

export function callOf({ registry }: Endpoints, request: ApiRequest, parameters?: WriteParameters): Call {
  const { user, info, warn, annotate } = request;
  const { dryRun = false, manager = "unknown" } = parameters ?? {};
  return { user, verb: info.verb, dryRun, manager, now: timestamp(registry.now()), warn, annotate };
}

/** The namespace in which the objects of a request lie. */
export function namespaceOf({ info }: ApiRequest, { resource }: Served): string {
  return resource.scope === "Namespaced" ? info.namespace : "";
}

const NOTHING = new Uint8Array(0);

export function sendObject(request: ApiRequest, code: number, form: Form, object: CachedObject): void {
  const body = request.exchange.unread ? NOTHING : objectBytes(form, object);
  request.send(code, contentTypeOf(form), body);
}

/** Answers with a value that is not a stored object, such as a Status or a Scale. */
export function sendValue(
  request: ApiRequest,
  code: number,
  form: Form,
  value: KubeObject,
  definition: string,
): void {
  const plain = { ...form, accepted: { format: form.accepted.format } };
  request.send(code, contentTypeOf(plain), valueBytes(plain, { value, definition }));
}
