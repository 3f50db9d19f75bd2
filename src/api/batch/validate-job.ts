/** The rules of a Job's spec, its own or a CronJob's template's. */
import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isDNS1123Label, isDomainPrefixedPath } from "../../machinery/names/names.ts";
import { labelSelectorOf } from "../../machinery/selectors/labels.ts";
import { validateLabelSelector } from "../../machinery/selectors/validate.ts";
import { SPEC } from "../apps/template.ts";
import { nonNegative } from "../core/pod/checks.ts";
import { selectorMismatch, validatePodTemplateSpec } from "../core/pod/validate-pod.ts";
import type { Job, JobSpec } from "../schema/batch.v1.generated.ts";
import { CONTROLLER_UID, JOB_NAME, OLD_CONTROLLER_UID, OLD_JOB_NAME } from "./job-defaults.ts";
import { validatePodFailurePolicy } from "./validate-pod-failure-policy.ts";
import { validateSuccessPolicy } from "./validate-success-policy.ts";

const MAX_INDEXED = 100_000;
const MAX_PARALLEL_INDEXED = 100_000;
const MAX_FAILED_WITHOUT_LIMIT = 10_000;

export function validateJob(job: Job): FieldError[] {
  const errors: FieldError[] = [];
  const spec = job.spec ?? ({} as JobSpec);
  validateGeneratedSelector(job, errors);
  validateJobSpec(spec, SPEC, errors);
  if (!spec.selector) errors.push(required(SPEC.child("selector")));
  else {
    const wrong = validateLabelSelector(spec.selector, SPEC.child("selector"));
    errors.push(...wrong);
    const labels = spec.template?.metadata?.labels;
    if (wrong.length === 0 && !labelSelectorOf(spec.selector).matches(labels ?? {})) {
      errors.push(selectorMismatch(SPEC, labels));
    }
  }
  if (spec.completionMode === "Indexed" && (spec.completions ?? 0) > 0) validateHostname(job, errors);
  return errors;
}

/** The labels and the selector that generateSelector made must not have been overruled. */
function validateGeneratedSelector({ metadata, spec }: Job, errors: FieldError[]): void {
  if (!spec || spec.manualSelector || !spec.selector) return;
  const { uid = "", name = "" } = metadata;
  if (uid === "") errors.push(required(FieldPath.root("metadata", "uid")));
  const labels = spec.template?.metadata?.labels ?? {};
  const path = SPEC.child("template", "metadata", "labels");
  const wanted: Record<string, string> = {
    [OLD_CONTROLLER_UID]: uid,
    [OLD_JOB_NAME]: name,
    [CONTROLLER_UID]: uid,
    [JOB_NAME]: name,
  };
  for (const [key, value] of Object.entries(wanted)) {
    const has = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (has === undefined) errors.push(required(path.key(key), `must be '${value}'`));
    else if (has !== value) errors.push(invalidValue(path.key(key), labels, `must be '${value}'`));
  }
  if (validateLabelSelector(spec.selector, SPEC).length > 0) return;
  if (!labelSelectorOf(spec.selector).matches(wanted)) {
    errors.push(invalidValue(SPEC.child("selector"), spec.selector, "`selector` not auto-generated"));
  }
}

/** Pods of an indexed job are called `<job>-<index>`, which must be a host name. */
function validateHostname({ metadata, spec }: Job, errors: FieldError[]): void {
  const last = `${metadata.name}-${(spec?.completions ?? 1) - 1}`;
  if (isDNS1123Label(last).length === 0) return;
  const why = "will not able to create pod with invalid DNS label as hostname";
  errors.push(invalidValue(FieldPath.root("metadata", "name"), metadata.name, `${why}: ${last}`));
}

export function validateJobSpec(spec: JobSpec, at: FieldPath, errors: FieldError[]): void {
  for (const name of [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
  ] as const) {
    nonNegative(errors, spec[name], at, name);
  }
  if (spec.managedBy !== undefined) {
    errors.push(...isDomainPrefixedPath(at.child("managedBy"), spec.managedBy));
    if (spec.managedBy.length > 63) {
      const body = "Too long: may not be more than 63 bytes";
      errors.push({ type: "FieldValueTooLong", field: at.child("managedBy").toString(), body });
    }
  }
  validateIndexes(spec, at, errors);
  const { podFailurePolicy, successPolicy } = spec;
  if (podFailurePolicy) {
    validatePodFailurePolicy(podFailurePolicy, spec, at.child("podFailurePolicy"), errors);
  }
  if (successPolicy) validateSuccessPolicy(successPolicy, spec, at.child("successPolicy"), errors);
  validateReplacement(spec, at, errors);
  validatePodTemplateSpec(spec.template, at.child("template"), errors);
  validateRestartPolicy(spec, at, errors);
}

function validateIndexes(spec: JobSpec, at: FieldPath, errors: FieldError[]): void {
  const { completionMode: mode, completions, parallelism = 0, maxFailedIndexes } = spec;
  if (mode !== undefined && mode !== "NonIndexed" && mode !== "Indexed") {
    errors.push(notSupported(at.child("completionMode"), mode, ["NonIndexed", "Indexed"]));
  }
  if (mode === "Indexed") {
    if (completions === undefined) {
      errors.push(required(at.child("completions"), "when completion mode is Indexed"));
    }
    if (parallelism > MAX_PARALLEL_INDEXED) {
      const why = `must be less than or equal to ${MAX_PARALLEL_INDEXED} when completion mode is Indexed`;
      errors.push(invalidValue(at.child("parallelism"), parallelism, why));
    }
    validateFailedIndexes(spec, at, errors);
    return;
  }
  if (spec.backoffLimitPerIndex !== undefined) {
    errors.push(required(at.child("backoffLimitPerIndex"), "requires indexed completion mode"));
  }
  if (maxFailedIndexes !== undefined) {
    errors.push(required(at.child("maxFailedIndexes"), "requires indexed completion mode"));
  }
}

function validateFailedIndexes(spec: JobSpec, at: FieldPath, errors: FieldError[]): void {
  const { completions = 0, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const path = at.child("maxFailedIndexes");
  if (maxFailedIndexes !== undefined) {
    if (backoffLimitPerIndex === undefined) {
      errors.push(required(at.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
    }
    if (maxFailedIndexes > MAX_INDEXED) {
      errors.push(invalidValue(path, maxFailedIndexes, `must be less than or equal to ${MAX_INDEXED}`));
    }
    nonNegative(errors, maxFailedIndexes, at, "maxFailedIndexes");
    if (spec.completions !== undefined && maxFailedIndexes > completions) {
      errors.push(invalidValue(path, maxFailedIndexes, "must be less than or equal to completions"));
    }
  }
  if (backoffLimitPerIndex === undefined || completions <= MAX_INDEXED) return;
  if (maxFailedIndexes === undefined) {
    const why = `must be specified when completions is above ${MAX_INDEXED}`;
    errors.push(required(path, why));
  } else if (maxFailedIndexes > MAX_FAILED_WITHOUT_LIMIT) {
    const why = `must be less than or equal to ${MAX_FAILED_WITHOUT_LIMIT} when completions are above ${MAX_INDEXED} and used with backoff limit per index`;
    errors.push(invalidValue(path, maxFailedIndexes, why));
  }
  if (parallelism > MAX_FAILED_WITHOUT_LIMIT) {
    const why = `must be less than or equal to ${MAX_FAILED_WITHOUT_LIMIT} when completions are above ${MAX_INDEXED} and used with backoff limit per index`;
    errors.push(invalidValue(at.child("parallelism"), parallelism, why));
  }
}

function validateReplacement(spec: JobSpec, at: FieldPath, errors: FieldError[]): void {
  const policy = spec.podReplacementPolicy;
  if (policy === undefined) return;
  const path = at.child("podReplacementPolicy");
  if (spec.podFailurePolicy) {
    if (policy !== "Failed") errors.push(notSupported(path, policy, ["Failed"]));
  } else if (policy !== "Failed" && policy !== "TerminatingOrFailed") {
    errors.push(notSupported(path, policy, ["Failed", "TerminatingOrFailed"]));
  }
}

function validateRestartPolicy(spec: JobSpec, at: FieldPath, errors: FieldError[]): void {
  const policy = spec.template?.spec?.restartPolicy ?? "";
  const path = at.child("template", "spec", "restartPolicy");
  if (policy === "" || policy === "Always") {
    const why = 'valid values: "OnFailure", "Never"';
    errors.push(required(path, why));
  } else if (policy !== "OnFailure" && policy !== "Never") {
    errors.push(notSupported(path, policy, ["OnFailure", "Never"]));
  } else if (spec.podFailurePolicy && policy !== "Never") {
    errors.push(invalidValue(path, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
}
