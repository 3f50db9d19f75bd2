/** A request's body as an object of the kind that the endpoint takes. */
import type { KubeObject } from "../../api/object.ts";
import { invalid, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { decodeObject, normalize } from "../../machinery/schema/codec.ts";
import { DecodeError } from "../../machinery/schema/walk.ts";
import { badRequest, type StatusError } from "../../machinery/status/status-error.ts";
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
  /** Other group versions that say the same. */
  also?: readonly string[] | undefined;
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
    const { object, strictErrors, apiVersion, kind } = decodeObject(
      registry.schemas,
      body.definition,
      bytes,
      format,
      {
        strict: validation !== "Ignore",
      },
    );
    agreeOnKind(body, apiVersion, kind);
    reportStrict(request, body, validation, strictErrors);
    const sent = object as unknown as KubeObject;
    sent.apiVersion = body.apiVersion;
    sent.kind = body.kind;
    fillRequired(registry, body, sent);
    body.defaults?.(sent);
    return sent;
  }
  return () => {
    const object = first ?? decode();
    first = undefined;
    return object;
  };
}

/**
 * A patch's result as an object of the kind, with defaults. What is wrong with it is the patch's fault, of which `shown`
 * is what the message shows.
 */
export function fromPatched(
  registry: Registry,
  request: ApiRequest,
  body: BodyKind,
  validation: FieldValidation,
  value: unknown,
  shown: () => string,
): KubeObject {
  const { object, strictErrors } = normalized(registry, body, value, shown);
  if (validation === "Strict" && strictErrors.length > 0) {
    throw wrongPatch(shown, `strict decoding error: ${strictErrors.join(", ")}`);
  }
  if (validation !== "Ignore") for (const text of strictErrors) request.warn(text);
  const patched = object as unknown as KubeObject;
  agreeOnKind(body, patched.apiVersion ?? "", patched.kind ?? "");
  // A patch that empties them changes nothing: the path says what the object is.
  patched.apiVersion = body.apiVersion;
  patched.kind = body.kind;
  fillRequired(registry, body, patched);
  body.defaults?.(patched);
  return patched;
}

const requiredOf = new Map<string, readonly string[]>();

/** A required struct that was not sent is an empty one, as it is to Go: what is missing in it is told by its name. */
function fillRequired({ schemas }: Registry, { definition }: BodyKind, object: KubeObject): void {
  object.metadata ??= {};
  let names = requiredOf.get(definition);
  if (!names) {
    const { fields } = schemas.definition(definition);
    const structs = fields.filter(
      ({ type, required }) => required && typeof type === "object" && "ref" in type,
    );
    names = structs.map(({ name }) => name);
    requiredOf.set(definition, names);
  }
  const members = object as unknown as Record<string, unknown>;
  for (const name of names) members[name] ??= {};
}

function normalized(registry: Registry, body: BodyKind, value: unknown, shown: () => string) {
  try {
    return normalize(registry.schemas, body.definition, value);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw wrongPatch(shown, error.message);
  }
}

/** Of no kind and no name, as upstream says it. */
function wrongPatch(shown: () => string, why: string): StatusError {
  return invalid({ group: "", kind: "" }, "", [invalidValue(FieldPath.root("patch"), shown(), why)]);
}

function agreeOnKind(body: BodyKind, apiVersion: string, kind: string): void {
  if (kind !== "" && kind !== body.kind) {
    const version = apiVersion === "" ? body.apiVersion : apiVersion;
    throw badRequest(
      `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${body.kind}: converting (${kind}) to (${body.kind}): unknown conversion`,
    );
  }
  if (apiVersion !== "" && apiVersion !== body.apiVersion && !body.also?.includes(apiVersion)) {
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
