/** Which fields a write sets, and which it takes away. */
import { deepEqual } from "../json/equal.ts";
import { isObject, type JsonObject } from "../json/json-object.ts";
import { type Draft, EMPTY, type FieldSet, isEmpty, LEAF } from "./field-set.ts";
import { compareElements, keyElement, valueElement } from "./path-element.ts";
import { DEDUCED, type ListMap, type Shape, type Struct, type StructField, unknownField } from "./shape.ts";

export interface Difference {
  /** Fields that are new or have another value. */
  touched: FieldSet;
  /** Fields that are gone, with all below them. */
  removed: FieldSet;
}

/** The fields of an object that was not there before. */
export function fieldsOfNew(root: Struct, object: JsonObject): FieldSet {
  return setIn(root, object) ?? EMPTY;
}

/** The keys of an object in order; decoded objects mostly have them so. */
export function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return keys.sort();
  return keys;
}

/** What is set below a struct that is always there. */
function setIn(struct: Struct, object: JsonObject): FieldSet | undefined {
  let out: Draft | undefined;
  const fields = struct.fields;
  for (const name of sortedKeys(object)) {
    const value = object[name];
    if (value === undefined) continue;
    let field = fields.get(name);
    if (field === null) continue;
    field ??= unknownField(name);
    const node = field.always ? setInPresent(field.shape, value) : fresh(field, value);
    if (node === undefined) continue;
    out ??= {};
    out[field.element] = node;
  }
  return out;
}

function setInPresent(shape: Shape, value: unknown): FieldSet | undefined {
  if (shape.kind === "struct") return isObject(value) ? setIn(shape, value) : undefined;
  if (isEmptyContainer(value)) return Array.isArray(value) ? LEAF : undefined;
  const node = added(shape, value);
  if (node === LEAF) return node;
  const { ".": _, ...children } = node;
  return children;
}

function fresh(field: StructField, value: unknown): FieldSet | undefined {
  if (field.zero !== undefined && value === field.zero) return undefined;
  return added(field.shape, value);
}

function isEmptyContainer(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && isEmpty(value as FieldSet);
}

/** The node of a value that was not there, with every field in it. */
export function added(shape: Shape, value: unknown): FieldSet {
  switch (shape.kind) {
    case "leaf":
      return LEAF;
    case "struct":
      return isObject(value) ? addedStruct(shape, value) : LEAF;
    case "map":
      return isObject(value) ? addedMap(shape.value, value) : LEAF;
    case "deduced":
      return isObject(value) ? addedMap(DEDUCED, value) : LEAF;
    case "set":
      return Array.isArray(value) ? addedSet(value) : LEAF;
    case "listMap":
      return Array.isArray(value) ? addedList(shape, value) : LEAF;
  }
}

function addedStruct(struct: Struct, object: JsonObject): FieldSet {
  const keys = sortedKeys(object);
  if (keys.length === 0) return LEAF;
  const out: Draft = { ".": LEAF };
  const fields = struct.fields;
  let any = false;
  for (const name of keys) {
    const value = object[name];
    if (value === undefined) continue;
    const field = fields.get(name);
    if (field === null) continue;
    any = true;
    if (field === undefined) out[`f:${name}`] = added(DEDUCED, value);
    else out[field.element] = field.shape.kind === "leaf" ? LEAF : added(field.shape, value);
  }
  return any ? out : LEAF;
}

function addedMap(shape: Shape, object: JsonObject): FieldSet {
  const keys = sortedKeys(object);
  if (keys.length === 0) return LEAF;
  const out: Draft = { ".": LEAF };
  for (const key of keys) if (object[key] !== undefined) out[`f:${key}`] = added(shape, object[key]);
  return out;
}

function addedSet(items: readonly unknown[]): FieldSet {
  if (items.length === 0) return LEAF;
  const out: Draft = { ".": LEAF };
  for (const element of items.map(valueElement).sort(compareElements)) out[element] = LEAF;
  return out;
}

function addedList(shape: ListMap, items: readonly unknown[]): FieldSet {
  if (items.length === 0) return LEAF;
  const out: Draft = { ".": LEAF };
  const found = byElement(shape, items);
  for (const [element, item] of sortedEntries(found)) {
    out[element] = Array.isArray(item) ? LEAF : added(shape.item, item);
  }
  return out;
}

function sortedEntries(found: Map<string, unknown>): Iterable<[string, unknown]> {
  return found.size < 2 ? found : [...found].sort(([a], [b]) => compareElements(a, b));
}

/**
 * List elements by their path element. Elements of equal keys, which only appliers must not send, are one field: they
 * stand together in an array.
 */
export function byElement(shape: ListMap, items: readonly unknown[]): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const item of items) {
    if (!isObject(item)) continue;
    const element = keyElement(shape.keys, shape.defaults, item);
    if (element === undefined) continue;
    const before = found.get(element);
    if (before === undefined) found.set(element, item);
    else if (Array.isArray(before)) before.push(item);
    else found.set(element, [before, item]);
  }
  return found;
}

/** What differs from `was` to `now`, or undefined where no tracked field does. */
export function compare(shape: Shape, was: unknown, now: unknown): Difference | undefined {
  if (was === now) return undefined;
  switch (shape.kind) {
    case "leaf":
      return deepEqual(was, now) ? undefined : changed();
    case "struct":
      return isObject(was) && isObject(now) ? compareStructs(shape, was, now) : compareOdd(was, now);
    case "map":
      return isObject(was) && isObject(now) ? compareMaps(shape.value, was, now) : compareOdd(was, now);
    case "deduced":
      return isObject(was) && isObject(now) ? compareMaps(DEDUCED, was, now) : compareOdd(was, now);
    case "set":
      return Array.isArray(was) && Array.isArray(now) ? compareSets(was, now) : compareOdd(was, now);
    case "listMap":
      return Array.isArray(was) && Array.isArray(now) ? compareLists(shape, was, now) : compareOdd(was, now);
  }
}

function changed(): Difference {
  return { touched: LEAF, removed: EMPTY };
}

/** Values of other forms than the shape's. */
function compareOdd(was: unknown, now: unknown): Difference | undefined {
  return deepEqual(was, now) ? undefined : { touched: LEAF, removed: LEAF };
}

/** Gathers what differs in the children of one field. */
class Gathering {
  private touched: Draft | undefined;
  private removed: Draft | undefined;

  add(element: string, node: FieldSet | undefined): void {
    if (node === undefined) return;
    this.touched ??= {};
    this.touched[element] = node;
  }

  remove(element: string): void {
    this.removed ??= {};
    this.removed[element] = LEAF;
  }

  change(element: string, difference: Difference | undefined): void {
    if (!difference) return;
    if (difference.touched !== EMPTY) this.add(element, difference.touched);
    if (difference.removed !== EMPTY) {
      this.removed ??= {};
      this.removed[element] = difference.removed;
    }
  }

  get result(): Difference | undefined {
    if (!this.touched && !this.removed) return undefined;
    return { touched: this.touched ?? EMPTY, removed: this.removed ?? EMPTY };
  }
}

function compareStructs(struct: Struct, was: JsonObject, now: JsonObject): Difference | undefined {
  const found = new Gathering();
  const fields = struct.fields;
  for (const name of sortedKeys(now)) {
    const value = now[name];
    const before = Object.hasOwn(was, name) ? was[name] : undefined;
    if (value === before || value === undefined) continue;
    let field = fields.get(name);
    if (field === null) continue;
    field ??= unknownField(name);
    if (before !== undefined) found.change(field.element, compare(field.shape, before, value));
    else found.add(field.element, field.always ? setInPresent(field.shape, value) : fresh(field, value));
  }
  for (const name of Object.keys(was)) {
    if (was[name] === undefined || (Object.hasOwn(now, name) && now[name] !== undefined)) continue;
    const field = fields.get(name);
    if (field !== null) found.remove(`f:${name}`);
  }
  return found.result;
}

function compareMaps(shape: Shape, was: JsonObject, now: JsonObject): Difference | undefined {
  const found = new Gathering();
  for (const key of sortedKeys(now)) {
    const value = now[key];
    const before = Object.hasOwn(was, key) ? was[key] : undefined;
    if (value === before || value === undefined) continue;
    if (before === undefined) found.add(`f:${key}`, added(shape, value));
    else found.change(`f:${key}`, compare(shape, before, value));
  }
  for (const key of Object.keys(was)) {
    if (was[key] !== undefined && !(Object.hasOwn(now, key) && now[key] !== undefined))
      found.remove(`f:${key}`);
  }
  return found.result;
}

function compareSets(was: readonly unknown[], now: readonly unknown[]): Difference | undefined {
  const before = new Set(was.map(valueElement));
  const after = new Set(now.map(valueElement));
  const found = new Gathering();
  for (const element of [...after].sort(compareElements)) if (!before.has(element)) found.add(element, LEAF);
  for (const element of before) if (!after.has(element)) found.remove(element);
  return found.result;
}

function compareLists(
  shape: ListMap,
  was: readonly unknown[],
  now: readonly unknown[],
): Difference | undefined {
  const before = byElement(shape, was);
  const after = byElement(shape, now);
  const found = new Gathering();
  for (const [element, item] of sortedEntries(after)) {
    const old = before.get(element);
    if (old === item) continue;
    if (old === undefined) found.add(element, Array.isArray(item) ? LEAF : added(shape.item, item));
    else if (Array.isArray(item) || Array.isArray(old)) found.change(element, compareOdd(old, item));
    else found.change(element, compare(shape.item, old, item));
  }
  for (const element of before.keys()) if (!after.has(element)) found.remove(element);
  return found.result;
}
