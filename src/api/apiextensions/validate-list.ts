/** The rules of x-kubernetes-list-type and x-kubernetes-map-type, by which server-side apply merges. */
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import type { JSONSchemaProps } from "../schema/apiextensions.v1.generated.ts";
import { itemsOf, propertyOf } from "./schema-walk.ts";

const LIST_TYPE = "x-kubernetes-list-type";
const MAP_TYPE = "x-kubernetes-map-type";
const MAP_KEYS = "x-kubernetes-list-map-keys";
const LIST_TYPES = ["atomic", "set", "map"];
const MAP_TYPES = ["atomic", "granular"];

/** False for a set whose elements would be merged with one another. */
export function hasAtomicItems(schema: JSONSchemaProps): boolean {
  const items = schema[LIST_TYPE] === "set" ? itemsOf(schema) : undefined;
  if (items?.type === "array") return (items[LIST_TYPE] ?? "atomic") === "atomic";
  return items?.type !== "object" || items[MAP_TYPE] === "atomic";
}

function typeMustBe(
  type: string,
  { type: is = "" }: JSONSchemaProps,
  why: string,
  path: FieldPath,
): FieldError[] {
  if (is === type) return [];
  return [is === "" ? required(path.child("type"), why) : invalidValue(path.child("type"), is, why)];
}

export function validateMerging(
  schema: JSONSchemaProps,
  path: FieldPath,
  rules: { atomicSets: boolean; mapKeys: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  const { [LIST_TYPE]: listType, [MAP_TYPE]: mapType, [MAP_KEYS]: keys = [] } = schema;
  if (mapType !== undefined) {
    errors.push(...typeMustBe("object", schema, `must be object if ${MAP_TYPE} is specified`, path));
    if (!MAP_TYPES.includes(mapType)) errors.push(notSupported(path.child(MAP_TYPE), mapType, MAP_TYPES));
  }
  if (listType !== undefined) {
    if (schema.type !== "array") {
      errors.push(...typeMustBe("array", schema, `must be array if ${LIST_TYPE} is specified`, path));
    } else if (rules.atomicSets && !hasAtomicItems(schema)) {
      const field = itemsOf(schema)?.type === "array" ? LIST_TYPE : MAP_TYPE;
      const why = `must be atomic as item of a list with ${LIST_TYPE}=set`;
      errors.push(invalidValue(path.child("items", field), itemsOf(schema)?.[LIST_TYPE], why));
    }
    if (!LIST_TYPES.includes(listType))
      errors.push(notSupported(path.child(LIST_TYPE), listType, LIST_TYPES));
  }
  if (keys.length > 0 && listType !== "map") {
    const why = `must be map if ${MAP_KEYS} is non-empty`;
    const at = path.child(LIST_TYPE);
    errors.push(listType === undefined ? required(at, why) : invalidValue(at, listType, why));
  }
  if (listType === "map") errors.push(...validateListMap(schema, keys, path));
  if (rules.mapKeys) errors.push(...validateListItems(schema, path));
  return errors;
}

function validateListMap(schema: JSONSchemaProps, keys: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child(MAP_KEYS);
  if (keys.length === 0) errors.push(required(at, `must not be empty if ${LIST_TYPE} is map`));
  if (schema.items === undefined) {
    errors.push(required(path.child("items"), `must have a schema if ${LIST_TYPE} is map`));
    return errors;
  }
  const items = itemsOf(schema);
  if (!items) {
    const why = `must only have a single schema if ${LIST_TYPE} is map`;
    errors.push(invalidValue(path.child("items"), schema.items, why));
    return errors;
  }
  if (items.type !== "object") {
    const why = `must be object if parent array's ${LIST_TYPE} is map`;
    errors.push(invalidValue(path.child("items", "type"), items.type ?? "", why));
    return errors;
  }
  for (const [i, key] of keys.entries()) {
    const property = propertyOf(items, key);
    if (!property) errors.push(invalidValue(at, keys, "entries must all be names of item properties"));
    else if (property.type === "array" || property.type === "object") {
      const why = `must be a scalar type if parent array's ${LIST_TYPE} is map`;
      errors.push(invalidValue(path.child("items", "properties").key(key).child("type"), items.type, why));
    }
    if (keys.indexOf(key) < i) errors.push(invalidValue(at, keys, "must not contain duplicate entries"));
  }
  return errors;
}

/** That elements of sets and list maps are never null, and that every element of a list map has its keys. */
export function validateListItems(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const { [LIST_TYPE]: listType, [MAP_KEYS]: keys = [] } = schema;
  const items = itemsOf(schema);
  if (!items || (listType !== "set" && listType !== "map")) return [];
  const errors: FieldError[] = [];
  if (items.nullable) {
    errors.push(
      forbiddenField(path.child("items", "nullable"), `cannot be nullable when ${LIST_TYPE} is ${listType}`),
    );
  }
  if (listType === "set") return errors;
  for (const key of keys) {
    const property = propertyOf(items, key);
    if (!property) continue;
    const at = path.child("items", "properties").key(key);
    if (!items.required?.includes(key) && property.default === undefined) {
      const why = `this property is in ${MAP_KEYS}, so it must have a default or be a required property`;
      errors.push(required(at.child("default"), why));
    }
    if (property.nullable) {
      const why = `this property is in ${MAP_KEYS}, so it cannot be nullable`;
      errors.push(forbiddenField(at.child("nullable"), why));
    }
  }
  return errors;
}
