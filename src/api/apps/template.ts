/** What every workload kind of this group says of its selector and template. */
import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { labelSelectorOf } from "../../machinery/selectors/labels.ts";
import { validateLabelSelector } from "../../machinery/selectors/validate.ts";
import { selectorMismatch, validatePodTemplateSpec } from "../core/pod/validate-pod.ts";
import { validateTemplateRestartPolicy } from "../core/pod/validate-spec.ts";
import { specWarnings } from "../core/pod/warnings.ts";
import type { KubeObject } from "../object.ts";
import type { ScaleSubresource } from "../resource.ts";
import type { PodTemplateSpec } from "../schema/core.v1.generated.ts";
import type { LabelSelector } from "../schema/meta.v1.generated.ts";

export const SPEC = FieldPath.root("spec");
export const STATUS = FieldPath.root("status");

export interface Templated {
  selector?: LabelSelector;
  template?: PodTemplateSpec;
}

/** The selector must say something: an empty one would take every pod of the namespace. */
export function validateSelector(
  selector: LabelSelector | undefined,
  kind: string,
  errors: FieldError[],
): void {
  const path = SPEC.child("selector");
  if (!selector) {
    errors.push(required(path));
    return;
  }
  errors.push(...validateLabelSelector(selector, path));
  if (isEmptySelector(selector)) {
    errors.push(invalidValue(path, selector, `empty selector is invalid for ${kind}`));
  }
}

function isEmptySelector(selector: LabelSelector): boolean {
  const labels = Object.keys(selector.matchLabels ?? {}).length;
  return labels + (selector.matchExpressions?.length ?? 0) === 0;
}

/** No selector takes nothing; what is wrong with one is told elsewhere. */
function mayMatch(selector: LabelSelector | undefined, labels: Record<string, string> = {}): boolean {
  if (!selector) return false;
  if (isEmptySelector(selector) || validateLabelSelector(selector, SPEC).length > 0) return true;
  return labelSelectorOf(selector).matches(labels);
}

/** The template, and that the selector takes the pods it makes. */
export function validateTemplate(
  { selector, template }: Templated,
  errors: FieldError[],
  restartPolicy = true,
): void {
  const labels = template?.metadata?.labels;
  if (!mayMatch(selector, labels)) errors.push(selectorMismatch(SPEC, labels));
  validatePodTemplateSpec(template, SPEC.child("template"), errors);
  if (restartPolicy) validateTemplateRestartPolicy(template?.spec, ["Always"], SPEC, errors);
  if (template?.spec?.activeDeadlineSeconds !== undefined) {
    errors.push({
      type: "FieldValueForbidden",
      field: SPEC.child("template", "spec", "activeDeadlineSeconds").toString(),
      body: "Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
    });
  }
}

export function validateSameSelector(now: Templated | undefined, was: Templated | undefined): FieldError[] {
  if (semanticEqual(now?.selector, was?.selector)) return [];
  return [invalidValue(SPEC.child("selector"), now?.selector ?? null, "field is immutable")];
}

export function templateWarnings(spec: Templated | undefined): string[] {
  const out: string[] = [];
  const template = spec?.template;
  if (template?.spec) {
    specWarnings(template.spec, template.metadata?.annotations ?? {}, "spec.template", out);
  }
  return out;
}

interface Scaled extends KubeObject {
  spec?: { replicas?: number; selector?: LabelSelector };
  status?: { replicas?: number };
}

/** The scale of a kind with `spec.replicas`, `status.replicas` and a label selector. */
export function scaleSubresource<T extends Scaled>(): ScaleSubresource<T> {
  return {
    acts: "scale",
    replicas: ({ spec }) => spec?.replicas ?? 0,
    setReplicas(object, replicas) {
      if (object.spec) object.spec.replicas = replicas;
    },
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => labelSelectorOf(spec?.selector).toString(),
    replicasPath: "spec.replicas",
  };
}
