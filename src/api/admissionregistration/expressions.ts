/**
 * What can be said of expressions without compiling them. Whether they are CEL that type-checks is for admission, which
 * runs them, to find out.
 */
import {
  duplicate,
  type FieldError,
  invalidValue,
  required,
  tooMany,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { isQualifiedName } from "../../machinery/names/names.ts";
import type { MatchCondition, Variable } from "../schema/admissionregistration.v1.generated.ts";

const CONDITIONS_MAX = 64;
const CEL_RESERVED =
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  );

export function hasNewlines(text: string): boolean {
  return text.includes("\n") || text.includes("\r");
}

export function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === "";
}

export function isCELIdentifier(name: string): boolean {
  return /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !CEL_RESERVED.includes(name);
}

export function validateMatchConditions(
  conditions: readonly MatchCondition[] = [],
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany(path, conditions.length, CONDITIONS_MAX));
  const names = new Set<string>();
  for (const [i, { expression, name = "" }] of conditions.entries()) {
    const at = path.index(i);
    if (isBlank(expression)) errors.push(required(at.child("expression")));
    if (name === "") {
      errors.push(required(at.child("name")));
      continue;
    }
    for (const text of isQualifiedName(name)) errors.push(invalidValue(at.child("name"), name, text));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
  }
  return errors;
}

export function validateVariables(variables: readonly Variable[] = [], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, { name = "", expression }] of variables.entries()) {
    const at = path.index(i);
    if (isBlank(name)) errors.push(required(at.child("name"), "name is not specified"));
    else if (!isCELIdentifier(name)) {
      errors.push(invalidValue(at.child("name"), name, "name is not a valid CEL identifier"));
    }
    if (isBlank(expression)) errors.push(required(at.child("expression"), "expression is not specified"));
  }
  return errors;
}
