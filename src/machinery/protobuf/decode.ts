/**
 * Protobuf to objects in the order of the schema, as decode gives them from JSON. Unknown fields are skipped, as Go
 * does. The zero value of an optional scalar is absence, but where the field is a pointer in Go.
 */

import { isDeeper } from "../json/depth.ts";
import { bigintOf, isExactInteger } from "../json/exact-integer.ts";
import { JSONError, parseJSON } from "../json/json.ts";
import { type JsonObject, put } from "../json/json-object.ts";
import { base64OfBytes } from "../schema/base64.ts";
import { fieldOrder } from "../schema/field-order.ts";
import { zeroOf } from "../schema/scalars.ts";
import type { Field, FieldType, Scalar, Schemas } from "../schema/schema.ts";
import { DecodeError, decodeText } from "../schema/walk.ts";
import { formatDuration } from "../time/duration.ts";
import { formatMicroTime, formatTime } from "../time/time.ts";
import { layoutOf, type Node } from "./layout.ts";
import { ProtobufReader } from "./reader.ts";
import { BYTES, FIXED64, VARINT } from "./writer.ts";

/** Reads one occurrence of a field; `before` is what earlier occurrences gave. */
type Read = (reader: ProtobufReader, before: unknown) => unknown;

interface Slot {
  /** The place in the object; -1 for an embedded message. */
  order: number;
  wire: number;
  read: Read;
  embedded: Slots | undefined;
  repeated: boolean;
}

type Slots = (Slot | undefined)[];

interface Message {
  slots: Slots;
  fields: readonly Field[];
}

const compiled: WeakMap<Schemas, Map<string, Message>> = new WeakMap();

/** The object of a message without envelope. Throws a DecodeError for bytes that are not such a message. */
export function decodeMessage(schemas: Schemas, id: string, bytes: Uint8Array): JsonObject {
  try {
    return readMessage(messageOf(schemas, id), new ProtobufReader(bytes));
  } catch (error) {
    if (error instanceof RangeError) throw new DecodeError("exceeded max depth");
    throw error;
  }
}

function messageOf(schemas: Schemas, id: string): Message {
  let known = compiled.get(schemas);
  if (!known) {
    known = new Map();
    compiled.set(schemas, known);
  }
  let message = known.get(id);
  if (!message) {
    const definition = schemas.definition(id);
    const fields = fieldOrder(definition);
    message = { fields, slots: slotsOf(schemas, id, layoutOf(definition), fields) };
    known.set(id, message);
  }
  return message;
}

function slotsOf(schemas: Schemas, id: string, nodes: Node[], fields: readonly Field[]): Slots {
  const slots: Slots = [];
  for (const node of nodes) {
    if ("embedded" in node) {
      const embedded = slotsOf(schemas, id, node.embedded, fields);
      slots[node.number] = { order: -1, wire: BYTES, read: () => undefined, embedded, repeated: false };
      continue;
    }
    const { type, wire } = node.field;
    slots[node.number] = {
      order: fields.indexOf(node.field),
      wire: wireOf(type),
      read: fieldReader(schemas, id, type, wire),
      embedded: undefined,
      repeated: typeof type === "object" && !("ref" in type),
    };
  }
  return slots;
}

function readMessage(message: Message, reader: ProtobufReader): JsonObject {
  const { fields } = message;
  const values: unknown[] = new Array(fields.length);
  readFields(message.slots, reader, values);
  const object: JsonObject = {};
  for (let at = 0; at < fields.length; at++) {
    const value = values[at];
    if (value === undefined) continue;
    const field = fields[at]!;
    if ((value === "" || value === 0 || value === false) && !field.pointer && !field.required) continue;
    object[field.name] = value;
  }
  return object;
}

function readFields(slots: Slots, reader: ProtobufReader, values: unknown[]): void {
  while (reader.at < reader.end) {
    const tag = reader.varint();
    const wire = tag & 7;
    const slot = slots[Math.floor(tag / 8)];
    if (!slot) {
      reader.skip(wire);
    } else if (wire !== slot.wire) {
      if (wire !== BYTES || !slot.repeated) throw new DecodeError(`proto: wrong wireType = ${wire}`);
      within(reader, () => {
        while (reader.at < reader.end) values[slot.order] = slot.read(reader, values[slot.order]);
      });
    } else if (slot.embedded) {
      const { embedded } = slot;
      within(reader, () => readFields(embedded, reader, values));
    } else {
      values[slot.order] = slot.read(reader, values[slot.order]);
    }
  }
}

/** Reads the length and lets `read` see only that much. */
function within<T>(reader: ProtobufReader, read: () => T): T {
  const length = reader.length();
  const { end } = reader;
  reader.end = reader.at + length;
  const value = read();
  reader.end = end;
  return value;
}

function wireOf(type: FieldType): number {
  if (typeof type === "object")
    return "list" in type && typeof type.list === "string" ? wireOf(type.list) : BYTES;
  if (type === "boolean" || type === "int32" || type === "int64") return VARINT;
  return type === "float64" ? FIXED64 : BYTES;
}

function fieldReader(schemas: Schemas, id: string, type: FieldType, wire?: string): Read {
  if (typeof type === "string") return scalarReader(schemas, id, type, wire);
  if ("ref" in type) return refReader(schemas, type.ref);
  if ("map" in type) return mapReader(fieldReader(schemas, id, type.map, wire), type.map);
  if ((wire === "ExtraValue" || wire === "Verbs") && type.list === "string") {
    const strings = listReader((reader) => reader.text());
    return (reader) => within(reader, () => repeatedFirst(reader, strings)) ?? [];
  }
  return listReader(fieldReader(schemas, id, type.list, wire));
}

function listReader(element: Read): Read {
  return (reader, before) => {
    const list = (before as unknown[] | undefined) ?? [];
    list.push(element(reader, undefined) ?? null);
    return list;
  };
}

function refReader(schemas: Schemas, id: string): Read {
  let message: Message | undefined;
  return (reader) => {
    message ??= messageOf(schemas, id);
    const length = reader.length();
    const { end } = reader;
    reader.end = reader.at + length;
    const object = readMessage(message, reader);
    reader.end = end;
    return object;
  };
}

function mapReader(element: Read, type: FieldType): Read {
  return (reader, before) => {
    const map = (before as JsonObject | undefined) ?? {};
    within(reader, () => {
      let key = "";
      let value: unknown;
      eachField(reader, (number) => {
        if (number === 1) key = reader.text();
        else if (number === 2) value = element(reader, undefined);
        else return false;
        return true;
      });
      value ??= typeof type === "object" && "list" in type ? [] : zeroOf(type);
      put(map, key, value);
    });
    return map;
  };
}

/** Calls `read` for each field of the message up to its end; what it does not read (false) is skipped. */
function eachField(reader: ProtobufReader, read: (number: number, wire: number) => boolean): void {
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (!read(Math.floor(tag / 8), tag & 7)) reader.skip(tag & 7);
  }
}

/** All occurrences of field 1 of the message. */
function repeatedFirst(reader: ProtobufReader, read: Read): unknown {
  let value: unknown;
  eachField(reader, (number, wire) => {
    if (number !== 1 || wire !== BYTES) return false;
    value = read(reader, value);
    return true;
  });
  return value;
}

function scalarReader(schemas: Schemas, id: string, type: Scalar, wire?: string): Read {
  switch (type) {
    case "string":
      return (reader) => reader.text();
    case "boolean":
      return (reader) => reader.int64() !== 0;
    case "int32":
      return (reader) => reader.int32();
    case "int64":
      return (reader) => reader.int64();
    case "float64":
      return (reader) => reader.double();
    case "bytes":
      return (reader) => base64OfBytes(reader.raw());
    case "Quantity":
      return (reader) => within(reader, () => repeatedFirst(reader, (inner) => inner.text())) ?? "0";
    case "Duration":
      return (reader) =>
        within(reader, () => {
          const { first } = numbersOf(reader);
          return formatDuration(bigintOf(first) ?? 0n);
        });
    case "Time":
    case "MicroTime":
      return timeReader(type === "Time");
    case "IntOrString":
      return readIntOrString;
    case "any":
      if (wire?.startsWith("JSONSchemaPropsOr")) return schemaOrReader(schemas, id, wire);
      return (reader) => {
        const raw = within(reader, () => repeatedFirst(reader, (inner) => inner.raw())) as
          | Uint8Array
          | undefined;
        if (!raw || raw.length === 0) return undefined;
        const value = parseJSON(raw);
        if (isDeeper(value)) throw new JSONError("exceeded max depth");
        return value === null ? undefined : value;
      };
  }
}

/** Fields 1 and 2 of a message where both are numbers. */
function numbersOf(reader: ProtobufReader): { first: unknown; second: unknown } {
  const numbers: { first: unknown; second: unknown } = { first: 0, second: 0 };
  eachField(reader, (number, wire) => {
    if (wire !== VARINT || number < 1 || number > 2) return false;
    if (number === 1) numbers.first = reader.int64();
    else numbers.second = reader.int64();
    return true;
  });
  return numbers;
}

/** The zero time is an empty message and stands for absence. */
function timeReader(whole: boolean): Read {
  return (reader) =>
    within(reader, () => {
      if (reader.at === reader.end) return undefined;
      const { first, second } = numbersOf(reader);
      if (typeof first !== "number" || typeof second !== "number" || isExactInteger(first)) {
        throw new DecodeError("Time.MarshalJSON: year outside of range [0,9999]");
      }
      return whole
        ? decodeText(formatTime, first * 1000)
        : decodeText(formatMicroTime, { seconds: first, nanos: second });
    });
}

const readIntOrString: Read = (reader) =>
  within(reader, () => {
    let text = false;
    let int = 0;
    let string = "";
    eachField(reader, (number, wire) => {
      if (number === 1 && wire === VARINT) text = reader.int64() === 1;
      else if (number === 2 && wire === VARINT) int = reader.int32();
      else if (number === 3 && wire === BYTES) string = reader.text();
      else return false;
      return true;
    });
    return text ? string : int;
  });

function schemaOrReader(schemas: Schemas, owner: string, wire: string): Read {
  const schema = refReader(schemas, `${owner.slice(0, owner.lastIndexOf("."))}.JSONSchemaProps`);
  const bool = wire === "JSONSchemaPropsOrBool";
  const several = wire === "JSONSchemaPropsOrArray";
  return (reader) =>
    within(reader, () => {
      let allows = false;
      let single: unknown;
      const list: unknown[] = [];
      eachField(reader, (number, type) => {
        if (bool && number === 1 && type === VARINT) allows = reader.int64() !== 0;
        else if (type !== BYTES || number < 1 || number > 2) return false;
        else if (number === (bool ? 2 : 1)) single = schema(reader, undefined);
        else list.push(several ? schema(reader, undefined) : reader.text());
        return true;
      });
      return single ?? (bool ? allows : list);
    });
}
