/** Walking the schemas of a custom resource definition. */
import { type FieldError, forbiddenField, typeInvalid } from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import type { Field, FieldType } from "../../machinery/schema/schema.ts";
import type { CustomResourceDefinitionSpec, JSONSchemaProps } from "../schema/apiextensions.v1.generated.ts";
import { schemas } from "../schema/schemas.ts";

/** The schema of the elements; undefined where there is none, or where there are several. */
export function itemsOf({ items }: JSONSchemaProps): JSONSchemaProps | undefined {
  return Array.isArray(items) ? undefined : items;
}

export function additionalPropertiesOf(schema: JSONSchemaProps): JSONSchemaProps | undefined {
  const { additionalProperties } = schema;
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

export function propertyOf({ properties }: JSONSchemaProps, name: string): JSONSchemaProps | undefined {
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** Whether the map has entries. */
export function isFilled(value: object | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0;
}

/** The schema and all within it. */
export function* schemasWithin(schema: JSONSchemaProps | undefined): Generator<JSONSchemaProps> {
  const waiting = schema ? [schema] : [];
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    yield one;
    const { items, not, additionalProperties, additionalItems } = one;
    for (const list of [one.allOf, one.anyOf, one.oneOf]) if (list) waiting.push(...list);
    if (Array.isArray(items)) waiting.push(...items);
    else if (items) waiting.push(items);
    if (not) waiting.push(not);
    for (const other of [additionalProperties, additionalItems]) {
      if (typeof other === "object") waiting.push(other);
    }
    for (const map of [one.properties, one.patternProperties, one.definitions]) {
      if (map) waiting.push(...Object.values(map));
    }
    for (const other of Object.values(one.dependencies ?? {})) if (!Array.isArray(other)) waiting.push(other);
  }
}

export function specHas(
  spec: CustomResourceDefinitionSpec,
  holds: (schema: JSONSchemaProps) => boolean,
): boolean {
  for (const { schema } of spec.versions ?? []) {
    for (const one of schemasWithin(schema?.openAPIV3Schema)) if (holds(one)) return true;
  }
  return false;
}

const SINGLE_OR_LIST = ["additionalItems", "additionalProperties", "allOf", "anyOf", "items", "not", "oneOf"];
const MAPS = ["definitions", "dependencies", "patternProperties", "properties"];

/** Takes away the fields that are null, which is absence: the decoder leaves them below `items` and its like. */
export function dropNulls(schema: unknown): void {
  const waiting: unknown[] = [schema];
  while (waiting.length > 0) {
    const one = waiting.pop();
    if (!isMap(one)) continue;
    for (const [name, value] of Object.entries(one)) {
      if (value === null) delete one[name];
      else if (SINGLE_OR_LIST.includes(name)) waiting.push(...(Array.isArray(value) ? value : [value]));
      else if (MAPS.includes(name) && isMap(value)) waiting.push(...Object.values(value));
    }
  }
}

const SCHEMA = "apiextensions.v1.JSONSchemaProps";
/** Upstream has no limit of its own; here each level is a few calls deep. */
const DEPTH_MAX = 250;

let fields: Map<string, Field> | undefined;

function schemaFields(): Map<string, Field> {
  fields ??= new Map(schemas.definition(SCHEMA).fields.map((field) => [field.name, field]));
  return fields;
}

/**
 * What in a schema is not of the type it must have. The decoder cannot tell where a field takes a schema or something
 * else (`items`, `additionalProperties`), so that anything may be below one; upstream refuses such when it decodes.
 */
export function misshapen(schema: unknown, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  checkSchema(schema, path, 1, errors);
  return errors;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkSchema(schema: unknown, path: FieldPath, depth: number, errors: FieldError[]): void {
  if (!isMap(schema)) {
    errors.push(typeInvalid(path, schema, "must be an object"));
    return;
  }
  if (depth > DEPTH_MAX) {
    errors.push(forbiddenField(path, `schemas may not be nested deeper than ${DEPTH_MAX} levels`));
    return;
  }
  for (const [name, value] of Object.entries(schema)) {
    const field = schemaFields().get(name);
    if (field === undefined || value === undefined) continue;
    checkValue(value, typeOf(field, value), path, name, depth, errors);
  }
}

const ONE: FieldType = { ref: SCHEMA };

/** Of a field that takes several types, that which fits the value, or else the schema. */
function typeOf({ name, type, wire }: Field, value: unknown): FieldType {
  if (!wire?.startsWith("JSONSchemaPropsOr")) return type;
  if (name === "dependencies") return { map: ONE };
  if (Array.isArray(value)) return { list: ONE };
  return typeof value === "boolean" ? "boolean" : ONE;
}

/** Paths are made where they are needed only: most values are text and numbers that are as they should be. */
function checkValue(
  value: unknown,
  type: FieldType,
  within: FieldPath,
  name: string,
  depth: number,
  errors: FieldError[],
): void {
  if (type === "any") return;
  if (typeof type === "string") {
    const wanted = type === "string" || type === "boolean" ? type : "number";
    const is = typeof value === "bigint" ? "number" : typeof value;
    if (is !== wanted) errors.push(typeInvalid(within.child(name), value, `must be a ${wanted}`));
    return;
  }
  const path = within.child(name);
  if ("ref" in type) {
    if (type.ref === SCHEMA) checkSchema(value, path, depth + 1, errors);
    else if (!isMap(value)) errors.push(typeInvalid(path, value, "must be an object"));
  } else if ("list" in type) {
    if (!Array.isArray(value)) errors.push(typeInvalid(path, value, "must be an array"));
    else for (const [i, item] of value.entries()) checkElement(item, type.list, path.index(i), depth, errors);
  } else if (!isMap(value)) errors.push(typeInvalid(path, value, "must be an object"));
  else {
    for (const [key, item] of Object.entries(value)) {
      // A dependency is a schema or a list of names.
      if (name === "dependencies" && Array.isArray(item)) continue;
      checkElement(item, type.map, path.key(key), depth, errors);
    }
  }
}

function checkElement(
  item: unknown,
  type: FieldType,
  path: FieldPath,
  depth: number,
  errors: FieldError[],
): void {
  if (type === "any") return;
  if (typeof type !== "string") {
    if ("ref" in type && type.ref === SCHEMA) checkSchema(item, path, depth + 1, errors);
    else if (!isMap(item)) errors.push(typeInvalid(path, item, "must be an object"));
  } else if (typeof item !== type) errors.push(typeInvalid(path, item, `must be a ${type}`));
}
