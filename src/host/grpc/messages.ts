/**
 * Messages of gRPC services in the encoding of protobuf (proto3). A message is declared once; its types and its bytes
 * derive from the declaration:
 *
 *   const Mount = message({ hostPath: string(2), readonly: bool(3) });
 *   Mount.encode({ hostPath: "/data" });          // what is absent or zero is left out
 *   Mount.decode(bytes).readonly;                 // what did not come is zero; a message that did not come, undefined
 *
 * 64-bit integers are numbers, so that nanoseconds since 1970 come rounded to the next 256; `long` keeps every bit.
 * Fields without a declaration are skipped, as protobuf wants.
 */
import { Reader, Writer } from "./wire.ts";

/** One field: how it is written and read, and what it is where it did not come. */
export interface Field<Received, Sent = Received> {
  readonly number: number;
  /** Writes tag and value; nothing where the value is zero. */
  write(writer: Writer, value: Sent): void;
  /** Reads one value of the wire type that came, into what was read of the field before. */
  read(reader: Reader, before: Received, wireType: number): Received;
  zero(): Received;
}

// biome-ignore lint/suspicious/noExplicitAny: the one place where fields of every type meet.
type Fields = Readonly<Record<string, Field<any, any>>>;

/** What a decoded message is. */
export type Received<M> =
  M extends Message<infer F> ? { [K in keyof F]: F[K] extends Field<infer R, infer _S> ? R : never } : never;

/** What a message to be sent is: any of its fields. */
export type Sent<M> =
  M extends Message<infer F>
    ? { readonly [K in keyof F]?: F[K] extends Field<infer _R, infer S> ? S | undefined : never }
    : never;

export interface Message<F extends Fields = Fields> {
  readonly fields: F;
  encode(value: Sent<Message<F>>): Buffer;
  decode(bytes: Uint8Array): Received<Message<F>>;
  /** Writes the fields without a length before them. */
  write(writer: Writer, value: Sent<Message<F>>): void;
}

export function message<const F extends Fields>(fields: F): Message<F> {
  const entries = Object.entries(fields);
  const byNumber = new Map(entries.map(([name, field]) => [field.number, { name, field }]));
  const write = (writer: Writer, value: Readonly<Record<string, unknown>>): void => {
    for (const [name, field] of entries) {
      const own = value[name];
      if (own !== undefined) field.write(writer, own);
    }
  };
  const decode = (bytes: Uint8Array): Record<string, unknown> => {
    const value: Record<string, unknown> = {};
    for (const [name, field] of entries) value[name] = field.zero();
    const reader = new Reader(bytes);
    while (!reader.done) {
      const tag = reader.varint();
      const known = byNumber.get(Math.floor(tag / 8));
      if (known) value[known.name] = known.field.read(reader, value[known.name], tag & 7);
      else reader.skip(tag & 7);
    }
    return value;
  };
  return {
    fields,
    write: write as Message<F>["write"],
    decode: decode as Message<F>["decode"],
    encode(value) {
      const writer = new Writer();
      write(writer, value as Record<string, unknown>);
      return writer.bytes();
    },
  };
}

export function string(number: number): Field<string> {
  return {
    number,
    write(writer, value) {
      if (value !== "") writer.bytesField(number, Buffer.from(value));
    },
    read: (reader) => reader.bytes().toString(),
    zero: () => "",
  };
}

export function bytes(number: number): Field<Buffer, Uint8Array> {
  return {
    number,
    write(writer, value) {
      if (value.length > 0) writer.bytesField(number, value);
    },
    read: (reader) => reader.bytes(),
    zero: () => Buffer.alloc(0),
  };
}

export function bool(number: number): Field<boolean> {
  return {
    number,
    write(writer, value) {
      if (value) writer.varintField(number, 1);
    },
    read: (reader) => reader.varint() !== 0,
    zero: () => false,
  };
}

/** int32, int64, uint32, uint64 and enums: all are the same on the wire. */
export function integer(number: number): Field<number> {
  return {
    number,
    write(writer, value) {
      if (value !== 0) writer.varintField(number, value);
    },
    read: (reader) => reader.varint(),
    zero: () => 0,
  };
}

/** int64 where the precise 64 bits matter, as in identifiers. */
export function long(number: number): Field<bigint> {
  return {
    number,
    write(writer, value) {
      if (value !== 0n) writer.longField(number, value);
    },
    read: (reader) => reader.long(),
    zero: () => 0n,
  };
}

export function sub<F extends Fields>(
  number: number,
  of: Message<F>,
): Field<Received<Message<F>> | undefined, Sent<Message<F>>> {
  return {
    number,
    write(writer, value) {
      writer.messageField(number, (inner) => of.write(inner, value));
    },
    read: (reader) => of.decode(reader.bytes()),
    zero: () => undefined,
  };
}

export function repeated<F extends Fields>(
  number: number,
  of: Message<F>,
): Field<Received<Message<F>>[], readonly Sent<Message<F>>[]> {
  return {
    number,
    write(writer, values) {
      for (const value of values) writer.messageField(number, (inner) => of.write(inner, value));
    },
    read(reader, before) {
      before.push(of.decode(reader.bytes()));
      return before;
    },
    zero: () => [],
  };
}

export function strings(number: number): Field<string[], readonly string[]> {
  return {
    number,
    write(writer, values) {
      for (const value of values) writer.bytesField(number, Buffer.from(value));
    },
    read(reader, before) {
      before.push(reader.bytes().toString());
      return before;
    },
    zero: () => [],
  };
}

/** Written packed, read packed or not. */
export function integers(number: number): Field<number[], readonly number[]> {
  return {
    number,
    write(writer, values) {
      if (values.length === 0) return;
      const packed = new Writer();
      for (const value of values) packed.varint(value);
      writer.bytesField(number, packed.bytes());
    },
    read(reader, before, wireType) {
      if (wireType === 0) before.push(reader.varint());
      else {
        const packed = new Reader(reader.bytes());
        while (!packed.done) before.push(packed.varint());
      }
      return before;
    },
    zero: () => [],
  };
}

/** A map from text to text; its keys are any text. */
export function textMap(number: number): Field<Map<string, string>, Iterable<readonly [string, string]>> {
  return {
    number,
    write(writer, values) {
      for (const [key, value] of values) {
        writer.messageField(number, (inner) => {
          inner.bytesField(1, Buffer.from(key));
          inner.bytesField(2, Buffer.from(value));
        });
      }
    },
    read(reader, before) {
      const entry = Entry.decode(reader.bytes());
      before.set(entry.key, entry.value);
      return before;
    },
    zero: () => new Map(),
  };
}

const Entry = message({ key: string(1), value: string(2) });
