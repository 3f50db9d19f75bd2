/** Which failures of a pod count against a Job's retries. */
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooMany,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { isQualifiedName } from "../../machinery/names/names.ts";
import { eachInvalid } from "../core/pod/checks.ts";
import type { JobSpec, PodFailurePolicy, PodFailurePolicyRule } from "../schema/batch.v1.generated.ts";

const MAX_RULES = 20;
const MAX_PATTERNS = 20;
const MAX_VALUES = 255;
const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const STATUSES = ["False", "True", "Unknown"];

export function validatePodFailurePolicy(
  { rules = [] }: PodFailurePolicy,
  spec: JobSpec,
  at: FieldPath,
  errors: FieldError[],
): void {
  const path = at.child("rules");
  if (rules.length > MAX_RULES) errors.push(tooMany(path, rules.length, MAX_RULES));
  const names = new Set<string>();
  for (const list of ["containers", "initContainers"] as const) {
    for (const { name } of spec.template?.spec?.[list] ?? []) names.add(name);
  }
  rules.forEach((rule, i) => {
    validateRule(rule, spec, names, path.index(i), errors);
  });
}

function validateRule(
  rule: PodFailurePolicyRule,
  spec: JobSpec,
  containers: ReadonlySet<string>,
  at: FieldPath,
  errors: FieldError[],
): void {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  if (!action) errors.push(required(at.child("action"), `valid values: ${JSON.stringify(ACTIONS)}`));
  else if (!ACTIONS.includes(action)) errors.push(notSupported(at.child("action"), action, ACTIONS));
  else if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalidValue(at.child("action"), action, "requires the backoffLimitPerIndex to be set"));
  }
  if (onExitCodes) validateExitCodes(onExitCodes, containers, at.child("onExitCodes"), errors);
  const path = at.child("onPodConditions");
  if (onPodConditions.length > MAX_PATTERNS) errors.push(tooMany(path, onPodConditions.length, MAX_PATTERNS));
  onPodConditions.forEach(({ type, status }, i) => {
    eachInvalid(errors, isQualifiedName(type ?? ""), path.index(i).child("type"), type ?? "");
    if (!status)
      errors.push(required(path.index(i).child("status"), `valid values: ${JSON.stringify(STATUSES)}`));
    else if (!STATUSES.includes(status)) {
      errors.push(notSupported(path.index(i).child("status"), status, STATUSES));
    }
  });
  if (onExitCodes && onPodConditions.length > 0) {
    const why = "specifying both OnExitCodes and OnPodConditions is not supported";
    errors.push(invalidValue(at, null, why));
  }
  if (!onExitCodes && onPodConditions.length === 0) {
    errors.push(invalidValue(at, null, "specifying one of OnExitCodes and OnPodConditions is required"));
  }
}

function validateExitCodes(
  { containerName, operator, values = [] }: NonNullable<PodFailurePolicyRule["onExitCodes"]>,
  containers: ReadonlySet<string>,
  at: FieldPath,
  errors: FieldError[],
): void {
  if (!operator) errors.push(required(at.child("operator"), 'valid values: ["In","NotIn"]'));
  else if (operator !== "In" && operator !== "NotIn") {
    errors.push(notSupported(at.child("operator"), operator, ["In", "NotIn"]));
  }
  if (containerName !== undefined && !containers.has(containerName)) {
    const why = "must be one of the container or initContainer names in the pod template";
    errors.push(invalidValue(at.child("containerName"), containerName, why));
  }
  const path = at.child("values");
  if (values.length === 0) errors.push(invalidValue(path, values, "at least one value is required"));
  else if (values.length > MAX_VALUES) errors.push(tooMany(path, values.length, MAX_VALUES));
  const seen = new Set<number>();
  values.forEach((value, i) => {
    if (operator === "In" && value === 0) {
      errors.push(invalidValue(path.index(i), value, "must not be 0 for the In operator"));
    }
    if (seen.has(value)) errors.push(duplicate(path.index(i), value));
    seen.add(value);
  });
  if (values.some((value, i) => i > 0 && value < (values[i - 1] as number))) {
    errors.push(invalidValue(path, values, "must be ordered"));
  }
}
