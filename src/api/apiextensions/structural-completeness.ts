import { type FieldError, required } from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import type { JSONSchemaProps } from "../schema/apiextensions.v1.generated.ts";
import { itemsOf, propertyOf } from "./schema-walk.ts";

/** That each field which allOf, anyOf, oneOf or not speak of is in the structure too. */
export function validateCompleteness(
  value: JSONSchemaProps,
  structure: JSONSchemaProps,
  path: FieldPath,
  valuePath: FieldPath,
  errors: FieldError[],
): void {
  if (value.not) validateNested(value.not, structure, path, valuePath.child("not"), errors);
  for (const junctor of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [i, one] of (value[junctor] ?? []).entries()) {
      validateNested(one, structure, path, valuePath.child(junctor).index(i), errors);
    }
  }
}

function validateNested(
  value: JSONSchemaProps,
  structure: JSONSchemaProps | undefined,
  path: FieldPath,
  valuePath: FieldPath,
  errors: FieldError[],
): void {
  if (!structure) {
    errors.push(required(path, `because it is defined in ${valuePath}`));
    return;
  }
  validateCompleteness(value, structure, path, valuePath, errors);
  const items = itemsOf(value);
  if (items) {
    validateNested(items, itemsOf(structure), path.child("items"), valuePath.child("items"), errors);
  }
  for (const [name, property] of Object.entries(value.properties ?? {})) {
    const at = path.child("properties").key(name);
    const from = valuePath.child("properties").key(name);
    validateNested(property, propertyOf(structure, name), at, from, errors);
  }
}
