import { isExactInteger } from "../../machinery/json/exact-integer.ts";

/** A JSON value as Go's `%+v` prints it, which is how some messages show what a client sent. */
export function goText(value: unknown): string {
  if (value === null) return "<nil>";
  if (typeof value !== "object") return String(value);
  if (isExactInteger(value)) return value.rawJSON;
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  const object = value as Record<string, unknown>;
  const members = Object.keys(object).sort();
  return `map[${members.map((name) => `${name}:${goText(object[name])}`).join(" ")}]`;
}
