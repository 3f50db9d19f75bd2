/** A request's body as an object of the kind that the endpoint takes. */
import type { KubeObject } from "../../api/object.ts";
import { decodeObject, normalize } from "../../machinery/schema/codec.ts";
import { badRequest } from "../../machinery/status/status-error.ts";
import type { Registry, Served } from "../registry/registry.ts";
import type { ApiRequest } from "./api-request.ts";
import { bodyFormat } from "./negotiate.ts";
import { BODY_LIMIT, type FieldValidation } from "./parameters.ts";

/** What an endpoint takes: a served kind, or the kind of a subresource's body. */
export interface BodyKind {
  kind: string;
  apiVersion: string;
  definition: string;
  defaults?(object: KubeObject): void;
}

export function bodyKindOf({ kind, apiVersion, definition, alternate, resource }: Served): BodyKind {
  return { kind, apiVersion, definition, defaults: alternate ? alternate.defaults : resource.defaults };
}

/** The object in the version in which it was sent, with defaults; a function makes it anew for each attempt. */
export async function readBody(
  registry: Registry,
  request: ApiRequest,
  body: BodyKind,
  validation: FieldValidation,
): Promise<() => KubeObject> {
  const bytes = await request.exchange.body(BODY_LIMIT);
  const format = bodyFormat(request.exchange.header("content-type"));
  let first: KubeObject | undefined = decode();
  function decode(): KubeObject {
    const { object, strictErrors, apiVersion, kind } = decodeObject(registry.schemas, body.definition, bytes, format, {
      strict: validation !== "Ignore",
    });
    agreeOnKind(body, apiVersion, kind);
    reportStrict(request, body, validation, strictErrors);
    const sent = object as KubeObject;
    sent.apiVersion = body.apiVersion;
    sent.kind = body.kind;
    sent.metadata ??= {};
    body.defaults?.(sent);
    return sent;
  }
  return () => {
    const object = first ?? decode();
    first = undefined;
    return object;
  };
}

/** A patch's result as an object of the kind, with defaults. */
export function fromPatched(
  registry: Registry,
  request: ApiRequest,
  body: BodyKind,
  validation: FieldValidation,
  value: unknown,
): KubeObject {
  const { object, strictErrors } = normalize(registry.schemas, body.definition, value);
  reportStrict(request, body, validation, strictErrors);
  const patched = object as KubeObject;
  agreeOnKind(body, patched.apiVersion ?? "", patched.kind ?? "");
  patched.metadata ??= {};
  body.defaults?.(patched);
  return patched;
}

function agreeOnKind(body: BodyKind, apiVersion: string, kind: string): void {
  if (kind !== "" && kind !== body.kind) {
    const version = apiVersion === "" ? body.apiVersion : apiVersion;
    throw badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${body.kind}: converting (${kind}) to (${body.kind}): unknown conversion`);
  }
  if (apiVersion !== "" && apiVersion !== body.apiVersion) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${body.apiVersion})`,
    );
  }
}

function reportStrict(
  request: ApiRequest,
  body: BodyKind,
  validation: FieldValidation,
  errors: readonly string[],
): void {
  if (errors.length === 0 || validation === "Ignore") return;
  if (validation === "Strict") {
    throw badRequest(
      `${body.kind} in version ${JSON.stringify(versionOf(body))} cannot be handled as a ${body.kind}: strict decoding error: ${errors.join(", ")}`,
    );
  }
  for (const text of errors) request.warn(text);
}

function versionOf({ apiVersion }: BodyKind): string {
  return apiVersion.slice(apiVersion.indexOf("/") + 1);
}
