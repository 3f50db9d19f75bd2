/** The fields that an applied configuration claims, checked against the schema. */
import { isObject, type JsonObject } from "../json/json-object.ts";
import { sortedKeys } from "./compare.ts";
import { type Draft, EMPTY, type FieldSet, isEmpty, LEAF } from "./field-set.ts";
import { compareElements, elementText, keyElement, valueElement } from "./path-element.ts";
import { DEDUCED, type ListMap, type Shape, type Struct } from "./shape.ts";

export interface AppliedFields {
  set: FieldSet;
  /** `.spec.replicaz: field not declared in schema` */
  problems: string[];
}

export function appliedFields(root: Struct, configuration: JsonObject): AppliedFields {
  const problems: string[] = [];
  const set = structFields(root, configuration, "", problems);
  return { set: set === LEAF ? EMPTY : set, problems };
}

function fieldsIn(shape: Shape, value: unknown, path: string, problems: string[]): FieldSet {
  if (value === null || value === undefined) return LEAF;
  switch (shape.kind) {
    case "leaf":
      if (shape.container === "list" && !Array.isArray(value))
        problems.push(`${path}: expected list, got ${shown(value)}`);
      if (shape.container === "map" && !isObject(value))
        problems.push(`${path}: expected map, got ${shown(value)}`);
      return LEAF;
    case "deduced":
      return isObject(value) ? mapFields(DEDUCED, value, path, problems) : LEAF;
    case "struct":
      if (isObject(value)) return structFields(shape, value, path, problems);
      problems.push(`${path}: expected map, got ${shown(value)}`);
      return LEAF;
    case "map":
      if (isObject(value)) return mapFields(shape.value, value, path, problems);
      problems.push(`${path}: expected map, got ${shown(value)}`);
      return LEAF;
    case "set":
    case "listMap":
      if (Array.isArray(value)) return listFields(shape, value, path, problems);
      problems.push(`${path}: expected list, got ${shown(value)}`);
      return LEAF;
  }
}

function shown(value: unknown): string {
  return `&{${typeof value === "string" ? value : JSON.stringify(value)}}`;
}

function structFields(struct: Struct, object: JsonObject, path: string, problems: string[]): FieldSet {
  const out: Draft = {};
  let any = false;
  for (const name of sortedKeys(object)) {
    const field = struct.fields.get(name);
    any = true;
    if (field === null) continue;
    if (field === undefined) problems.push(`${path}.${name}: field not declared in schema`);
    else {
      const node = fieldsIn(field.shape, object[name], `${path}.${name}`, problems);
      if (node !== EMPTY) out[field.element] = node;
    }
  }
  // A struct of which only untracked fields are set claims nothing; one that is empty claims itself.
  return !any ? LEAF : isEmpty(out) ? EMPTY : out;
}

function mapFields(shape: Shape, object: JsonObject, path: string, problems: string[]): FieldSet {
  const keys = sortedKeys(object);
  if (keys.length === 0) return LEAF;
  const out: Draft = {};
  for (const key of keys)
    out[`f:${key}`] = withItself(fieldsIn(shape, object[key], `${path}.${key}`, problems));
  return out;
}

function withItself(node: FieldSet): FieldSet {
  return isEmpty(node) || node["."] ? node : { ".": LEAF, ...node };
}

function listFields(
  shape: ListMap | { kind: "set" },
  items: readonly unknown[],
  path: string,
  problems: string[],
): FieldSet {
  if (items.length === 0) return LEAF;
  const nodes = new Map<string, FieldSet>();
  items.forEach((item, i) => {
    const element = elementOf(shape, item);
    if (element === undefined) problems.push(`${path}: element ${i}: ${withoutKey(shape as ListMap)}`);
    else if (nodes.has(element)) problems.push(`${path}: duplicate entries for key ${elementText(element)}`);
    else if (shape.kind === "set") nodes.set(element, LEAF);
    else nodes.set(element, withItself(fieldsIn(shape.item, item, path + elementText(element), problems)));
  });
  return Object.fromEntries([...nodes].sort(([a], [b]) => compareElements(a, b)));
}

export function elementOf(shape: ListMap | { kind: "set" }, item: unknown): string | undefined {
  if (shape.kind === "set") return valueElement(item);
  return isObject(item) ? keyElement(shape.keys, shape.defaults, item) : undefined;
}

function withoutKey({ keys }: ListMap): string {
  return keys.length === 1
    ? `associative list with keys has an element that omits key field ${JSON.stringify(keys[0])} (and doesn't have default value)`
    : `associative list with keys has an element that omits all key fields [${keys.map((k) => JSON.stringify(k)).join(" ")}] (and doesn't have default values for any key fields)`;
}
