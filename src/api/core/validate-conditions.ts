/** Validation of metav1.Condition lists (apimachinery/pkg/apis/meta/v1/validation). */
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { isBelow } from "../../machinery/json/exact-integer.ts";
import { byteLength, isQualifiedName, regexError } from "../../machinery/names/names.ts";
import type { Condition } from "../schema/meta.v1.generated.ts";

export const CONDITION_STATUSES = ["False", "True", "Unknown"];

const REASON_MAX = 1024;
const MESSAGE_MAX = 32 * 1024;
const REASON_TEXT = regexError(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
  "my_name",
  "MY_NAME",
  "MyName",
  "ReasonA,ReasonB",
  "ReasonA:ReasonB",
);

export function validateConditions(conditions: readonly Condition[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  for (const [i, condition] of conditions.entries()) {
    const at = path.index(i);
    if (types.has(condition.type)) errors.push(duplicate(at.child("type"), condition.type));
    types.add(condition.type);
    validateCondition(condition, at, errors);
  }
  return errors;
}

function validateCondition(condition: Condition, at: FieldPath, errors: FieldError[]): void {
  const { type = "", status, observedGeneration = 0, lastTransitionTime, reason = "" } = condition;
  for (const text of isQualifiedName(type)) errors.push(invalidValue(at.child("type"), type, text));
  if (!CONDITION_STATUSES.includes(status)) {
    errors.push(notSupported(at.child("status"), status ?? "", CONDITION_STATUSES));
  }
  if (isBelow(observedGeneration, 0)) {
    const why = "must be greater than or equal to zero";
    errors.push(invalidValue(at.child("observedGeneration"), observedGeneration, why));
  }
  if (!lastTransitionTime) errors.push(required(at.child("lastTransitionTime"), "must be set"));
  if (reason === "") errors.push(required(at.child("reason"), "must be set"));
  else {
    if (!/^[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?$/.test(reason)) {
      errors.push(invalidValue(at.child("reason"), reason, REASON_TEXT));
    }
    if (byteLength(reason) > REASON_MAX) errors.push(tooLong(at.child("reason"), REASON_MAX));
  }
  if (byteLength(condition.message ?? "") > MESSAGE_MAX) {
    errors.push(tooLong(at.child("message"), MESSAGE_MAX));
  }
}
