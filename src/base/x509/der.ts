/** As much of DER (X.690) as certificates need: a writer and a bounds-checked reader. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** An element as it was read; `content` and `raw` (with tag and length) are views of the input. */
export interface DerElement {
  tag: number;
  content: Uint8Array;
  raw: Uint8Array;
}

export class DerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DerError";
  }
}

const UTF8 = new TextEncoder();

export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const head = length < 128 ? 2 : length < 256 ? 3 : length < 65536 ? 4 : 5;
  const out = new Uint8Array(head + length);
  out[0] = tag;
  if (head === 2) out[1] = length;
  else {
    out[1] = 0x80 | (head - 2);
    for (let i = head - 1, rest = length; i > 1; i--, rest >>>= 8) out[i] = rest & 0xff;
  }
  let at = head;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return tlv(TAG.sequence, ...parts);
}

export function set(...parts: readonly Uint8Array[]): Uint8Array {
  return tlv(TAG.set, ...parts);
}

/** `[number]` of a constructed value, e.g. explicit tags. */
export function context(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return tlv(0xa0 | number, ...parts);
}

/** `[number]` of a primitive value, as implicit tags of strings. */
export function contextPrimitive(number: number, content: Uint8Array): Uint8Array {
  return tlv(0x80 | number, content);
}

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from++;
  const trimmed = bytes.subarray(from);
  return (trimmed[0] ?? 0) >= 0x80
    ? tlv(TAG.integer, Uint8Array.of(0), trimmed)
    : tlv(TAG.integer, trimmed.length === 0 ? Uint8Array.of(0) : trimmed);
}

export function boolean(value: boolean): Uint8Array {
  return tlv(TAG.boolean, Uint8Array.of(value ? 0xff : 0));
}

export function octetString(content: Uint8Array): Uint8Array {
  return tlv(TAG.octetString, content);
}

export function bitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return tlv(TAG.bitString, Uint8Array.of(unusedBits), content);
}

export function utf8String(text: string): Uint8Array {
  return tlv(TAG.utf8String, UTF8.encode(text));
}

export function objectIdentifier(dotted: string): Uint8Array {
  const arcs = dotted.split(".").map(Number);
  const [first = 0, second = 0, ...rest] = arcs;
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift(128 + (left % 128));
    bytes.push(...septets);
  }
  return tlv(TAG.objectIdentifier, Uint8Array.from(bytes));
}

/** UTCTime up to 2049 and GeneralizedTime after, as RFC 5280 section 4.1.2.5 asks. */
export function time(when: Date): Uint8Array {
  const text = `${when.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
  return when.getUTCFullYear() < 2050
    ? tlv(TAG.utcTime, UTF8.encode(text.slice(2)))
    : tlv(TAG.generalizedTime, UTF8.encode(text));
}

/** The element at `at`; throws DerError where it is cut off or not DER. */
export function readElement(bytes: Uint8Array, at = 0): DerElement {
  const tag = bytes[at];
  const short = bytes[at + 1];
  if (tag === undefined || short === undefined) throw new DerError("truncated element");
  if ((tag & 0x1f) === 0x1f) throw new DerError("multi-byte tags are not used in certificates");
  let length = short;
  let from = at + 2;
  if (short >= 0x80) {
    const size = short & 0x7f;
    if (size === 0 || size > 4) throw new DerError("bad length");
    length = 0;
    for (let i = 0; i < size; i++) {
      const byte = bytes[from++];
      if (byte === undefined) throw new DerError("truncated length");
      length = length * 256 + byte;
    }
    if (length < 128) throw new DerError("length is not minimal");
  }
  if (from + length > bytes.length) throw new DerError("element is longer than its input");
  return { tag, content: bytes.subarray(from, from + length), raw: bytes.subarray(at, from + length) };
}

/** The elements that a constructed element (or any run of elements) holds. */
export function readElements(content: Uint8Array): DerElement[] {
  const found: DerElement[] = [];
  for (let at = 0; at < content.length; ) {
    const element = readElement(content, at);
    found.push(element);
    at += element.raw.length;
  }
  return found;
}

/** The dotted form of an OBJECT IDENTIFIER's content. */
export function readObjectIdentifier(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(arc / 40));
      arcs.push(first, arc - first * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}

/** The text of any of the string types; undefined for another type. */
export function readText({ tag, content }: DerElement): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return new TextDecoder().decode(content);
    case TAG.printableString:
    case TAG.ia5String:
    case TAG.teletexString:
      return String.fromCharCode(...content);
    case TAG.bmpString: {
      let text = "";
      for (let i = 0; i + 1 < content.length; i += 2)
        text += String.fromCharCode(((content[i] ?? 0) << 8) | (content[i + 1] ?? 0));
      return text;
    }
    default:
      return undefined;
  }
}

/** The instant of a UTCTime or GeneralizedTime in the only form that RFC 5280 allows. */
export function readTime({ tag, content }: DerElement): Date {
  let text = String.fromCharCode(...content);
  if (tag === TAG.utcTime) text = (text < "50" ? "20" : "19") + text;
  const [year, month, day, hour, minute, second] = [0, 4, 6, 8, 10, 12].map((from) =>
    text.slice(from, from === 0 ? 4 : from + 2),
  );
  const when = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (text.length !== 15 || !text.endsWith("Z") || Number.isNaN(when.getTime()))
    throw new DerError("time is not in the form of RFC 5280");
  return when;
}
