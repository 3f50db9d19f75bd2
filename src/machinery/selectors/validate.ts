/** Validation of LabelSelector fields (apimachinery/pkg/apis/meta/v1/validation). */
import { type FieldError, forbiddenField, invalidValue, required } from "../field/field-error.ts";
import type { FieldPath } from "../field/path.ts";
import { isQualifiedName, isValidLabelValue } from "../names/names.ts";
import type { LabelSelectorObject } from "./labels.ts";

/** A map of labels: metadata.labels, matchLabels, nodeSelector. */
export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    const value = labels[key]!;
    for (const text of isQualifiedName(key)) errors.push(invalidValue(path, key, text));
    for (const text of isValidLabelValue(value)) errors.push(invalidValue(path, value, text));
  }
  return errors;
}

/** `allowInvalidValues` is for objects that were stored before values were checked. */
export function validateLabelSelector(
  selector: LabelSelectorObject | undefined,
  path: FieldPath,
  allowInvalidValues = false,
): FieldError[] {
  if (!selector) return [];
  const errors = validateLabels(selector.matchLabels, path.child("matchLabels"));
  for (const [i, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = path.child("matchExpressions").index(i);
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        errors.push(required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(forbiddenField(at.child("values"), why));
      }
    } else errors.push(invalidValue(at.child("operator"), operator, "not a valid selector operator"));
    for (const text of isQualifiedName(key)) errors.push(invalidValue(at.child("key"), key, text));
    if (allowInvalidValues) continue;
    for (const [j, value] of values.entries()) {
      for (const text of isValidLabelValue(value)) {
        errors.push(invalidValue(at.child("values").index(j), value, text));
      }
    }
  }
  return errors;
}
