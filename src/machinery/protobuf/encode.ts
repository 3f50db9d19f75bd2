/**
 * Objects to protobuf as the generated Go marshallers write them: fields by number, maps by key. Every definition is
 * compiled at first use. Messages are written back to front.
 */

import { bigintOf } from "../json/exact-integer.ts";
import { stringifyBytes } from "../json/json.ts";
import type { JsonObject } from "../json/json-object.ts";
import { bytesOfBase64 } from "../schema/base64.ts";
import type { FieldType, Scalar, Schemas } from "../schema/schema.ts";
import { parseDuration } from "../time/duration.ts";
import { parseTime } from "../time/time.ts";
import { layoutOf, type Node } from "./layout.ts";
import { FIXED64, ProtobufWriter, VARINT } from "./writer.ts";

/** Writes a value that is there as field `number`. */
type Encode = (writer: ProtobufWriter, value: unknown, number: number) => void;
type EncodeMessage = (writer: ProtobufWriter, object: JsonObject) => void;

const compiled: WeakMap<Schemas, Map<string, EncodeMessage>> = new WeakMap();
let spare: ProtobufWriter | undefined;

/** The message of an object of definition `id`, without envelope. */
export function encodeMessage(schemas: Schemas, id: string, object: object): Uint8Array {
  const writer = spare ?? new ProtobufWriter();
  spare = undefined;
  writer.reset();
  messageEncoder(schemas, id)(writer, object as JsonObject);
  const bytes = writer.bytes();
  if (bytes.length < 1 << 20) spare = writer;
  return bytes;
}

function messageEncoder(schemas: Schemas, id: string): EncodeMessage {
  let known = compiled.get(schemas);
  if (!known) {
    known = new Map();
    compiled.set(schemas, known);
  }
  let encoder = known.get(id);
  if (!encoder) {
    encoder = compileNodes(schemas, id, layoutOf(schemas.definition(id)));
    known.set(id, encoder);
  }
  return encoder;
}

function compileNodes(schemas: Schemas, owner: string, nodes: Node[]): EncodeMessage {
  const steps = nodes.map((node) => compileNode(schemas, owner, node)).reverse();
  return (writer, object) => {
    for (let at = 0; at < steps.length; at++) steps[at]!(writer, object);
  };
}

function compileNode(schemas: Schemas, owner: string, node: Node): EncodeMessage {
  const { number } = node;
  if ("embedded" in node) {
    const inner = compileNodes(schemas, owner, node.embedded);
    return (writer, object) => {
      const before = writer.size;
      inner(writer, object);
      writer.close(number, before);
    };
  }
  const { name, type, wire } = node.field;
  const encode = compileType(schemas, owner, type, wire);
  const zero = zeroEncoder(schemas, node.field.type, node.field.required === true);
  return (writer, object) => {
    const value = object[name];
    if (value !== undefined && value !== null) encode(writer, value, number);
    else if (zero) zero(writer, undefined, number);
  };
}

/** What Go writes of a field that is not a pointer and was not set. */
function zeroEncoder(schemas: Schemas, type: FieldType, written: boolean): Encode | undefined {
  if (!written) return undefined;
  if (typeof type === "string") {
    const zeros: Partial<Record<typeof type, unknown>> = { boolean: false, int32: 0, int64: 0, float64: 0 };
    if (type === "string") return (writer, _value, number) => encodeText(writer, "", number);
    if (type in zeros) {
      const encode = scalarEncoder(type);
      return (writer, _value, number) => encode(writer, zeros[type], number);
    }
    return type === "Time" || type === "MicroTime" || type === "any"
      ? (writer, _value, number) => writer.close(number, writer.size)
      : undefined;
  }
  if (!("ref" in type)) return undefined;
  const encode = refEncoder(schemas, type.ref);
  return (writer, _value, number) => encode(writer, {}, number);
}

function compileType(schemas: Schemas, owner: string, type: FieldType, wire?: string): Encode {
  if (typeof type === "string") {
    if (wire?.startsWith("JSONSchemaPropsOr")) return schemaOrEncoder(schemas, owner, wire);
    return scalarEncoder(type);
  }
  if ("ref" in type) return refEncoder(schemas, type.ref);
  if ("map" in type) return mapEncoder(compileType(schemas, owner, type.map, wire));
  const message = wire === "ExtraValue" || wire === "Verbs";
  const element = compileType(schemas, owner, type.list, message ? undefined : wire);
  const list: Encode = (writer, value, number) => {
    const elements = value as unknown[];
    for (let at = elements.length - 1; at >= 0; at--) element(writer, elements[at], number);
  };
  return message && type.list === "string" ? wrapped(list) : list;
}

/** As the only field of a message. */
function wrapped(inner: Encode): Encode {
  return (writer, value, number) => {
    const before = writer.size;
    inner(writer, value, 1);
    writer.close(number, before);
  };
}

function refEncoder(schemas: Schemas, id: string): Encode {
  let encoder: EncodeMessage | undefined;
  return (writer, value, number) => {
    encoder ??= messageEncoder(schemas, id);
    const before = writer.size;
    encoder(writer, value as JsonObject);
    writer.close(number, before);
  };
}

function mapEncoder(element: Encode): Encode {
  return (writer, value, number) => {
    const map = value as JsonObject;
    const keys = Object.keys(map).sort();
    for (let at = keys.length - 1; at >= 0; at--) {
      const key = keys[at]!;
      const before = writer.size;
      element(writer, map[key], 2);
      encodeText(writer, key, 1);
      writer.close(number, before);
    }
  };
}

const encodeText: Encode = (writer, value, number) => {
  const before = writer.size;
  writer.text(value as string);
  writer.close(number, before);
};

const encodeInteger: Encode = (writer, value, number) => {
  writer.signed(Number.isSafeInteger(value) ? (value as number) : (bigintOf(value) ?? 0));
  writer.tag(number, VARINT);
};

function encodeBytes(writer: ProtobufWriter, bytes: Uint8Array, number: number): void {
  const before = writer.size;
  writer.raw(bytes);
  writer.close(number, before);
}

function scalarEncoder(type: Scalar): Encode {
  switch (type) {
    case "string":
      return encodeText;
    case "boolean":
      return (writer, value, number) => {
        writer.varint(value ? 1 : 0);
        writer.tag(number, VARINT);
      };
    case "int32":
    case "int64":
      return encodeInteger;
    case "float64":
      return (writer, value, number) => {
        writer.double(Number(value));
        writer.tag(number, FIXED64);
      };
    case "bytes":
      return (writer, value, number) => encodeBytes(writer, bytesOfBase64(value as string), number);
    case "Quantity":
      return wrapped((writer, value) => encodeText(writer, String(value), 1));
    case "Time":
    case "MicroTime":
      return (writer, value, number) => {
        const before = writer.size;
        // In a map the zero time is null in JSON and an empty message here.
        if (value !== null) {
          const { seconds, nanos } = parseTime(value as string);
          encodeInteger(writer, nanos, 2);
          encodeInteger(writer, seconds, 1);
        }
        writer.close(number, before);
      };
    case "Duration":
      return (writer, value, number) => {
        const before = writer.size;
        writer.signed(parseDuration(value as string));
        writer.tag(1, VARINT);
        writer.close(number, before);
      };
    case "IntOrString":
      return (writer, value, number) => {
        const before = writer.size;
        const text = typeof value === "string";
        encodeText(writer, text ? value : "", 3);
        encodeInteger(writer, text ? 0 : value, 2);
        encodeInteger(writer, text ? 1 : 0, 1);
        writer.close(number, before);
      };
    case "any":
      // RawExtension, FieldsV1 and JSON all are one field of bytes, the JSON text.
      return wrapped((writer, value) => encodeBytes(writer, stringifyBytes(value), 1));
  }
}

/** apiextensions: a schema, or in its place a boolean, several schemas, or strings. */
function schemaOrEncoder(schemas: Schemas, owner: string, wire: string): Encode {
  const schema = refEncoder(schemas, `${owner.slice(0, owner.lastIndexOf("."))}.JSONSchemaProps`);
  return (writer, value, number) => {
    const before = writer.size;
    const object = typeof value === "object" && !Array.isArray(value);
    if (wire === "JSONSchemaPropsOrBool") {
      if (object) schema(writer, value, 2);
      writer.varint(value === false ? 0 : 1);
      writer.tag(1, VARINT);
    } else if (Array.isArray(value)) {
      const element = wire === "JSONSchemaPropsOrArray" ? schema : encodeText;
      for (let at = value.length - 1; at >= 0; at--) element(writer, value[at], 2);
    } else {
      schema(writer, value, 1);
    }
    writer.close(number, before);
  };
}
