/** Messages of D-Bus: https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol-messages */
import { DBusError, typesOf, type Value, ValueReader, ValueWriter } from "./values.ts";

export const CALL = 1;
export const RETURN = 2;
export const FAILURE = 3;
export const SIGNAL = 4;

export interface DBusMessage {
  type: number;
  serial: number;
  path?: string;
  interface?: string;
  member?: string;
  errorName?: string;
  replySerial?: number;
  destination?: string;
  sender?: string;
  signature?: string;
  body: readonly Value[];
}

/** By their numbers in the header. */
const FIELDS = [
  [1, "path", "o"],
  [2, "interface", "s"],
  [3, "member", "s"],
  [4, "errorName", "s"],
  [5, "replySerial", "u"],
  [6, "destination", "s"],
  [7, "sender", "s"],
  [8, "signature", "g"],
] as const;

/** Of the fixed part, with the length of the header's fields behind it. */
const FIXED = 16;
/** Nobody sends us much: what is longer is a mistake. */
const LONGEST = 1 << 20;

export function encodeMessage(message: DBusMessage): Buffer {
  const body = new ValueWriter();
  for (const [at, type] of typesOf(message.signature ?? "").entries()) body.value(type, message.body[at]!);
  const bodyBytes = body.bytes();
  const fields = new ValueWriter();
  for (const [number, name, type] of FIELDS) {
    const value = message[name];
    if (value === undefined || value === "") continue;
    fields.align(8);
    fields.byte(number);
    fields.signature(type);
    fields.value(type, value);
  }
  const fieldBytes = fields.bytes();
  const head = new ValueWriter();
  for (const byte of ["l".charCodeAt(0), message.type, 0, 1]) head.byte(byte);
  for (const word of [bodyBytes.length, message.serial, fieldBytes.length]) head.uint32(word);
  const padding = Buffer.alloc((8 - (fieldBytes.length % 8)) % 8);
  return Buffer.concat([head.bytes(), fieldBytes, padding, bodyBytes]);
}

/** The first message of the bytes, and how many it takes; undefined where they do not hold all of it. */
export function decodeMessage(bytes: Buffer): { message: DBusMessage; length: number } | undefined {
  if (bytes.length < FIXED) return undefined;
  const order = String.fromCharCode(bytes[0]!);
  if (order !== "l" && order !== "B") throw new DBusError("what came is no message");
  const reader = new ValueReader(bytes, order === "l", 4);
  const [bodyLength, serial, fieldsLength] = [reader.uint32(), reader.uint32(), reader.uint32()];
  const bodyAt = FIXED + Math.ceil(fieldsLength / 8) * 8;
  const length = bodyAt + bodyLength;
  if (length > LONGEST) throw new DBusError(`a message of ${length} bytes`);
  if (bytes.length < length) return undefined;
  const own = new ValueReader(bytes.subarray(0, length), order === "l", FIXED - 4);
  const message: DBusMessage = { type: bytes[1]!, serial, body: [] };
  for (const field of own.read("a(yv)") as readonly (readonly [number, Value])[]) {
    const known = FIELDS.find(([number]) => number === field[0]);
    if (known) Object.assign(message, { [known[1]]: field[1] });
  }
  own.at = bodyAt;
  message.body = typesOf(message.signature ?? "").map((type) => own.read(type));
  return { message, length };
}
