/**
 * OpenAPI 2 as protobuf (openapi.v2.Document of gnostic's OpenAPIv2.proto), the only form that clients written in Go ask
 * for. Each member of a message is a number and a way to write its value; a value that has none is left out.
 */
import { ProtobufWriter, VARINT } from "../../machinery/protobuf/writer.ts";
import type { JSONObject } from "./definitions.ts";

/** Writes a value as field `number`. The writer goes from the end to the start, and so do lists and maps. */
type Write = (out: ProtobufWriter, number: number, value: unknown) => void;
type Members = Readonly<Record<string, readonly [number, Write]>>;

const text: Write = (out, number, value) => {
  const before = out.size;
  out.text(value as string);
  out.close(number, before);
};

const flag: Write = (out, number, value) => {
  out.varint(value === true ? 1 : 0);
  out.tag(number, VARINT);
};

const many =
  (one: Write): Write =>
  (out, number, value) => {
    for (const member of (value as unknown[]).toReversed()) one(out, number, member);
  };

/** A map as repeated pairs of a name (1) and a value (2). */
const named =
  (one: Write): Write =>
  (out, number, value) => {
    for (const [name, member] of Object.entries(value as JSONObject).reverse()) {
      const before = out.size;
      one(out, 2, member);
      text(out, 1, name);
      out.close(number, before);
    }
  };

/** A message of which `inner` is the one member that is set. */
const within =
  (inner: number, one: Write): Write =>
  (out, number, value) => {
    const before = out.size;
    one(out, inner, value);
    out.close(number, before);
  };

/** What OpenAPI leaves open is YAML text there, of which JSON is a part. */
const any: Write = within(2, (out, number, value) => text(out, number, JSON.stringify(value)));

/** `extensions` is the number of the members whose names begin with `x-`. */
function message(members: Members, extensions: number): Write {
  return (out, number, value) => {
    const before = out.size;
    for (const [name, member] of Object.entries(value as JSONObject).reverse()) {
      if (name.startsWith("x-")) named(any)(out, extensions, { [name]: member });
      else if (Object.hasOwn(members, name)) members[name]![1](out, members[name]![0], member);
      else throw new Error(`OpenAPI has no place for ${name}`);
    }
    out.close(number, before);
  };
}

const schemaAgain: Write = (out, number, value) => schema(out, number, value);
const schema = message(
  {
    $ref: [1, text],
    format: [2, text],
    description: [4, text],
    required: [19, many(text)],
    additionalProperties: [21, within(1, schemaAgain)],
    type: [22, within(1, text)],
    items: [23, within(1, schemaAgain)],
    properties: [25, within(1, named(schemaAgain))],
  },
  31,
);

const bodyParameter = message(
  { name: [2, text], in: [3, text], required: [4, flag], schema: [5, schema] },
  6,
);
const place: Members = { required: [1, flag], in: [2, text], name: [4, text] };
const queryParameter = message({ ...place, type: [6, text], uniqueItems: [20, flag] }, 23);
const pathParameter = message({ ...place, type: [5, text], uniqueItems: [19, flag] }, 22);

const parameters = many(
  within(1, (out, number, value) => {
    const kind = (value as JSONObject).in;
    const write =
      kind === "body"
        ? within(1, bodyParameter)
        : within(2, kind === "path" ? within(4, pathParameter) : within(3, queryParameter));
    write(out, number, value);
  }),
);

const response = message({ description: [1, text], schema: [2, within(1, schema)] }, 5);
const operation = message(
  {
    tags: [1, many(text)],
    description: [3, text],
    operationId: [5, text],
    produces: [6, many(text)],
    consumes: [7, many(text)],
    parameters: [8, parameters],
    responses: [9, within(1, named(within(1, response)))],
    schemes: [10, many(text)],
  },
  13,
);

const pathItem = message(
  {
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, parameters],
  },
  10,
);

const apiKey = message({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }, 5);

const DOCUMENT: Members = {
  swagger: [1, text],
  info: [2, message({ title: [1, text], version: [2, text] }, 7)],
  paths: [8, within(2, named(pathItem))],
  definitions: [9, within(1, named(schema))],
  security: [12, many(within(1, named(within(1, many(text)))))],
  securityDefinitions: [13, within(1, named(within(2, apiKey)))],
};

/**
 * Bytes of a document that has only these members. Messages of the same number merge, so a document in parts is the
 * parts' bytes one after another.
 */
export function documentPart(part: JSONObject): Uint8Array {
  const out = new ProtobufWriter(4096);
  for (const [name, value] of Object.entries(part).reverse()) {
    const member = DOCUMENT[name];
    if (!member) throw new Error(`OpenAPI has no place for ${name}`);
    member[1](out, member[0], value);
  }
  return out.bytes();
}
