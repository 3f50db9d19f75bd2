import { isExactInteger } from "./exact-integer.ts";

/**
 * How deep a value may be that is kept, merged or compared: these are recursive, and the engine's stack must hold them
 * wherever they are called from. Text may be nested deeper (MAX_DEPTH) where what is below is dropped anyway.
 */
export const MAX_VALUE_DEPTH = 1000;

/** Whether objects and arrays are nested deeper than `limit`. */
export function isDeeper(value: unknown, limit = MAX_VALUE_DEPTH): boolean {
  if (typeof value !== "object" || value === null || isExactInteger(value)) return false;
  if (limit === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object" && isDeeper(item, limit - 1)) return true;
    return false;
  }
  const object = value as Readonly<Record<string, unknown>>;
  for (const key in object) {
    const below = object[key];
    if (typeof below === "object" && isDeeper(below, limit - 1)) return true;
  }
  return false;
}
