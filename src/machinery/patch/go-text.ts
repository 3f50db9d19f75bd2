import { isExactInteger } from "../json/exact-integer.ts";
import { isObject } from "../json/json-object.ts";

/** A value as Go's %v prints it: `map[image:nginx name:web]`, which some errors of patches quote. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (isExactInteger(value)) return value.rawJSON;
  if (!isObject(value)) return String(value);
  const pairs = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goText(value[key])}`);
  return `map[${pairs.join(" ")}]`;
}
