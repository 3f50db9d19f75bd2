/*
 * Just enough of the protobuf encoding for etcd's messages: integers, bytes, text and messages. A message is read into
 * its fields by number; what has no number here is skipped, as protobuf wants.
 */

/** A message to send: each field is [number, value]; absent, zero and false ones are left out, as in proto3. */
export type Fields = readonly (readonly [number: number, value: FieldValue])[];
export type FieldValue = number | bigint | boolean | string | Uint8Array | { message: Fields } | undefined;

export function encode(fields: Fields): Buffer {
  const parts: Uint8Array[] = [];
  append(fields, parts);
  return Buffer.concat(parts);
}

function append(fields: Fields, parts: Uint8Array[]): void {
  for (const [number, value] of fields) {
    if (value === undefined || value === 0 || value === 0n || value === false) continue;
    if (typeof value === "number" || typeof value === "bigint" || value === true) {
      parts.push(varint(number << 3), varint(value === true ? 1 : value));
      continue;
    }
    const bytes =
      typeof value === "string"
        ? Buffer.from(value)
        : value instanceof Uint8Array
          ? value
          : encode((value as { message: Fields }).message);
    parts.push(varint((number << 3) | 2), varint(bytes.length), bytes);
  }
}

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A message that came: its fields by number, read on demand. */
export class Message {
  readonly #integers = new Map<number, bigint>();
  readonly #bytes = new Map<number, Buffer[]>();

  constructor(bytes: Buffer) {
    let at = 0;
    const read = (): bigint => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++];
        if (byte === undefined || shift > 63n) throw new RangeError("a protobuf message is cut short");
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    };
    while (at < bytes.length) {
      const tag = Number(read());
      const number = tag >>> 3;
      if ((tag & 7) === 0) this.#integers.set(number, read());
      else if ((tag & 7) === 2) {
        const length = Number(read());
        if (at + length > bytes.length) throw new RangeError("a protobuf message is cut short");
        const known = this.#bytes.get(number);
        const piece = bytes.subarray(at, at + length);
        if (known) known.push(piece);
        else this.#bytes.set(number, [piece]);
        at += length;
      } else if ((tag & 7) === 1) at += 8;
      else if ((tag & 7) === 5) at += 4;
      else throw new RangeError(`a protobuf message has wire type ${tag & 7}`);
    }
  }

  integer(number: number): number {
    return Number(BigInt.asIntN(64, this.#integers.get(number) ?? 0n));
  }

  /** Where the precise 64 bits matter, as in identifiers. */
  long(number: number): bigint {
    return BigInt.asIntN(64, this.#integers.get(number) ?? 0n);
  }

  bytes(number: number): Buffer {
    return this.#bytes.get(number)?.at(-1) ?? Buffer.alloc(0);
  }

  text(number: number): string {
    return this.bytes(number).toString();
  }

  message(number: number): Message | undefined {
    const found = this.#bytes.get(number)?.at(-1);
    return found && new Message(found);
  }

  messages(number: number): Message[] {
    return (this.#bytes.get(number) ?? []).map((piece) => new Message(piece));
  }
}
