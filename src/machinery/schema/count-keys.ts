import { isExactInteger } from "../json/exact-integer.ts";

/** How many keys all objects of a value have together. A loop, because the value may be as deep as a body may be. */
export function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const pending: object[] = [value];
  let keys = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (isExactInteger(next)) continue;
    const list = Array.isArray(next);
    for (const below of list ? (next as unknown[]) : Object.values(next)) {
      if (!list) keys++;
      if (typeof below === "object" && below !== null) pending.push(below);
    }
  }
  return keys;
}
