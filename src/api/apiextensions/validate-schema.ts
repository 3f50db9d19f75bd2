import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import type { JSONSchemaProps, ValidationRule } from "../schema/apiextensions.v1.generated.ts";
import { findField } from "./field-reference.ts";
import { type SchemaRules, TYPES } from "./schema-rules.ts";
import { isFilled } from "./schema-walk.ts";
import { notStructuralizable, validateStructural } from "./structural-schema.ts";
import { validateMerging } from "./validate-list.ts";

/** By the names of Go's fields, which the message lists. */
const ROOT_FIELDS =
  "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations";
const AT_ROOT = new Set(
  ROOT_FIELDS.split(" ").map((name) => {
    if (!name.startsWith("X")) return name[0]!.toLowerCase() + name.slice(1);
    return `x-kubernetes${name.slice(1).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  }),
);

/** `path` is that of what holds `openAPIV3Schema`. */
export function validateSchema(
  schema: JSONSchemaProps | undefined,
  statusEnabled: boolean,
  rules: SchemaRules,
  path: FieldPath,
): FieldError[] {
  if (!schema) return [];
  const at = path.child("openAPIV3Schema");
  const errors = statusEnabled ? validateRoot(schema, at) : [];
  if (schema.nullable)
    errors.push(forbiddenField(at.child("nullable"), "nullable cannot be true at the root"));
  const unstructured = rules.structural ? notStructuralizable(schema) : undefined;
  if (rules.structural && unstructured === undefined) errors.push(...validateStructural(schema, at));
  validateOpenAPI(schema, at, { rules, root: true, inMeta: false, defaults: undefined }, errors);
  // What the structure cannot express is mostly said by then, in better words.
  if (errors.length === 0 && unstructured !== undefined) errors.push(invalidValue(at, "", unstructured));
  return errors;
}

/** `status` is validated by itself, for which what else the root says must not matter. */
function validateRoot(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  for (const [field, value] of Object.entries(schema)) {
    if (value === undefined || value === false || value === "") continue;
    if (field === "type" && value !== "object") {
      const why =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      return [invalidValue(path.child("type"), value, why)];
    }
    if (AT_ROOT.has(field)) continue;
    const why = `only [${ROOT_FIELDS}] fields are allowed at the root of the schema if the status subresource is enabled`;
    return [invalidValue(path, schema, why)];
  }
  return [];
}

interface Where {
  rules: SchemaRules;
  root: boolean;
  /** Within what says the kind, apiVersion or metadata of an object. */
  inMeta: boolean;
  /** Why there may be no defaults, where there may be none. */
  defaults: string | undefined;
}

const META_FIELDS = ["metadata", "kind", "apiVersion"];

function validateOpenAPI(schema: JSONSchemaProps, path: FieldPath, where: Where, errors: FieldError[]): void {
  const { rules } = where;
  validateKeywords(schema, path, where, errors);
  if (schema.uniqueItems) {
    const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbiddenField(path.child("uniqueItems"), why));
  }
  validateChildren(schema, path, where, errors);
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    const at = path.child("x-kubernetes-preserve-unknown-fields");
    errors.push(invalidValue(at, false, "must be true or undefined"));
  }
  errors.push(...validateMerging(schema, path, rules));
  for (const [i, rule] of (schema["x-kubernetes-validations"] ?? []).entries()) {
    validateRule(rule, schema, path.child("x-kubernetes-validations").index(i), errors);
  }
}

function validateKeywords(
  schema: JSONSchemaProps,
  path: FieldPath,
  where: Where,
  errors: FieldError[],
): void {
  const { type = "", items } = schema;
  const no = (field: string) => errors.push(forbiddenField(path.child(field), `${field} is not supported`));
  if (where.rules.knownTypes && type !== "" && !TYPES.includes(type)) {
    errors.push(notSupported(path.child("type"), type, TYPES));
  }
  if (schema.default !== undefined && where.defaults !== undefined) {
    errors.push(forbiddenField(path.child("default"), `must not be set ${where.defaults}`));
  }
  if (schema.id) no("id");
  if (schema.additionalItems !== undefined) no("additionalItems");
  if (isFilled(schema.patternProperties)) no("patternProperties");
  if (isFilled(schema.definitions)) no("definitions");
  if (schema.dependencies !== undefined) no("dependencies");
  if (schema.$ref !== undefined) no("$ref");
  if (type === "null") {
    const why = "type cannot be set to null, use nullable as an alternative";
    errors.push(forbiddenField(path.child("type"), why));
  }
  if (Array.isArray(items) && items.length > 0) {
    errors.push(forbiddenField(path.child("items"), "items must be a schema object and not an array"));
  }
  if (where.inMeta && schema["x-kubernetes-embedded-resource"]) {
    const at = path.child("x-kubernetes-embedded-resource");
    errors.push(forbiddenField(at, "must not be used inside of resource meta"));
  }
}

function validateChildren(
  schema: JSONSchemaProps,
  path: FieldPath,
  where: Where,
  errors: FieldError[],
): void {
  const inner: Where = { ...where, root: false };
  const { additionalProperties, items, not } = schema;
  if (additionalProperties !== undefined) {
    const at = path.child("additionalProperties");
    if (isFilled(schema.properties) && additionalProperties !== true) {
      errors.push(forbiddenField(at, "additionalProperties and properties are mutual exclusive"));
    }
    if (typeof additionalProperties === "object") {
      const defaults = "inside additionalProperties applying to object metadata";
      validateOpenAPI(additionalProperties, at, inner.inMeta ? { ...inner, defaults } : inner, errors);
    }
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const at = path.child("properties").key(name);
    const meta =
      META_FIELDS.includes(name) && (where.root || schema["x-kubernetes-embedded-resource"] === true);
    const defaults = meta && where.root ? `in top-level ${name}` : inner.defaults;
    validateOpenAPI(property, at, meta ? { ...inner, inMeta: true, defaults } : inner, errors);
  }
  if (not) validateOpenAPI(not, path.child("not"), inner, errors);
  for (const junctor of ["allOf", "oneOf", "anyOf"] as const) {
    for (const [i, one] of (schema[junctor] ?? []).entries()) {
      validateOpenAPI(one, path.child(junctor).index(i), inner, errors);
    }
  }
  if (items && !Array.isArray(items)) validateOpenAPI(items, path.child("items"), inner, errors);
}

const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

function validateRule(
  { rule = "", message = "", messageExpression = "", reason, fieldPath = "" }: Partial<ValidationRule>,
  schema: JSONSchemaProps,
  path: FieldPath,
  errors: FieldError[],
): void {
  const broken = (text: string) => text.includes("\n") || text.includes("\r");
  const blank = (text: string) => text.trim() === "";
  const at = path.child("message");
  if (blank(rule)) errors.push(required(path.child("rule"), "rule is not specified"));
  else if (message !== "" && blank(message)) {
    errors.push(invalidValue(at, message, "message must be non-empty if specified"));
  } else if (broken(message.trim())) {
    errors.push(invalidValue(at, message, "message must not contain line breaks"));
  } else if (broken(rule.trim()) && message === "") {
    errors.push(required(at, "message must be specified if rule contains line breaks"));
  }
  if (messageExpression !== "" && blank(messageExpression)) {
    const why = "messageExpression must be non-empty if specified";
    errors.push(required(path.child("messageExpression"), why));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(path.child("reason"), reason, REASONS));
  }
  if (fieldPath === "") return;
  const field = path.child("fieldPath");
  if (blank(fieldPath))
    errors.push(invalidValue(field, fieldPath, "fieldPath must be non-empty if specified"));
  if (broken(fieldPath))
    errors.push(invalidValue(field, fieldPath, "fieldPath must not contain line breaks"));
  if (typeof findField(fieldPath, schema, { brackets: true }) === "string") {
    errors.push(invalidValue(field, fieldPath, "fieldPath must be a valid path"));
  }
}
