/**
 * Structural schemas: every field has one type, said outside of allOf, anyOf, oneOf and not, so that objects can be
 * pruned and defaulted (apiextensions-apiserver/pkg/apiserver/schema).
 */
import { RE2JS } from "re2js";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import type { JSONSchemaProps } from "../schema/apiextensions.v1.generated.ts";
import { additionalPropertiesOf, isFilled, itemsOf, propertyOf, schemasWithin } from "./schema-walk.ts";
import { validateCompleteness } from "./structural-completeness.ts";

type Level = "root" | "item" | "field";

const EMBEDDED = "x-kubernetes-embedded-resource";
const INT_OR_STRING = "x-kubernetes-int-or-string";
const PRESERVE = "x-kubernetes-preserve-unknown-fields";

/** What the schema has that no structural schema can even express. */
export function notStructuralizable(schema: JSONSchemaProps): string | undefined {
  for (const one of schemasWithin(schema)) {
    if (Array.isArray(one.items) && one.items.length > 0) {
      return "OpenAPIV3Schema 'items' must be a schema, but is an array";
    }
    if (one[PRESERVE] === false) {
      return `internal error: '${PRESERVE}' must be true or undefined`;
    }
    const field = unsupported(one);
    if (field !== undefined) return `OpenAPIV3Schema '${field}' is not supported`;
  }
  return undefined;
}

function unsupported(schema: JSONSchemaProps): string | undefined {
  if (schema.id) return "id";
  if (schema.$schema) return "schema";
  if (schema.$ref) return "$ref";
  if (isFilled(schema.patternProperties)) return "patternProperties";
  if (isFilled(schema.dependencies)) return "dependencies";
  if (schema.additionalItems !== undefined) return "additionalItems";
  return isFilled(schema.definitions) ? "definitions" : undefined;
}

/** Errors in the order of their text, as upstream sorts them. */
export function validateStructural(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  validateInvariants(schema, "root", path, errors);
  validateCompleteness(schema, schema, path, path, errors);
  const text = ({ field, body }: FieldError) => `${field}: ${body}`;
  return errors.sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));
}

function validateInvariants(
  schema: JSONSchemaProps,
  level: Level,
  path: FieldPath,
  errors: FieldError[],
): void {
  const items = itemsOf(schema);
  if (schema.type === "array" && !items) errors.push(required(path.child("items"), "must be specified"));
  if (items) validateInvariants(items, "item", path.child("items"), errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    validateInvariants(property, "field", path.child("properties").key(name), errors);
  }
  if (schema.additionalProperties !== undefined) {
    const at = path.child("additionalProperties");
    if (level === "root") errors.push(forbiddenField(at, "must not be used at the root"));
    const values = additionalPropertiesOf(schema);
    if (values) validateInvariants(values, "field", at, errors);
    if (schema[EMBEDDED]) errors.push(forbiddenField(at, `must not be used if ${EMBEDDED} is set`));
  }
  if (schema[INT_OR_STRING]) {
    for (const other of [PRESERVE, EMBEDDED] as const) {
      const why = `must be false if ${INT_OR_STRING} is true`;
      if (schema[other]) errors.push(invalidValue(path.child(other), true, why));
    }
  }
  validateJunctors(schema, intOrStringExceptions(schema), path, errors);
  validateType(schema, level, path, errors);
  validateMeta(schema, level, path, errors);
}

function validateType(schema: JSONSchemaProps, level: Level, path: FieldPath, errors: FieldError[]): void {
  const { type = "" } = schema;
  const at = path.child("type");
  if (schema[EMBEDDED] && type !== "object") {
    const why = `must be object if ${EMBEDDED} is true`;
    errors.push(type === "" ? required(at, why) : invalidValue(at, type, why));
  } else if (type === "" && !schema[INT_OR_STRING] && !schema[PRESERVE]) {
    const where = {
      root: "at the root",
      item: "for specified array items",
      field: "for specified object fields",
    };
    errors.push(required(at, `must not be empty ${where[level]}`));
  }
  if (level === "root" && type !== "" && type !== "object") {
    errors.push(invalidValue(at, type, "must be object at the root"));
  }
}

/** What an object says of its own kind and metadata is not for its schema to say. */
function validateMeta(schema: JSONSchemaProps, level: Level, path: FieldPath, errors: FieldError[]): void {
  const properties = path.child("properties");
  const resource = level === "root" || schema[EMBEDDED] === true;
  if (resource) {
    for (const name of ["kind", "apiVersion"]) {
      const property = propertyOf(schema, name);
      if (property && property.type !== "string") {
        errors.push(invalidValue(properties.key(name).child("type"), property.type ?? "", "must be string"));
      }
    }
    const metadata = propertyOf(schema, "metadata");
    const at = properties.key("metadata");
    if (metadata && metadata.type !== "object") {
      errors.push(invalidValue(at.child("type"), metadata.type ?? "", "must be object"));
    }
    if (metadata && level === "root" && !saysNamesOnly(metadata)) {
      const why =
        "must not specify anything other than name and generateName, but metadata is implicitly specified";
      errors.push(forbiddenField(at, why));
    }
  }
  if (schema[EMBEDDED] && !schema[PRESERVE] && !isFilled(schema.properties)) {
    const why = `must not be empty if ${EMBEDDED} is true without ${PRESERVE}`;
    errors.push(required(properties, why));
  }
}

/** `default`, `example` and `externalDocs` are no part of a structural schema or are judged elsewhere. */
const NOT_SAID = ["type", "default", "example", "externalDocs", "properties"];

function saysNamesOnly(metadata: JSONSchemaProps): boolean {
  for (const [field, value] of Object.entries(metadata)) {
    if (NOT_SAID.includes(field) || value === false || value === "" || value === undefined) continue;
    return false;
  }
  return Object.keys(metadata.properties ?? {}).every((name) => name === "name" || name === "generateName");
}

/** Which of the two ways to write int-or-string the schema uses, in which types may stand in anyOf. */
interface IntOrString {
  anyOf: boolean;
  firstAllOf: boolean;
}

const INTEGER_OR_STRING = [{ type: "integer" }, { type: "string" }];

function intOrStringExceptions({ anyOf, allOf }: JSONSchemaProps): IntOrString {
  return {
    anyOf: semanticEqual(anyOf, INTEGER_OR_STRING),
    firstAllOf: semanticEqual(allOf?.[0]?.anyOf, INTEGER_OR_STRING),
  };
}

function validateJunctors(
  schema: JSONSchemaProps,
  except: IntOrString,
  path: FieldPath,
  errors: FieldError[],
): void {
  const none = { anyOf: false, firstAllOf: false };
  if (!except.anyOf) {
    for (const [i, one] of (schema.anyOf ?? []).entries()) {
      validateNested(one, none, path.child("anyOf").index(i), errors);
    }
  }
  for (const [i, one] of (schema.allOf ?? []).entries()) {
    const anyOf = except.firstAllOf && i === 0;
    validateNested(one, { anyOf, firstAllOf: false }, path.child("allOf").index(i), errors);
  }
  for (const [i, one] of (schema.oneOf ?? []).entries()) {
    validateNested(one, none, path.child("oneOf").index(i), errors);
  }
  if (schema.not) validateNested(schema.not, none, path.child("not"), errors);
  if (schema.pattern) {
    const why = patternWrong(schema.pattern);
    if (why !== undefined) {
      const text = `must be a valid regular expression, but isn't: ${why}`;
      errors.push(invalidValue(path.child("pattern"), schema.pattern, text));
    }
  }
}

function patternWrong(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What only the structure may say, and in which words it is refused below a junctor. */
const STRUCTURE: readonly (readonly [keyof JSONSchemaProps, "empty" | "undefined" | "false"])[] = [
  ["type", "empty"],
  ["additionalProperties", "undefined"],
  ["default", "undefined"],
  ["title", "empty"],
  ["description", "empty"],
  ["nullable", "false"],
  [PRESERVE, "false"],
  [EMBEDDED, "false"],
  [INT_OR_STRING, "false"],
  ["x-kubernetes-list-map-keys", "empty"],
  ["x-kubernetes-list-type", "undefined"],
  ["x-kubernetes-map-type", "undefined"],
  ["x-kubernetes-validations", "empty"],
];

function validateNested(
  schema: JSONSchemaProps,
  except: IntOrString,
  path: FieldPath,
  errors: FieldError[],
): void {
  validateJunctors(schema, except, path, errors);
  const none = { anyOf: false, firstAllOf: false };
  const items = itemsOf(schema);
  if (items) validateNested(items, none, path.child("items"), errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    validateNested(property, none, path.child("properties").key(name), errors);
  }
  for (const [field, kind] of STRUCTURE) {
    const value = schema[field];
    if (value === undefined) continue;
    const said = kind === "undefined" || (Array.isArray(value) ? value.length > 0 : Boolean(value));
    if (said) errors.push(forbiddenField(path.child(field), `must be ${kind} to be structural`));
  }
  if (propertyOf(schema, "metadata")) {
    const at = path.child("properties").key("metadata");
    errors.push(forbiddenField(at, "must not be specified in a nested context"));
  }
}
