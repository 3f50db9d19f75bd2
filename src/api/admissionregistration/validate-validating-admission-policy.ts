import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { byteLength, isQualifiedName } from "../../machinery/names/names.ts";
import { validateConditions } from "../core/validate-conditions.ts";
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  Validation,
} from "../schema/admissionregistration.v1.generated.ts";
import { hasNewlines, isBlank, validateMatchConditions, validateVariables } from "./expressions.ts";
import { validateMatchConstraints, validateParamKind } from "./match-resources.ts";
import { FAILURE_POLICIES } from "./webhook.ts";

const ANNOTATIONS_MAX = 20;
const ANNOTATION_EXPRESSION_MAX = 5 * 1024;
const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

export function validateFailurePolicy(policy: string | undefined, path: FieldPath): FieldError[] {
  if (policy === undefined) return [required(path)];
  return FAILURE_POLICIES.includes(policy) ? [] : [notSupported(path, policy, FAILURE_POLICIES)];
}

/** `old` is absent on create. */
export function validateValidatingAdmissionPolicy(
  { metadata, spec = {} }: ValidatingAdmissionPolicy,
  old?: ValidatingAdmissionPolicy,
): FieldError[] {
  const path = FieldPath.root("spec");
  const { validations = [], auditAnnotations = [] } = spec;
  const errors = [
    ...validateFailurePolicy(spec.failurePolicy, path.child("failurePolicy")),
    ...validateParamKind(spec.paramKind, path.child("paramKind")),
    ...validateMatchConstraints(spec.matchConstraints, path.child("matchConstraints")),
  ];
  const same =
    old !== undefined &&
    semanticEqual(spec.paramKind, old.spec?.paramKind) &&
    semanticEqual(spec.matchConditions, old.spec?.matchConditions);
  if (!same) errors.push(...validateMatchConditions(spec.matchConditions, path.child("matchConditions")));
  errors.push(...validateVariables(spec.variables, path.child("variables")));
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = "validations or auditAnnotations must contain at least one item";
    errors.push(required(path.child("validations"), why), required(path.child("auditAnnotations"), why));
    return errors;
  }
  for (const [i, validation] of validations.entries()) {
    validateValidation(validation, path.child("validations").index(i), errors);
  }
  validateAuditAnnotations(metadata.name ?? "", auditAnnotations, path.child("auditAnnotations"), errors);
  return errors;
}

function validateValidation(validation: Validation, path: FieldPath, errors: FieldError[]): void {
  const { expression, message = "", messageExpression = "", reason } = validation;
  if (isBlank(expression)) errors.push(required(path.child("expression"), "expression is not specified"));
  if (messageExpression !== "" && isBlank(messageExpression)) {
    const why = "must be non-empty if specified";
    errors.push(invalidValue(path.child("messageExpression"), messageExpression, why));
  }
  if (message !== "" && isBlank(message)) {
    errors.push(invalidValue(path.child("message"), message, "message must be non-empty if specified"));
  } else if (hasNewlines(message.trim())) {
    errors.push(invalidValue(path.child("message"), message, "message must not contain line breaks"));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(path.child("reason"), reason, REASONS));
  }
}

function validateAuditAnnotations(
  policy: string,
  annotations: readonly AuditAnnotation[],
  path: FieldPath,
  errors: FieldError[],
): void {
  if (annotations.length > ANNOTATIONS_MAX) {
    const why = `must not have more than ${ANNOTATIONS_MAX} auditAnnotations`;
    errors.push(invalidValue(path, annotations, why));
  }
  const keys = new Set<string>();
  for (const [i, { key = "", valueExpression = "" }] of annotations.entries()) {
    const at = path.index(i);
    if (policy === "") {
      errors.push(invalidValue(at.child("key"), key, "requires metadata.name be non-empty"));
    } else {
      const whole = `${policy}/${key}`;
      for (const text of isQualifiedName(whole)) errors.push(invalidValue(at.child("key"), whole, text));
    }
    if (isBlank(valueExpression)) {
      errors.push(required(at.child("valueExpression"), "valueExpression is not specified"));
    } else if (byteLength(valueExpression.trim()) > ANNOTATION_EXPRESSION_MAX) {
      const why = `must not exceed ${ANNOTATION_EXPRESSION_MAX} bytes in length`;
      errors.push(required(at.child("valueExpression"), why));
    }
    if (keys.has(key)) errors.push(duplicate(at.child("key"), key));
    keys.add(key);
  }
}

export function validateValidatingAdmissionPolicyStatus({ status }: ValidatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("status");
  const warnings = path.child("typeChecking", "expressionWarnings");
  for (const [i, { warning = "", fieldRef = "" }] of (
    status?.typeChecking?.expressionWarnings ?? []
  ).entries()) {
    if (warning === "") errors.push(required(warnings.index(i).child("warning")));
    if (isBlank(fieldRef)) errors.push(required(warnings.index(i).child("fieldRef")));
  }
  errors.push(...validateConditions(status?.conditions ?? [], path.child("conditions")));
  return errors;
}
