/**
 * An integer that a double cannot hold. JSON numbers are plain numbers here, except integers beyond 2^53 that fit an
 * int64: those stay exact as the engine's own raw JSON objects (`JSON.rawJSON`), which JSON.stringify writes digit for
 * digit. They are frozen, so they may be shared but not copied field by field; ask isExactInteger before walking into
 * an object whose numbers may be large.
 */
export interface ExactInteger {
  readonly rawJSON: string;
}

/** The parts of the JSON object that the TypeScript library does not declare yet. */
export const RawJSON = JSON as unknown as {
  rawJSON(text: string): ExactInteger;
  isRawJSON(value: unknown): value is ExactInteger;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source: string }) => unknown,
  ): unknown;
};

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export function isExactInteger(value: unknown): value is ExactInteger {
  return typeof value === "object" && value !== null && RawJSON.isRawJSON(value);
}

/** A plain number where it holds the integer exactly, else an ExactInteger. */
export function integer(value: bigint): number | ExactInteger {
  const plain = Number(value);
  return Number.isSafeInteger(plain) ? plain : RawJSON.rawJSON(value.toString());
}

/** The integer of a plain or an exact number; undefined for anything else and for fractions. */
export function bigintOf(value: unknown): bigint | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : undefined;
  return isExactInteger(value) ? BigInt(value.rawJSON) : undefined;
}

export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** Below 0 where `a` is smaller; both are plain or exact numbers. */
export function compareNumbers(a: number | ExactInteger, b: number | ExactInteger): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const left = bigintOf(a);
  const right = bigintOf(b);
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0;
  return Number(typeof a === "number" ? a : a.rawJSON) - Number(typeof b === "number" ? b : b.rawJSON);
}

/** Whether `value`, an int64 field as the codec leaves it, is below `limit`: `<` throws on an exact integer. */
export function isBelow(value: number | ExactInteger, limit: number): boolean {
  return typeof value === "number" ? value < limit : compareNumbers(value, limit) < 0;
}

/** The next int64, as a field of that type holds it; the last one has none. */
export function successor(value: number | ExactInteger): number {
  const next = (bigintOf(value) ?? 0n) + 1n;
  // The types of the API call an exact integer a number; whoever reckons with one asks this file.
  return (fitsInt64(next) ? integer(next) : value) as number;
}
