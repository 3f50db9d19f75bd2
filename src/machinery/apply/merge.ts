/** The object that an apply makes: the live one with the configuration over it, and without what nobody claims any more. */
import { isObject, type JsonObject, put } from "../json/json-object.ts";
import { elementOf } from "./applied-fields.ts";
import { EMPTY, type FieldSet, isEmpty, isMember } from "./field-set.ts";
import { DEDUCED, type ListMap, type SetOf, type Shape, type Struct } from "./shape.ts";

/** A copy of `live` with `applied` over it; shares nothing with either. */
export function mergeApplied(shape: Shape, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return copied(live);
  if (isObject(live) && isObject(applied)) {
    if (shape.kind === "struct") {
      return mergeObjects(live, applied, (name) => shape.fields.get(name)?.shape ?? DEDUCED);
    }
    if (shape.kind === "map") return mergeObjects(live, applied, () => shape.value);
    if (shape.kind === "deduced") return mergeObjects(live, applied, () => DEDUCED);
  }
  if ((shape.kind === "listMap" || shape.kind === "set") && Array.isArray(applied)) {
    return mergeLists(shape, Array.isArray(live) ? live : [], applied);
  }
  return copied(applied);
}

function mergeObjects(live: JsonObject, applied: JsonObject, shapeOf: (name: string) => Shape): JsonObject {
  const result: JsonObject = {};
  for (const name of Object.keys(live)) {
    if (!Object.hasOwn(applied, name)) put(result, name, copied(live[name]));
    else if (applied[name] !== null)
      put(result, name, mergeApplied(shapeOf(name), live[name], applied[name]));
  }
  for (const name of Object.keys(applied)) {
    if (applied[name] === null || Object.hasOwn(live, name)) continue;
    put(result, name, copied(applied[name]));
  }
  return result;
}

/** A deep copy without nulls of objects. */
export function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) if (value[key] !== null) put(result, key, copied(value[key]));
  return result;
}

/**
 * The elements of both: in the order of the configuration, with the live list's own where they stood relative to the
 * next element that both have.
 */
function mergeLists(
  shape: ListMap | SetOf,
  live: readonly unknown[],
  applied: readonly unknown[],
): unknown[] {
  const ours = new Map(live.map((item, i) => [elementOf(shape, item) ?? `i:${i}`, item]));
  const theirs = new Map(applied.map((item, i) => [elementOf(shape, item) ?? `i:${i}`, item]));
  const item = shape.kind === "listMap" ? shape.item : DEDUCED;
  const left = [...ours.keys()];
  const shared = [...theirs.keys()].filter((element) => ours.has(element));
  const result: unknown[] = [];
  let l = 0;
  let next = 0;
  for (const element of theirs.keys()) {
    // Before an element of the configuration come the live list's own that stand before the next shared one.
    while (l < left.length && left[l] !== element) {
      const own = !theirs.has(left[l]!);
      if (!own && left[l] === shared[next]) break;
      if (own) result.push(copied(ours.get(left[l]!)));
      l++;
    }
    if (left[l] === element) l++;
    if (shared[next] === element) next++;
    result.push(mergeApplied(item, ours.get(element), theirs.get(element)));
  }
  for (; l < left.length; l++) if (!theirs.has(left[l]!)) result.push(copied(ours.get(left[l]!)));
  return result;
}

/**
 * What is to go: fields that the manager claimed last time and that neither it nor anyone else claims now. A field of a
 * struct in which something is claimed counts as claimed, so that defaults go with what they stood beside.
 */
export function unclaimed(shape: Shape, last: FieldSet, claimed: FieldSet): FieldSet {
  const out: { [element: string]: FieldSet } = {};
  for (const element in last) {
    if (element === ".") continue;
    const node = last[element]!;
    const other = claimed[element];
    const name = element.slice(2);
    const named = shape.kind === "struct" && element.startsWith("f:") && shape.fields.has(name);
    const had = named || isMember(node);
    const has = other !== undefined && (named || isMember(other));
    if (had && !has) out[element] = {};
    else {
      const below = unclaimed(shapeBelow(shape, element), node, other ?? EMPTY);
      if (!isEmpty(below)) out[element] = below;
    }
  }
  return out;
}

function shapeBelow(shape: Shape, element: string): Shape {
  if (shape.kind === "struct") return shape.fields.get(element.slice(2))?.shape ?? DEDUCED;
  if (shape.kind === "map") return shape.value;
  return shape.kind === "listMap" ? shape.item : DEDUCED;
}

/** Takes the fields of `gone`, with all below them, out of `object`, which is changed in place. */
export function prune(root: Struct, object: JsonObject, gone: FieldSet): void {
  if (!isEmpty(gone)) pruneIn(root, object, gone);
}

/** Answers whether nothing is left. */
function pruneIn(shape: Shape, value: unknown, gone: FieldSet): boolean {
  if (Array.isArray(value)) {
    if (shape.kind !== "listMap" && shape.kind !== "set") return false;
    return pruneList(shape, value, gone);
  }
  if (!isObject(value)) return false;
  for (const element in gone) {
    if (!element.startsWith("f:")) continue;
    const name = element.slice(2);
    if (!Object.hasOwn(value, name)) continue;
    const node = gone[element]!;
    if (isMember(node) || pruneIn(shapeBelow(shape, element), value[name], node)) delete value[name];
  }
  return isEmpty(value as FieldSet);
}

function pruneList(shape: ListMap | SetOf, items: unknown[], gone: FieldSet): boolean {
  let kept = 0;
  for (const item of items) {
    const element = elementOf(shape, item);
    const node = element === undefined ? undefined : gone[element];
    if (node && isMember(node)) continue;
    if (node && shape.kind === "listMap") pruneIn(shape.item, item, node);
    items[kept++] = item;
  }
  items.length = kept;
  return kept === 0;
}
