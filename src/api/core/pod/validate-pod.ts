/** The rules of a whole pod on create, and of a template inside another kind. */
import { type FieldError, forbiddenField, invalidValue } from "../../../machinery/field/field-error.ts";
import { FieldPath } from "../../../machinery/field/path.ts";
import type { Container, Pod, PodSpec, PodTemplateSpec } from "../../schema/core.v1.generated.ts";
import { type Rules, rulesOf } from "./checks.ts";
import { validatePodAnnotations, validateProfilesMatchAnnotations } from "./validate-annotations.ts";
import { validateImageSpace } from "./validate-containers.ts";
import { validatePodSpec } from "./validate-spec.ts";
import { validateTemplateMetadata } from "./validate-template-metadata.ts";

const SPEC = FieldPath.root("spec");
const ANNOTATIONS = FieldPath.root("metadata", "annotations");
const EMPTY_SPEC: PodSpec = { containers: [] };

export function validatePodCreate(pod: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const spec = pod.spec ?? EMPTY_SPEC;
  validatePodContent(pod, errors);
  if (spec.ephemeralContainers && spec.ephemeralContainers.length > 0) {
    errors.push(forbiddenField(SPEC.child("ephemeralContainers"), "cannot be set on create"));
  }
  if (spec.nodeName && spec.schedulingGates && spec.schedulingGates.length > 0) {
    const why = "cannot be set until all schedulingGates have been cleared";
    errors.push(forbiddenField(SPEC.child("nodeName"), why));
  }
  if (pod.metadata?.annotations)
    validateProfilesMatchAnnotations(pod.metadata.annotations, spec, SPEC, errors);
  return errors;
}

/** What holds of a pod at any time: its own annotations and its spec. */
export function validatePodContent(pod: Pod, errors: FieldError[]): void {
  const spec = pod.spec ?? EMPTY_SPEC;
  const rules = rulesOf(errors, true, pod.metadata?.name ?? "");
  if (pod.metadata?.annotations) validatePodAnnotations(pod.metadata.annotations, spec, ANNOTATIONS, rules);
  validatePodSpec(spec, SPEC, rules);
  if (!spec.serviceAccountName) validateNoTokens(spec, rules);
  for (let i = 0; i < spec.containers.length; i++) {
    validateImageSpace(spec.containers[i] as Container, SPEC, rules, "containers", i);
  }
  const init = spec.initContainers;
  if (init) {
    for (let i = 0; i < init.length; i++) {
      validateImageSpace(init[i] as Container, SPEC, rules, "initContainers", i);
    }
  }
}

function validateNoTokens(spec: PodSpec, { errors }: Rules): void {
  spec.volumes?.forEach(({ projected }, i) => {
    projected?.sources?.forEach(({ serviceAccountToken }, j) => {
      if (!serviceAccountToken) return;
      const path = SPEC.child("volumes").index(i).child("projected", "sources").index(j);
      const why = "must not be specified when serviceAccountName is not set";
      errors.push(forbiddenField(path.child("serviceAccountToken"), why));
    });
  });
}

/** A template at `at` (`spec.template`), its labels and annotations too. */
export function validatePodTemplateSpec(
  template: PodTemplateSpec | undefined,
  at: FieldPath,
  errors: FieldError[],
): void {
  const rules = rulesOf(errors, false);
  const spec = template?.spec ?? EMPTY_SPEC;
  validateTemplateMetadata(template?.metadata, at.child("metadata"), errors);
  if (template?.metadata?.annotations) {
    validatePodAnnotations(template.metadata.annotations, spec, at.child("annotations"), rules);
  }
  validatePodSpec(spec, at.child("spec"), rules);
  if (template?.metadata?.annotations) {
    validateProfilesMatchAnnotations(template.metadata.annotations, spec, at.child("spec"), errors);
  }
  if (spec.ephemeralContainers && spec.ephemeralContainers.length > 0) {
    const path = at.child("spec", "ephemeralContainers");
    errors.push(forbiddenField(path, "ephemeral containers not allowed in pod template"));
  }
}

/** Whether a selector of `matchLabels` alone, or with expressions, takes the template's labels. */
export function selectorMismatch(at: FieldPath, labels: unknown): FieldError {
  return invalidValue(
    at.child("template", "metadata", "labels"),
    labels ?? null,
    "`selector` does not match template `labels`",
  );
}
