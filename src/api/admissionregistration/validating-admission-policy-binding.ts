import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type { ValidatingAdmissionPolicyBinding as ValidatingAdmissionPolicyBindingType } from "../schema/admissionregistration.v1.generated.ts";
import {
  defaultMatchResources,
  paramRefCell,
  validateMatchResources,
  validateParamRef,
  validatePolicyName,
} from "./match-resources.ts";

export type ValidatingAdmissionPolicyBinding = ValidatingAdmissionPolicyBindingType;

/** Applies a policy to requests, with parameters, and says what follows where it does not hold. */
export const ValidatingAdmissionPolicyBinding = defineResource<ValidatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
  scope: "Cluster",
  categories: ["api-extensions"],
  definition: "admissionregistration.v1.ValidatingAdmissionPolicyBinding",
  validateName: nameIsDNSSubdomain,
  defaults: ({ spec }) => defaultMatchResources(spec?.matchResources),
  validate,
  generationOf: ({ spec }) => spec,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn,
    { name: "PolicyName", type: "string", cell: ({ spec }) => spec?.policyName ?? "" },
    { name: "ParamRef", type: "string", cell: ({ spec }) => paramRefCell(spec?.paramRef) },
    ageColumn,
  ],
});

const ACTIONS = ["Audit", "Deny", "Warn"];

function validate(binding: ValidatingAdmissionPolicyBinding): FieldError[] {
  const spec: Partial<ValidatingAdmissionPolicyBinding["spec"]> = binding.spec ?? {};
  const path = FieldPath.root("spec");
  return [
    ...validatePolicyName(spec.policyName, path.child("policyName")),
    ...validateParamRef(spec.paramRef, path.child("paramRef")),
    // Upstream misspells the field here.
    ...validateMatchResources(spec.matchResources, path.child("matchResouces")),
    ...validateActions(spec.validationActions ?? [], path.child("validationActions")),
  ];
}

function validateActions(actions: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, action] of actions.entries()) {
    if (!ACTIONS.includes(action)) errors.push(notSupported(path.index(i), action, ACTIONS));
    if (actions.indexOf(action) < i) errors.push(duplicate(path.index(i), action));
  }
  if (actions.includes("Deny") && actions.includes("Warn")) {
    const why =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    errors.push(invalidValue(path, actions, why));
  }
  if (actions.length === 0) errors.push(required(path, "at least one validation action is required"));
  return errors;
}
