/** Values of D-Bus as bytes, by their signatures. Whoever reads or writes is at an offset of the message: values are aligned. */

/** Integers of 64 bits are bigints, variants are what is in them, structs and arrays are lists, dictionaries are Maps. */
export type Value = number | bigint | boolean | string | readonly Value[] | ReadonlyMap<Value, Value>;

/** Bytes that are no message, or a message that is none of ours to read. */
export class DBusError extends Error {
  /** As `org.freedesktop.DBus.Error.ServiceUnknown`; undefined where the bus itself failed. */
  readonly errorName: string | undefined;
  constructor(message: string, errorName?: string) {
    super(message);
    this.name = "DBusError";
    this.errorName = errorName;
  }
}

const ALIGNMENT: ReadonlyMap<string, number> = new Map([
  ...[..."ygv"].map((code) => [code, 1] as const),
  ...[..."nq"].map((code) => [code, 2] as const),
  ...[..."biuhsoa"].map((code) => [code, 4] as const),
  ...[..."xtd({"].map((code) => [code, 8] as const),
]);
const DEEPEST = 32;

/** The complete types of a signature: `sa{sv}` is `s` and `a{sv}`. */
export function typesOf(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at, 0);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function endOfType(signature: string, at: number, depth: number): number {
  const code = signature[at] ?? "";
  if (depth > DEEPEST || !ALIGNMENT.has(code))
    throw new DBusError(`no signature: ${JSON.stringify(signature)}`);
  if (code === "a") return endOfType(signature, at + 1, depth + 1);
  if (code !== "(" && code !== "{") return at + 1;
  const close = code === "(" ? ")" : "}";
  let end = at + 1;
  while (signature[end] !== close) end = endOfType(signature, end, depth + 1);
  return end + 1;
}

export class ValueWriter {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  align(to: number): void {
    const rest = this.length % to;
    if (rest > 0) this.push(new Uint8Array(to - rest));
  }

  byte(value: number): void {
    this.push(Uint8Array.of(value));
  }

  uint32(value: number): void {
    this.align(4);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    this.push(bytes);
  }

  text(value: string): void {
    const bytes = Buffer.from(value);
    this.uint32(bytes.length);
    this.push(bytes);
    this.byte(0);
  }

  signature(value: string): void {
    this.byte(value.length);
    this.push(Buffer.from(value));
    this.byte(0);
  }

  /** Of the types that are sent: texts, booleans, whole numbers, and variants of them as `[type, value]`. */
  value(type: string, value: Value): void {
    if (type === "s" || type === "o") this.text(String(value));
    else if (type === "g") this.signature(String(value));
    else if (type === "b") this.uint32(value === true ? 1 : 0);
    else if (type === "u" || type === "i") this.uint32(Number(value));
    else if (type === "t") {
      this.align(8);
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(value as bigint));
      this.push(bytes);
    } else if (type === "v") {
      const [of, inside] = value as readonly [string, Value];
      this.signature(of);
      this.value(of, inside);
    } else throw new DBusError(`values of type ${type} are not sent`);
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  private push(bytes: Uint8Array): void {
    this.parts.push(bytes);
    this.length += bytes.length;
  }
}

export class ValueReader {
  private readonly bytes: Buffer;
  private readonly little: boolean;
  at: number;

  constructor(bytes: Buffer, little: boolean, at = 0) {
    this.bytes = bytes;
    this.little = little;
    this.at = at;
  }

  read(type: string, depth = 0): Value {
    if (depth > DEEPEST) throw new DBusError("a value that is too deep");
    const code = type[0]!;
    this.at = Math.ceil(this.at / ALIGNMENT.get(code)!) * ALIGNMENT.get(code)!;
    switch (code) {
      case "y":
        return this.take(1).readUInt8();
      case "b":
        return this.uint32() !== 0;
      case "n":
        return this.little ? this.take(2).readInt16LE() : this.take(2).readInt16BE();
      case "q":
        return this.little ? this.take(2).readUInt16LE() : this.take(2).readUInt16BE();
      case "i":
        return this.uint32() | 0;
      case "u":
      case "h":
        return this.uint32();
      case "x":
        return this.little ? this.take(8).readBigInt64LE() : this.take(8).readBigInt64BE();
      case "t":
        return this.little ? this.take(8).readBigUInt64LE() : this.take(8).readBigUInt64BE();
      case "d":
        return this.little ? this.take(8).readDoubleLE() : this.take(8).readDoubleBE();
      case "s":
      case "o":
        return this.text(this.uint32());
      case "g":
        return this.text(this.take(1).readUInt8());
      case "v":
        return this.variant(depth);
      case "a":
        return this.array(type.slice(1), depth);
      default:
        return typesOf(type.slice(1, -1)).map((member) => this.read(member, depth + 1));
    }
  }

  uint32(): number {
    return this.little ? this.take(4).readUInt32LE() : this.take(4).readUInt32BE();
  }

  private variant(depth: number): Value {
    const [type, ...more] = typesOf(this.text(this.take(1).readUInt8()));
    if (type === undefined || more.length > 0) throw new DBusError("a variant of no single type");
    return this.read(type, depth + 1);
  }

  private array(of: string, depth: number): Value {
    const length = this.uint32();
    const alignment = ALIGNMENT.get(of[0]!)!;
    this.at = Math.ceil(this.at / alignment) * alignment;
    const end = this.at + length;
    const items: Value[] = [];
    while (this.at < end) items.push(this.read(of, depth + 1));
    if (!of.startsWith("{")) return items;
    return new Map(items.map((entry) => entry as readonly [Value, Value]));
  }

  private text(length: number): string {
    const text = this.take(length).toString();
    this.take(1);
    return text;
  }

  private take(length: number): Buffer {
    const taken = this.bytes.subarray(this.at, this.at + length);
    if (taken.length < length) throw new DBusError("a message that ends too soon");
    this.at += length;
    return taken;
  }
}
