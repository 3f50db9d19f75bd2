/**
 * Strategic merge patch: a merge patch that knows from the schema which lists are merged by which key, and whose
 * directives say what a merge alone cannot:
 *
 *   $patch: replace | delete | merge         for a map, or for one element of a list
 *   $retainKeys: [names]                     drops the map's other keys
 *   $deleteFromPrimitiveList/<field>         removes values from a list of primitives
 *   $setElementOrder/<field>                 the order that the list is to have
 */

import { isObject, type JsonObject, own, put } from "../json/json-object.ts";
import { jsonTypeOf } from "../json/json-type.ts";
import type { Definition, Field, FieldType, Schemas } from "../schema/schema.ts";
import { badRequest, StatusError } from "../status/status-error.ts";
import { goText } from "./go-text.ts";
import { doesNotApply } from "./json-patch.ts";
import { checkAgainstOrder, isListOfMaps, orderedBy, withoutDuplicates } from "./strategic-list-order.ts";

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_FROM = "$deleteFromPrimitiveList";
const SET_ORDER = "$setElementOrder";

const BAD_PRIMITIVE_LIST = "invalid patch format of primitive list";
const BAD_RETAIN_KEYS = "invalid patch format of retainKeys";
const BAD_ORDER_LIST = "invalid patch format of setElementOrder list";

/** The document after `patch`, with the merge keys of definition `id`. Neither is changed. */
export function strategicMergePatch(
  schemas: Schemas,
  id: string,
  document: JsonObject,
  patch: unknown,
): JsonObject {
  if (!isObject(patch)) {
    throw badRequest(
      `json: cannot unmarshal ${jsonTypeOf(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return new Merge(schemas).map(document, patch, { ref: id });
}

/** Upstream answers 500 with the bare text for what it has no better class for. */
function failure(text: string): StatusError {
  return new StatusError("", text, undefined, 500);
}

const fieldsOf = new WeakMap<Definition, Map<string, Field>>();

class Merge {
  private readonly schemas: Schemas;

  constructor(schemas: Schemas) {
    this.schemas = schemas;
  }

  map(original: JsonObject, patch: JsonObject, type: FieldType | undefined): JsonObject {
    if (Object.hasOwn(patch, DIRECTIVE)) {
      const directive = patch[DIRECTIVE];
      if (directive === "replace") return without(patch, DIRECTIVE);
      if (directive === "delete") return {};
      if (directive !== "merge")
        throw failure(`unknown patch type ${goText(directive)} in map ${goText(patch)}`);
    }
    const result: JsonObject = retained(original, patch);
    const done = new Set<string>();
    for (const key of Object.keys(patch)) {
      if (key.startsWith(SET_ORDER)) this.order(result, original, patch, key, type, done);
    }
    for (const key of Object.keys(patch)) {
      if (key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(SET_ORDER) || done.has(key)) continue;
      if (key.startsWith(DELETE_FROM)) {
        const field = fieldAfter(key, DELETE_FROM, BAD_PRIMITIVE_LIST);
        this.deleteFrom(result, field, patch[key]);
      } else this.field(result, key, patch[key], type);
    }
    return result;
  }

  private field(result: JsonObject, key: string, value: unknown, type: FieldType | undefined): void {
    if (value === null) {
      delete result[key];
      return;
    }
    const had = own(result, key);
    if (isObject(value) && isObject(had)) {
      const { strategy, type: inner } = this.at(type, key);
      put(result, key, strategy === "replace" ? value : this.map(had, value, inner));
    } else if (Array.isArray(value) && Array.isArray(had)) {
      const { strategy, mergeKey, type: inner } = this.at(type, key);
      put(result, key, strategy === "merge" ? this.list(had, value, inner, mergeKey) : value);
    } else {
      const plain = plainValue(value);
      if (plain === DROPPED) return;
      put(result, key, plain);
    }
  }

  private list(original: unknown[], patch: unknown[], type: FieldType | undefined, mergeKey = ""): unknown[] {
    if (original.length === 0 && patch.length === 0) return original;
    if (!this.listOfMaps(original, patch)) {
      return orderedBy(withoutDuplicates([...original, ...patch]), patch, original, "");
    }
    if (mergeKey === "") throw failure("cannot merge lists without merge key");
    const { kept, rest } = specialElements(original, patch as JsonObject[], mergeKey);
    const merged = [...kept];
    // Where each key is first: looked for one by one, the elements of a large patch would take minutes.
    const places = new Map<unknown, number>();
    const place = (element: JsonObject, at: number): void => {
      if (!Object.hasOwn(element, mergeKey)) return;
      const key = element[mergeKey];
      if (!places.has(key)) places.set(key, at);
    };
    for (const [at, element] of kept.entries()) place(element, at);
    for (const element of rest) {
      if (!Object.hasOwn(element, mergeKey)) throw noMergeKey(element, mergeKey);
      const at = places.get(element[mergeKey]);
      if (at !== undefined) {
        merged[at] = this.map(merged[at]!, element, elementOf(type));
        continue;
      }
      const plain = plainValue(element);
      if (plain === DROPPED) continue;
      place(plain as JsonObject, merged.length);
      merged.push(plain as JsonObject);
    }
    return orderedBy(merged, rest, kept, mergeKey);
  }

  private listOfMaps(original: readonly unknown[], patch: readonly unknown[]): boolean {
    try {
      return isListOfMaps(original, patch);
    } catch (error) {
      if (error instanceof RangeError) throw doesNotApply(error.message);
      throw failure((error as Error).message);
    }
  }

  private deleteFrom(result: JsonObject, field: string, values: unknown): void {
    const had = own(result, field);
    if (!Array.isArray(had)) return;
    if (!Array.isArray(values)) throw badRequest(BAD_PRIMITIVE_LIST);
    const gone = new Set<unknown>(values);
    put(
      result,
      field,
      had.filter((item) => !gone.has(item)),
    );
  }

  /** `$setElementOrder/x`: merges list x, unless the patch does not name it, and puts it in the order given. */
  private order(
    result: JsonObject,
    original: JsonObject,
    patch: JsonObject,
    directive: string,
    type: FieldType | undefined,
    done: Set<string>,
  ): void {
    const order = patch[directive];
    if (!Array.isArray(order)) throw badRequest(BAD_ORDER_LIST);
    const key = fieldAfter(directive, SET_ORDER, BAD_ORDER_LIST);
    const had = own(result, key);
    const change = own(patch, key);
    if (change === undefined && had === undefined) return;
    if ((had !== undefined && !Array.isArray(had)) || (change !== undefined && !Array.isArray(change))) {
      // A null, or a list that is none: what the patch says is taken as it is.
      return;
    }
    const { strategy, mergeKey = "", type: inner } = this.at(type, key);
    if (change) {
      const problem = checkAgainstOrder(change, order, mergeKey);
      if (problem !== undefined) throw failure(problem);
    }
    let merged: unknown[];
    if (!change) merged = had as unknown[];
    else if (!had) {
      const plain = plainValue(change);
      merged = plain === DROPPED ? [] : (plain as unknown[]);
    } else merged = strategy === "merge" ? this.list(had, change, inner, mergeKey) : change;
    put(result, key, orderedBy(merged, order, (own(original, key) as unknown[]) ?? [], mergeKey));
    done.add(key);
  }

  /** What the schema says of a key of a map of this type. */
  private at(
    type: FieldType | undefined,
    key: string,
  ): { type?: FieldType; strategy?: "merge" | "replace"; mergeKey?: string } {
    if (typeof type !== "object") return {};
    if ("map" in type) return { type: type.map };
    if (!("ref" in type)) return {};
    const definition = this.schemas.definition(type.ref);
    let fields = fieldsOf.get(definition);
    if (!fields) {
      fields = new Map(definition.fields.map((f) => [f.name, f]));
      fieldsOf.set(definition, fields);
    }
    const field = fields.get(key);
    if (!field) return {};
    const strategy = field.patchStrategy?.find((s) => s !== "retainKeys") as "merge" | "replace" | undefined;
    return { type: field.type, strategy, mergeKey: field.patchMergeKey };
  }
}

function elementOf(type: FieldType | undefined): FieldType | undefined {
  return typeof type === "object" && "list" in type ? type.list : undefined;
}

/** A copy of the original, without what `$retainKeys` does not name. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return { ...original };
  const names = patch[RETAIN_KEYS];
  if (!Array.isArray(names)) throw badRequest(BAD_RETAIN_KEYS);
  const keep = new Set<unknown>(names);
  for (const key of Object.keys(patch)) {
    if (
      key === RETAIN_KEYS ||
      patch[key] === null ||
      key.startsWith(DELETE_FROM) ||
      key.startsWith(SET_ORDER)
    ) {
      continue;
    }
    if (!keep.has(key)) throw badRequest(BAD_RETAIN_KEYS);
  }
  const result: JsonObject = {};
  for (const key of Object.keys(original)) if (keep.has(key)) put(result, key, original[key]);
  return result;
}

function without(object: JsonObject, key: string): JsonObject {
  const copy = { ...object };
  delete copy[key];
  return copy;
}

function fieldAfter(key: string, prefix: string, problem: string): string {
  if (key.length <= prefix.length + 1 || key[prefix.length] !== "/") throw badRequest(problem);
  return key.slice(prefix.length + 1);
}

function noMergeKey(element: unknown, mergeKey: string): StatusError {
  return failure(`map: ${goText(element)} does not contain declared merge key: ${mergeKey}`);
}

/** Carries out `$patch` of list elements: what stays of the original, and which elements are left to merge. */
function specialElements(
  original: readonly unknown[],
  patch: readonly JsonObject[],
  mergeKey: string,
): { kept: JsonObject[]; rest: JsonObject[] } {
  const rest: JsonObject[] = [];
  const gone = new Set<unknown>();
  let replace = false;
  for (const element of patch) {
    const directive = own(element, DIRECTIVE);
    if (directive === undefined) rest.push(element);
    else if (directive === "delete") {
      if (!Object.hasOwn(element, mergeKey)) throw noMergeKey(element, mergeKey);
      gone.add(element[mergeKey]);
    } else if (directive === "replace") replace = true;
    else if (directive === "merge") throw failure("merging lists cannot yet be specified in the patch");
    else throw failure(`unknown patch type ${goText(directive)} in map ${goText(element)}`);
  }
  const all = original as JsonObject[];
  const kept =
    gone.size === 0 ? all : all.filter((e) => !Object.hasOwn(e, mergeKey) || !gone.has(e[mergeKey]));
  // What replaces the list is taken as it is: elements of one key are not merged with each other.
  return replace ? { kept: rest, rest: [] } : { kept, rest };
}

const DROPPED = Symbol("dropped");

/** A value of the patch that meets nothing in the original: without directives and nulls. */
function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue).filter((item) => item !== DROPPED);
  if (!isObject(value)) return value;
  const directive = own(value, DIRECTIVE);
  if (directive === "delete") return DROPPED;
  if (directive === "replace" && Object.keys(value).length === 1) return DROPPED;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) {
    if (value[key] === null || key === DIRECTIVE || key === RETAIN_KEYS) continue;
    if (key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER)) continue;
    const plain = plainValue(value[key]);
    if (plain !== DROPPED) put(result, key, plain);
  }
  return result;
}
