/** What a version has beside its schema: subresources, printer columns and selectable fields. */
import {
  duplicate,
  type FieldError,
  invalidValue,
  required,
  tooMany,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
} from "../schema/apiextensions.v1.generated.ts";
import { findField } from "./field-reference.ts";

const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const SELECTABLE_TYPES = ["string", "boolean", "integer"];
const SELECTABLE_MAX = 8;

export function validateSubresources(
  subresources: CustomResourceSubresources | undefined,
  path: FieldPath,
): FieldError[] {
  const scale = subresources?.scale;
  if (!scale) return [];
  const { specReplicasPath = "", statusReplicasPath = "", labelSelectorPath = "" } = scale;
  const errors: FieldError[] = [];
  const spec = path.child("scale", "specReplicasPath");
  const status = path.child("scale", "statusReplicasPath");
  if (specReplicasPath === "") errors.push(required(spec));
  else validateJSONPath(specReplicasPath, [".spec."], "under .spec", spec, errors);
  if (statusReplicasPath === "") errors.push(required(status));
  else validateJSONPath(statusReplicasPath, [".status."], "under .status", status, errors);
  if (labelSelectorPath !== "") {
    const at = path.child("scale", "labelSelectorPath");
    validateJSONPath(labelSelectorPath, [".spec.", ".status."], "under either .spec or .status", at, errors);
  }
  return errors;
}

function validateJSONPath(
  text: string,
  roots: readonly string[],
  where: string,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!text.startsWith(".")) {
    errors.push(invalidValue(path, text, "must be a simple json path starting with ."));
  } else if (!roots.some((root) => text.startsWith(root))) {
    errors.push(invalidValue(path, text, `should be a json path ${where}`));
  }
}

export function validateColumns(
  columns: readonly CustomResourceColumnDefinition[],
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, { name = "", type = "", format = "", jsonPath = "" }] of columns.entries()) {
    const at = path.index(i);
    if (name === "") errors.push(required(at.child("name")));
    const types = `must be one of ${COLUMN_TYPES.join(",")}`;
    if (type === "") errors.push(required(at.child("type"), types));
    else if (!COLUMN_TYPES.includes(type)) errors.push(invalidValue(at.child("type"), type, types));
    if (format !== "" && !COLUMN_FORMATS.includes(format)) {
      errors.push(invalidValue(at.child("format"), format, `must be one of ${COLUMN_FORMATS.join(",")}`));
    }
    // Upstream's internal name of the field, in capitals.
    if (jsonPath === "") errors.push(required(at.child("JSONPath")));
    else if (!jsonPath.startsWith(".")) {
      const why = "must be a simple json path starting with .";
      errors.push(invalidValue(at.child("JSONPath"), jsonPath, why));
    }
  }
  return errors;
}

export function validateSelectableFields(
  fields: readonly SelectableField[],
  schema: JSONSchemaProps | undefined,
  path: FieldPath,
): FieldError[] {
  if (!schema) {
    const why = "selectableFields may only be set when version.schema.openAPIV3Schema is not included";
    return [invalidValue(path, "", why)];
  }
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { jsonPath = "" }] of fields.entries()) {
    const at = path.index(i).child("jsonPath");
    if (jsonPath === "") {
      errors.push(required(at));
      continue;
    }
    const found = findField(jsonPath, schema, { brackets: false });
    if (typeof found === "string") {
      errors.push(invalidValue(at, jsonPath, `is an invalid path: ${found}`));
      continue;
    }
    if (found.parts[0] === "metadata") {
      errors.push(invalidValue(at, jsonPath, "must not point to fields in metadata"));
    }
    if (!SELECTABLE_TYPES.includes(found.schema.type ?? "")) {
      const why =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      errors.push(invalidValue(at, jsonPath, why));
    }
    if (seen.has(jsonPath)) errors.push(duplicate(at, jsonPath));
    seen.add(jsonPath);
  }
  if (seen.size > SELECTABLE_MAX) errors.push(tooMany(path, seen.size, SELECTABLE_MAX));
  return errors;
}
