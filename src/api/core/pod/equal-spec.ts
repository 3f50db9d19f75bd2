/**
 * Equality of pod specs as upstream has it: quantities by value, and an absent list, text or map equal to an empty one.
 * An empty struct is not an absent one: `emptyDir: {}` says something.
 */
import { compareQuantities } from "./quantities.ts";

const MAPS = new Set([
  "nodeSelector",
  "limits",
  "requests",
  "overhead",
  "labels",
  "annotations",
  "matchLabels",
]);
const QUANTITIES = new Set(["limits", "requests", "overhead"]);
/** Booleans that have no third state. */
const FLAGS = new Set(["hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly"]);

export function equalSpecs(a: unknown, b: unknown): boolean {
  return equal(a, b, "");
}

function equal(a: unknown, b: unknown, key: string): boolean {
  if (a === b) return true;
  if (isNothing(a, key)) return isNothing(b, key);
  if (isNothing(b, key)) return false;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equal(a[i], b[i], "")) return false;
    return true;
  }
  if (QUANTITIES.has(key)) return equalQuantities(a as Quantities, b as Quantities);
  const x = a as Record<string, unknown>;
  const y = b as Record<string, unknown>;
  for (const name in x) {
    if (!equal(x[name], Object.hasOwn(y, name) ? y[name] : undefined, name)) return false;
  }
  for (const name in y) if (!Object.hasOwn(x, name) && !isNothing(y[name], name)) return false;
  return true;
}

type Quantities = Readonly<Record<string, string>>;

function equalQuantities(a: Quantities, b: Quantities): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every(
    (name) => Object.hasOwn(b, name) && compareQuantities(a[name] as string, b[name] as string) === 0,
  );
}

function isNothing(value: unknown, key: string): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (value === false) return FLAGS.has(key);
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && MAPS.has(key) && Object.keys(value).length === 0;
}

/** What changed, one line a field, for messages that show it: `-` is before, `+` after. */
export function differenceOf(a: unknown, b: unknown, type: string): string {
  const lines: string[] = [`  ${type}{`];
  collect(a, b, "", lines);
  lines.push("  }", "");
  return lines.join("\n");
}

function collect(a: unknown, b: unknown, at: string, lines: string[]): void {
  const key = at.slice(at.lastIndexOf(".") + 1);
  if (equal(a, b, key)) return;
  const both = typeof a === "object" && typeof b === "object" && a !== null && b !== null;
  if (!both || Array.isArray(a) !== Array.isArray(b)) {
    if (!isNothing(a, key)) lines.push(`- \t${at}: ${JSON.stringify(a)},`);
    if (!isNothing(b, key)) lines.push(`+ \t${at}: ${JSON.stringify(b)},`);
    return;
  }
  const x = a as Record<string, unknown>;
  const y = b as Record<string, unknown>;
  for (const name of new Set([...Object.keys(x), ...Object.keys(y)])) {
    const path = Array.isArray(a) ? `${at}[${name}]` : at === "" ? name : `${at}.${name}`;
    collect(
      Object.hasOwn(x, name) ? x[name] : undefined,
      Object.hasOwn(y, name) ? y[name] : undefined,
      path,
      lines,
    );
  }
}
