import { isExactInteger } from "./exact-integer.ts";

/** What Go's encoding/json calls the JSON type of a value, in its errors. */
export function jsonTypeOf(value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return typeof value;
  if (typeof value === "boolean") return "bool";
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return isExactInteger(value) ? "number" : "object";
}
