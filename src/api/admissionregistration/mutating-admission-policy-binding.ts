import type { FieldError } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type { MutatingAdmissionPolicyBinding as MutatingAdmissionPolicyBindingType } from "../schema/admissionregistration.v1.generated.ts";
import {
  defaultMatchResources,
  paramRefCell,
  validateMatchResources,
  validateMutatingOperations,
  validateParamRef,
  validatePolicyName,
} from "./match-resources.ts";

export type MutatingAdmissionPolicyBinding = MutatingAdmissionPolicyBindingType;

/** Applies a policy to requests, with parameters. */
export const MutatingAdmissionPolicyBinding = defineResource<MutatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicyBinding",
  plural: "mutatingadmissionpolicybindings",
  scope: "Cluster",
  categories: ["api-extensions"],
  definition: "admissionregistration.v1.MutatingAdmissionPolicyBinding",
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

function validate({ spec = {} }: MutatingAdmissionPolicyBinding): FieldError[] {
  const path = FieldPath.root("spec");
  const match = path.child("matchResources");
  return [
    ...validatePolicyName(spec.policyName, path.child("policyName")),
    ...validateParamRef(spec.paramRef, path.child("paramRef")),
    ...validateMatchResources(spec.matchResources, match),
    ...validateMutatingOperations(spec.matchResources, match),
  ];
}
