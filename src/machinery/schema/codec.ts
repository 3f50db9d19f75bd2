/**
 * Bodies of requests to normalized objects, in any format. What is malformed is a BadRequest with upstream's message
 * from here on; what only strict decoding refuses is told beside the object.
 */
import { duplicateKeys, EVERY_KEY, type KeyShape } from "../json/duplicate-keys.ts";
import { JSONError, type ParsedJSON, parseCounted } from "../json/json.ts";
import { isObject } from "../json/json-object.ts";
import { jsonTypeOf } from "../json/json-type.ts";
import { decodeUTF8 } from "../json/utf8.ts";
import { decodeProtobufObject } from "../protobuf/protobuf.ts";
import { badRequest } from "../status/status-error.ts";
import { parseYAMLStrict, YAMLError } from "../yaml/yaml.ts";
import { countKeys } from "./count-keys.ts";
import { decode } from "./decode.ts";
import type { FieldType, Schemas } from "./schema.ts";
import { DecodeError, Walk } from "./walk.ts";

export type Format = "json" | "yaml" | "protobuf";

export interface DecodeOptions {
  /** Whether strictErrors are wanted: for the field validations Strict and Warn. */
  strict: boolean;
}

export interface Normalized {
  /** A fresh object; apiVersion, kind and metadata come first, the other fields in the order of the schema. */
  object: Record<string, unknown>;
  /** `unknown field "spec.foo"`, `duplicate field "spec.replicas"`, as upstream words them. */
  strictErrors: string[];
}

export interface Decoded extends Normalized {
  /** As the body has them; "" where it has none. */
  apiVersion: string;
  kind: string;
}

/** Decodes a body as definition `id`, whatever apiVersion and kind it says; the caller compares those. */
export function decodeObject(
  schemas: Schemas,
  id: string,
  body: Uint8Array,
  format: Format,
  options: DecodeOptions,
): Decoded {
  const [version = "", expected = ""] = id.split(".").slice(-2);
  let kind = "";
  let said = version;
  try {
    if (format === "protobuf") return { ...decodeProtobufObject(schemas, id, body), strictErrors: [] };
    const parsed = parseBody(body, format);
    const typeMeta = interpret(parsed.value);
    kind = typeMeta.kind || expected;
    said = typeMeta.apiVersion.slice(typeMeta.apiVersion.indexOf("/") + 1) || version;
    const walk = new Walk(true, options.strict);
    const object = decode(schemas, id, parsed.value, walk);
    addDuplicates(parsed, walk, body, options, () => shapeOf(schemas, { ref: id }));
    return { ...typeMeta, object, strictErrors: options.strict ? walk.strictErrors : [] };
  } catch (error) {
    throw refused(error, body, { kind, version: said, expected });
  }
}

/** Decodes the body of a kind without definition (a custom resource): only metadata has a shape. */
export function decodeAny(
  schemas: Schemas,
  body: Uint8Array,
  format: "json" | "yaml",
  options: DecodeOptions,
  expected: { kind: string; version: string },
): Decoded {
  let kind = "";
  try {
    const parsed = parseBody(body, format);
    const typeMeta = interpret(parsed.value);
    kind = typeMeta.kind || expected.kind;
    const walk = new Walk(true, options.strict);
    const object = decodeLoosely(schemas, parsed.value, walk);

    addDuplicates(parsed, walk, body, options, () => EVERY_KEY);
    return { ...typeMeta, object, strictErrors: options.strict ? walk.strictErrors : [] };
  } catch (error) {
    throw refused(error, body, { kind, version: expected.version, expected: expected.kind });
  }
}

/**
 * Normalizes a value that a patch made. The value is not changed, but values of any shape in it are shared. Throws a
 * DecodeError whose message is Go's.
 */
export function normalize(schemas: Schemas, id: string, value: unknown): Normalized {
  const walk = new Walk(false, false);
  const object = decode(schemas, id, value, walk);
  return { object, strictErrors: walk.strictErrors };
}

function decodeLoosely(schemas: Schemas, value: unknown, walk: Walk): Record<string, unknown> {
  if (!isObject(value)) {
    throw new DecodeError(
      `json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type map[string]interface {}`,
    );
  }
  if (walk.counting) walk.keys += countKeys(value);
  const { apiVersion, kind, metadata, ...rest } = value;
  const head: Record<string, unknown> = {};
  if (apiVersion !== undefined) head.apiVersion = apiVersion;
  if (kind !== undefined) head.kind = kind;
  if (metadata !== undefined && metadata !== null) {
    walk.path[walk.depth++] = "metadata";
    const before = walk.keys;
    head.metadata = decode(schemas, "meta.v1.ObjectMeta", metadata, walk);
    walk.keys = before;
    walk.depth--;
  }
  return { ...head, ...rest };
}

interface ParsedBody extends ParsedJSON {
  /** Keys that came twice, where the format's parser tells. */
  duplicates?: string[];
}

function parseBody(body: Uint8Array, format: "json" | "yaml"): ParsedBody {
  if (format === "json") return parseCounted(body);
  const { value, duplicates } = parseYAMLStrict(body);
  return { value, keys: -1, duplicates };
}

/** apiVersion and kind, before anything else is looked at, as upstream does. */
function interpret(value: unknown): { apiVersion: string; kind: string } {
  const wrong = (said: string) => new JSONError(`json: cannot unmarshal ${said}`);
  if (value === null) return { apiVersion: "", kind: "" };
  if (!isObject(value)) {
    throw wrong(
      `${jsonTypeOf(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; ` +
        `Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const { apiVersion, kind } = value;
  for (const [name, text] of [
    ["apiVersion", apiVersion],
    ["kind", kind],
  ]) {
    if (text === undefined || text === null || typeof text === "string") continue;
    throw wrong(`${jsonTypeOf(text)} into Go struct field .${name} of type string`);
  }
  return { apiVersion: (apiVersion as string | null) ?? "", kind: (kind as string | null) ?? "" };
}

function addDuplicates(
  { keys, duplicates }: ParsedBody,
  walk: Walk,
  body: Uint8Array,
  { strict }: DecodeOptions,
  shape: () => KeyShape | undefined,
): void {
  if (!strict) return;
  if (duplicates) {
    if (duplicates.length > 0) walk.strictError(`yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`);
  } else if (keys !== walk.keys) {
    for (const path of duplicateKeys(decodeUTF8(body), shape())) {
      walk.strictError(`duplicate field ${JSON.stringify(path)}`);
    }
  }
}

/** The keys that Go's strict decoding looks at: none below unknown fields and values of any shape. */
function shapeOf(schemas: Schemas, type: FieldType): KeyShape | undefined {
  if (typeof type === "string") return undefined;
  if ("list" in type) return { field: () => undefined, element: () => shapeOf(schemas, type.list) };
  if ("map" in type) {
    return { field: () => shapeOf(schemas, type.map), element: () => undefined };
  }
  const { fields } = schemas.definition(type.ref);
  return {
    field: (key) => {
      const field = fields.find(({ name }) => name === key);
      return field && shapeOf(schemas, field.type);
    },
    element: () => undefined,
  };
}

/** Upstream's words depend on whether it got as far as the kind. */
function refused(
  error: unknown,
  body: Uint8Array,
  { kind, version, expected }: { kind: string; version: string; expected: string },
): unknown {
  const known = error instanceof DecodeError || error instanceof JSONError || error instanceof YAMLError;
  if (!known && !(error instanceof RangeError)) return error;
  const message = known ? error.message : "exceeded max depth";
  if (kind !== "") {
    return badRequest(
      `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected}: ${message}`,
    );
  }
  const parsing =
    error instanceof JSONError ? `couldn't get version/kind; json parse error: ${message}` : message;
  return badRequest(
    `the object provided is unrecognized (must be of type ${expected}): ${parsing} (${summary(body)})`,
  );
}

const SUMMARY = 30;

/** The start of a body: as text where it looks like JSON, else in hexadecimal. */
function summary(body: Uint8Array): string {
  if (body.length === 0) return "<empty>";
  const start = body.subarray(0, SUMMARY);
  const text = body[0] === 0x7b ? decodeUTF8(start) : start.toHex();
  return body.length > SUMMARY ? `${text} ...` : text;
}
