import { isExactInteger } from "../../machinery/json/exact-integer.ts";
import { put } from "../../machinery/json/json-object.ts";

/** A deep copy of a JSON value that may be changed; the original may be frozen. `__proto__` stays an ordinary key. */
export function copyValue<T>(value: T): T {
  if (typeof value !== "object" || value === null || isExactInteger(value)) return value;
  if (Array.isArray(value)) return value.map(copyValue) as T;
  const copy = { ...value } as Record<string, unknown>;
  for (const key of Object.keys(copy)) {
    const member = copy[key];
    if (typeof member === "object" && member !== null) put(copy, key, copyValue(member));
  }
  return copy as T;
}
