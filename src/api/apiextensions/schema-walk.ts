/** Walking the schemas of a custom resource definition. */
import { type FieldError, typeInvalid } from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import type { FieldType } from "../../machinery/schema/schema.ts";
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
  if (!schema) return;
  yield schema;
  const { items, additionalItems, dependencies = {} } = schema;
  const several = [schema.allOf, schema.anyOf, schema.oneOf, Array.isArray(items) ? items : undefined];
  for (const list of several) for (const one of list ?? []) yield* schemasWithin(one);
  yield* schemasWithin(itemsOf(schema));
  yield* schemasWithin(schema.not);
  yield* schemasWithin(additionalPropertiesOf(schema));
  if (typeof additionalItems === "object") yield* schemasWithin(additionalItems);
  for (const map of [schema.properties, schema.patternProperties, schema.definitions]) {
    for (const one of Object.values(map ?? {})) yield* schemasWithin(one);
  }
  for (const one of Object.values(dependencies)) if (!Array.isArray(one)) yield* schemasWithin(one);
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

const SCHEMA = "apiextensions.v1.JSONSchemaProps";

/**
 * What in a schema is not of the type it must have. The decoder cannot tell where a field takes a schema or something
 * else (`items`, `additionalProperties`), so that anything may be below one; upstream refuses such when it decodes.
 */
export function misshapen(schema: unknown, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  checkSchema(schema, path, errors);
  return errors;
}

function checkSchema(schema: unknown, path: FieldPath, errors: FieldError[]): void {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    errors.push(typeInvalid(path, schema, "must be an object"));
    return;
  }
  for (const { name, type, wire } of schemas.definition(SCHEMA).fields) {
    const value = Object.hasOwn(schema, name) ? (schema as Record<string, unknown>)[name] : undefined;
    if (value === undefined) continue;
    if (!wire?.startsWith("JSONSchemaPropsOr")) checkValue(value, type, path.child(name), errors);
    else if (name === "dependencies") checkValue(value, { map: "any" }, path.child(name), errors);
    else if (Array.isArray(value)) checkValue(value, { list: { ref: SCHEMA } }, path.child(name), errors);
    else if (typeof value !== "boolean") checkSchema(value, path.child(name), errors);
  }
}

function checkValue(value: unknown, type: FieldType, path: FieldPath, errors: FieldError[]): void {
  if (type === "any") return;
  if (typeof type === "string") {
    const wanted = type === "string" || type === "boolean" ? type : "number";
    const is = typeof value === "bigint" ? "number" : typeof value;
    if (is !== wanted) errors.push(typeInvalid(path, value, `must be a ${wanted}`));
    return;
  }
  if ("ref" in type) {
    if (type.ref === SCHEMA) checkSchema(value, path, errors);
    else if (typeof value !== "object") errors.push(typeInvalid(path, value, "must be an object"));
    return;
  }
  if ("list" in type) {
    if (!Array.isArray(value)) errors.push(typeInvalid(path, value, "must be an array"));
    else for (const [i, item] of value.entries()) checkValue(item, type.list, path.index(i), errors);
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    errors.push(typeInvalid(path, value, "must be an object"));
  } else for (const [key, item] of Object.entries(value)) checkValue(item, type.map, path.key(key), errors);
}
