/** Names as texts: lower case, dots between labels, none at the end; the root is "". A dot or backslash in a label has a backslash before it. */

/** Of a label on the wire, and of a whole name. */
const LONGEST_LABEL = 63;
const LONGEST_NAME = 255;

const DOT = 0x2e;
const BACKSLASH = 0x5c;

export interface ReadName {
  name: string;
  /** Where what follows the name begins. */
  end: number;
  /** Whether it was written with pointers. */
  isCompressed: boolean;
}

/** Undefined where there is no whole name. Pointers must lead backwards: so they cannot lead in circles. */
export function readName(message: Uint8Array, start: number): ReadName | undefined {
  let text = "";
  let at = start;
  let end = -1;
  let size = 1;
  let limit = start;
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return { name: text, end: end < 0 ? at + 1 : end, isCompressed: end >= 0 };
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) return undefined;
      if (end < 0) end = at + 2;
      const target = (length & 0x3f) * 256 + low;
      if (target >= limit) return undefined;
      limit = target;
      at = target;
      continue;
    }
    if (length > LONGEST_LABEL || at + 1 + length > message.length) return undefined;
    size += length + 1;
    if (size > LONGEST_NAME) return undefined;
    if (text !== "") text += ".";
    text += labelText(message, at + 1, at + 1 + length);
    at += 1 + length;
  }
}

function labelText(message: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let at = from; at < to; at++) {
    const code = message[at]!;
    if (code === DOT || code === BACKSLASH) text += "\\";
    text += String.fromCharCode(code >= 65 && code <= 90 ? code + 32 : code);
  }
  return text;
}

/** Where what follows the name begins; -1 where there is no whole name. Pointers are not followed. */
export function skipName(message: Uint8Array, start: number): number {
  for (let at = start; ; ) {
    const length = message[at];
    if (length === undefined) return -1;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2 <= message.length ? at + 2 : -1;
    if (length > LONGEST_LABEL) return -1;
    at += 1 + length;
  }
}

/** On the wire, without pointers. Undefined for what is no name: empty or too long labels, characters beyond Latin 1. */
export function encodeName(name: string): Uint8Array<ArrayBuffer> | undefined {
  const out = new Uint8Array(LONGEST_NAME);
  let label = 0;
  let at = 1;
  for (let i = 0; i < name.length; i++) {
    let code = name.charCodeAt(i);
    if (code === DOT) {
      if (at === label + 1) return undefined;
      out[label] = at - label - 1;
      label = at++;
      continue;
    }
    if (code === BACKSLASH) code = name.charCodeAt(++i);
    if (!(code <= 255) || at - label > LONGEST_LABEL || at >= LONGEST_NAME - 1) return undefined;
    out[at++] = code;
  }
  if (name === "") return out.slice(0, 1);
  if (at === label + 1) return undefined;
  out[label] = at - label - 1;
  return out.slice(0, at + 1);
}
