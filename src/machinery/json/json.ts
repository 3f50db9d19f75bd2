import { fitsInt64, RawJSON } from "./exact-integer.ts";
import { scanJSON } from "./scan.ts";
import { jsonSyntaxError } from "./syntax-error.ts";
import { decodeUTF8, encodeUTF8 } from "./utf8.ts";

/** Objects and arrays may be nested this deep, as Go's decoder allows. */
export const MAX_DEPTH = 10_000;

/** Text that is not JSON, or that goes beyond what Go's decoder takes; the message is Go's. */
export class JSONError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "JSONError";
  }
}

export interface ParsedJSON {
  value: unknown;
  /** The keys in the text: more than in the value where a key came twice in one object. */
  keys: number;
}

/**
 * The value of JSON text, as JSON.parse gives it (`__proto__` and `constructor` are ordinary keys, the last of two
 * equal keys counts), but for: integers beyond 2^53 are ExactInteger, halves of surrogate pairs are U+FFFD, and numbers
 * that no float64 holds and nesting beyond MAX_DEPTH are refused with a JSONError.
 */
export function parseJSON(text: Uint8Array | string): unknown {
  return parseCounted(text).value;
}

/** parseJSON, and how many keys the text has. */
export function parseCounted(input: Uint8Array | string): ParsedJSON {
  const bytes = typeof input === "string" ? encodeUTF8(input) : input;
  const { keys, depth, largeNumber, surrogate } = scanJSON(bytes);
  if (depth > MAX_DEPTH) throw new JSONError("exceeded max depth");
  let text = typeof input === "string" ? input : decodeUTF8(bytes);
  if (surrogate) text = withoutLoneSurrogates(text);
  try {
    return { keys, value: largeNumber ? RawJSON.parse(text, keepExact) : JSON.parse(text) };
  } catch (error) {
    if (error instanceof JSONError) throw error;
    if (error instanceof RangeError) throw new JSONError("exceeded max depth");
    throw new JSONError(jsonSyntaxError(text));
  }
}

function keepExact(_key: string, value: unknown, context: { source: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  if (!Number.isFinite(value)) {
    throw new JSONError(`json: cannot unmarshal number ${context.source} into Go value of type float64`);
  }
  if (!isInteger(context.source)) return value;
  return fitsInt64(BigInt(context.source)) ? RawJSON.rawJSON(context.source) : value;
}

/** No point and no exponent, and short enough that making it a bigint costs nothing. */
function isInteger(source: string): boolean {
  if (source.length > 20) return false;
  for (let at = 0; at < source.length; at++) {
    const code = source.charCodeAt(at);
    if ((code < 0x30 || code > 0x39) && code !== 0x2d) return false;
  }
  return true;
}

const ESCAPE =
  /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|[\s\S])/g;

/** A whole pair and every other escape is kept; a lone half is replaced, as Go does. */
function withoutLoneSurrogates(text: string): string {
  return text.replace(ESCAPE, (found) => (found.length === 6 && found[1] === "u" ? "\\ufffd" : found));
}

/**
 * A value as JSON text; exact integers are written digit for digit, fields that are undefined are left out. A value
 * that is nested too deep for the engine is a JSONError instead of a RangeError.
 */
export function stringify(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) throw new JSONError("exceeded max depth");
    throw error;
  }
  if (text === undefined) throw new TypeError(`cannot write ${typeof value} as JSON`);
  return text;
}

/** stringify as UTF-8. */
export function stringifyBytes(value: unknown): Uint8Array {
  return encodeUTF8(stringify(value));
}
