/** Numbers of pods, whole or as a share, that an update may take away or add. */
import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { percentOf } from "../../machinery/int-or-string/int-or-string.ts";
import { isValidPercent } from "../../machinery/names/names.ts";
import { eachInvalid } from "../core/pod/checks.ts";

type IntOrString = number | string | undefined;

export function validatePositiveIntOrPercent(value: IntOrString, at: FieldPath, errors: FieldError[]): void {
  if (typeof value === "string") eachInvalid(errors, isValidPercent(value), at, value);
  else if ((value ?? 0) < 0) errors.push(invalidValue(at, value, "must be greater than or equal to 0"));
}

export function validateAtMostAll(value: IntOrString, at: FieldPath, errors: FieldError[]): void {
  if ((percentOf(value) ?? 0) > 100) errors.push(invalidValue(at, value, "must not be greater than 100%"));
}

/** Zero pods or zero percent. */
export function isNone(value: IntOrString): boolean {
  return typeof value === "string" ? percentOf(value) === 0 : (value ?? 0) === 0;
}
