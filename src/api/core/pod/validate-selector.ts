/** meta.v1 LabelSelector, wherever a kind holds one. */
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { isQualifiedName, isValidLabelValue } from "../../../machinery/names/names.ts";
import type { LabelSelector } from "../../schema/meta.v1.generated.ts";
import { eachInvalid } from "./checks.ts";

export function validateLabelSelector(selector: LabelSelector, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const labels = selector.matchLabels ?? {};
  for (const key of Object.keys(labels)) {
    eachInvalid(errors, isQualifiedName(key), at.child("matchLabels"), key);
    const value = labels[key] as string;
    eachInvalid(errors, isValidLabelValue(value), at.child("matchLabels"), value);
  }
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, i) => {
    const path = at.child("matchExpressions").index(i);
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        const why = "must be specified when `operator` is 'In' or 'NotIn'";
        errors.push(required(path.child("values"), why));
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(forbiddenField(path.child("values"), why));
      }
    } else errors.push(invalidValue(path.child("operator"), operator, "not a valid selector operator"));
    eachInvalid(errors, isQualifiedName(key), path.child("key"), key);
    values.forEach((value, j) => {
      eachInvalid(errors, isValidLabelValue(value), path.child("values").index(j), value);
    });
  });
  return errors;
}

export function isEmptySelector(selector: LabelSelector): boolean {
  const labels = Object.keys(selector.matchLabels ?? {}).length;
  return labels + (selector.matchExpressions?.length ?? 0) === 0;
}
