/** What every endpoint needs of a request: the form of its answer, who makes it, and how the answer is sent. */
import type { KubeObject } from "../../api/object.ts";
import { type Call, type Registry, type Served, timestamp } from "../registry/registry.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import type { ApiRequest } from "./api-request.ts";
import { negotiate } from "./negotiate.ts";
import type { WriteParameters } from "./parameters.ts";
import { contentTypeOf, type Form, objectBytes, valueBytes } from "./representation.ts";
import { includeObject } from "./table.ts";
import type { WatchTimers } from "./watch.ts";

/** What the endpoints are given once, for every request. */
export interface Endpoints {
  registry: Registry;
  timers: WatchTimers;
}

export function formOf({ registry }: Endpoints, request: ApiRequest, served: Served): Form {
  const { exchange, query } = request;
  const accepted = negotiate(exchange.header("accept"), true);
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

export function callOf({ registry }: Endpoints, request: ApiRequest, parameters?: WriteParameters): Call {
  const { user, warn, annotate } = request;
  const { dryRun = false, manager = "unknown" } = parameters ?? {};
  return { user, dryRun, manager, now: timestamp(registry.now()), warn, annotate };
}

/** The namespace in which the objects of a request lie. */
export function namespaceOf({ info }: ApiRequest, { resource }: Served): string {
  return resource.scope === "Namespaced" ? info.namespace : "";
}

export function sendObject(request: ApiRequest, code: number, form: Form, object: CachedObject): void {
  request.send(code, contentTypeOf(form), objectBytes(form, object));
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
