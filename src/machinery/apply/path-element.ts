/**
 * One step of a path in FieldsV1: `f:<field>`, `k:<keys of a list element as JSON>`, `v:<value as JSON>`, `i:<index>`,
 * and "." for the field itself.
 */
import type { FieldSet } from "./field-set.ts";

/** What a list element is called by; undefined where it has none of the keys. */
export function keyElement(
  keys: readonly string[],
  defaults: readonly unknown[],
  item: { readonly [key: string]: unknown },
): string | undefined {
  let text = "k:{";
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    let value = Object.hasOwn(item, key) ? item[key] : undefined;
    if (value === undefined || value === null) value = defaults[i];
    if (value === undefined) continue;
    if (text.length > 3) text += ",";
    text += `"${key}":${typeof value === "string" ? quoted(value) : JSON.stringify(value)}`;
  }
  return text.length === 3 ? undefined : `${text}}`;
}

/** JSON.stringify, without the call for the names that nearly all strings are. */
function quoted(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 32 || c > 126 || c === 34 || c === 92) return JSON.stringify(text);
  }
  return `"${text}"`;
}

export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`;
}

// Fields before keys before values before indices, as structured-merge-diff orders them.
const RANK: Readonly<Record<string, number>> = { ".": 0, f: 1, k: 2, v: 3, i: 4 };

/** The order in which elements stand in FieldsV1. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  const kind = a[0]!;
  if (kind !== b[0]) return (RANK[kind] ?? 5) - (RANK[b[0]!] ?? 5);
  if (kind === "f") return a < b ? -1 : 1;
  const left = parsed(a);
  const right = parsed(b);
  return kind === "k" ? compareKeys(left, right) : compareValues(left, right);
}

function parsed(element: string): unknown {
  return JSON.parse(element.slice(2));
}

function compareKeys(a: unknown, b: unknown): number {
  const left = Object.entries(a as object);
  const right = Object.entries(b as object);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const [key, value] = left[i]!;
    const [otherKey, otherValue] = right[i]!;
    if (key !== otherKey) return key < otherKey ? -1 : 1;
    const order = compareValues(value, otherValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareValues(a: unknown, b: unknown): number {
  const rank = valueRank(a) - valueRank(b);
  if (rank !== 0) return rank;
  if (typeof a === "object") {
    const left = JSON.stringify(a);
    const right = JSON.stringify(b);
    return left === right ? 0 : left < right ? -1 : 1;
  }
  return a === b ? 0 : (a as string) < (b as string) ? -1 : 1;
}

function valueRank(value: unknown): number {
  if (typeof value === "number") return 0;
  if (typeof value === "string") return 1;
  if (typeof value === "boolean") return 2;
  return value === null ? 4 : 3;
}

/** A path as errors print it: `.spec.containers[name="x"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join("");
}

export function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith("f:")) return `.${rest}`;
  if (element.startsWith("i:")) return `[${rest}]`;
  if (element.startsWith("v:")) return `[=${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as object);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
}

/** FieldsV1 as a client sent it in the form kept here: sorted, keys spelled one way. Undefined where it is no FieldsV1. */
export function canonical(fields: unknown): FieldSet | undefined {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return undefined;
  const nodes: [string, FieldSet][] = [];
  for (const element of Object.keys(fields)) {
    const spelled = canonicalElement(element);
    const node = canonical((fields as Record<string, unknown>)[element]);
    if (spelled === undefined || node === undefined) return undefined;
    nodes.push([spelled, node]);
  }
  nodes.sort(([a], [b]) => compareElements(a, b));
  return Object.fromEntries(nodes);
}

function canonicalElement(element: string): string | undefined {
  if (element === "." || element.startsWith("f:")) return element;
  const rest = element.slice(2);
  try {
    if (element.startsWith("v:")) return `v:${JSON.stringify(JSON.parse(rest))}`;
    if (element.startsWith("i:")) return Number.isInteger(Number(rest)) ? `i:${Number(rest)}` : undefined;
    if (!element.startsWith("k:")) return undefined;
    const keys: unknown = JSON.parse(rest);
    if (typeof keys !== "object" || keys === null || Array.isArray(keys)) return undefined;
    const sorted = Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1));
    return `k:${JSON.stringify(Object.fromEntries(sorted))}`;
  } catch {
    return undefined;
  }
}
