/** What one pass over JSON text tells without parsing it. The text need not be valid; parsing finds that out. */
export interface Scan {
  /** How many `:` there are outside strings: how many keys all objects together have. */
  keys: number;
  depth: number;
  /** A number that a double may not hold: 16 digits and more, or an exponent. */
  largeNumber: boolean;
  /** A `\ud…` escape: perhaps half of a surrogate pair. */
  surrogate: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export function scanJSON(bytes: Uint8Array): Scan {
  const length = bytes.length;
  let keys = 0;
  let open = 0;
  let depth = 0;
  let largeNumber = false;
  let surrogate = false;
  let at = 0;
  while (at < length) {
    const byte = bytes[at++]!;
    if (byte === QUOTE) {
      while (at < length) {
        const inner = bytes[at++]!;
        if (inner === QUOTE) break;
        if (inner !== BACKSLASH) continue;
        if (bytes[at] === 0x75 && (bytes[at + 1]! | 0x20) === 0x64) surrogate = true;
        at++;
      }
    } else if (byte === 0x3a) {
      keys++;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++open > depth) depth = open;
    } else if (byte === 0x7d || byte === 0x5d) {
      open--;
    } else if (byte >= 0x30 && byte <= 0x39) {
      const from = at;
      let next = bytes[at]!;
      while (next >= 0x30 && next <= 0x39) next = bytes[++at]!;
      if (at - from >= 15 || next === 0x65 || next === 0x45) largeNumber = true;
    }
  }
  return { keys, depth, largeNumber, surrogate };
}
