import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type {
  MutatingAdmissionPolicy as MutatingAdmissionPolicyType,
  Mutation,
} from "../schema/admissionregistration.v1.generated.ts";
import { isBlank, validateMatchConditions, validateVariables } from "./expressions.ts";
import {
  defaultMatchResources,
  paramKindCell,
  validateMatchConstraints,
  validateMutatingOperations,
  validateParamKind,
} from "./match-resources.ts";
import { validateFailurePolicy } from "./validate-validating-admission-policy.ts";
import { validateReinvocationPolicy } from "./webhook.ts";

export type MutatingAdmissionPolicy = MutatingAdmissionPolicyType;

/** Expressions that change the objects of the requests that a binding applies them to. */
export const MutatingAdmissionPolicy = defineResource<MutatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicy",
  plural: "mutatingadmissionpolicies",
  scope: "Cluster",
  categories: ["api-extensions"],
  definition: "admissionregistration.v1.MutatingAdmissionPolicy",
  validateName: nameIsDNSSubdomain,
  defaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= "Fail";
    defaultMatchResources(spec.matchConstraints);
  },
  validate: (object) => validate(object),
  validateUpdate: validate,
  validatesAll: true,
  generationOf: ({ spec }) => spec,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn,
    { name: "Mutations", type: "integer", cell: ({ spec }) => spec?.mutations?.length ?? 0 },
    { name: "ParamKind", type: "string", cell: ({ spec }) => paramKindCell(spec?.paramKind) },
    ageColumn,
  ],
});

/** `old` is absent on create. */
function validate({ spec = {} }: MutatingAdmissionPolicy, old?: MutatingAdmissionPolicy): FieldError[] {
  const path = FieldPath.root("spec");
  const { matchConstraints, mutations = [], reinvocationPolicy = "" } = spec;
  const errors = [
    ...validateFailurePolicy(spec.failurePolicy, path.child("failurePolicy")),
    ...validateParamKind(spec.paramKind, path.child("paramKind")),
    ...validateMatchConstraints(matchConstraints, path.child("matchConstraints")),
    ...validateMutatingOperations(matchConstraints, path.child("matchConstraints")),
  ];
  const same =
    old !== undefined &&
    semanticEqual(spec.paramKind, old.spec?.paramKind) &&
    semanticEqual(spec.matchConditions, old.spec?.matchConditions);
  if (!same) errors.push(...validateMatchConditions(spec.matchConditions, path.child("matchConditions")));
  errors.push(...validateVariables(spec.variables, path.child("variables")));
  if (mutations.length === 0) {
    errors.push(required(path.child("mutations"), "mutations must contain at least one item"));
  }
  for (const [i, mutation] of mutations.entries()) {
    validateMutation(mutation, path.child("mutations").index(i), errors);
  }
  if (reinvocationPolicy === "") errors.push(required(path.child("reinvocationPolicy")));
  else errors.push(...validateReinvocationPolicy(reinvocationPolicy, path));
  return errors;
}

/** For each type of patch, the field that holds it. */
const PATCHES = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;

function validateMutation(mutation: Mutation, path: FieldPath, errors: FieldError[]): void {
  const { patchType = "" } = mutation;
  if (patchType === "") {
    errors.push(required(path.child("patchType")));
    return;
  }
  if (patchType !== "ApplyConfiguration" && patchType !== "JSONPatch") {
    errors.push(notSupported(path.child("patchType"), patchType, Object.keys(PATCHES)));
    return;
  }
  const own = PATCHES[patchType];
  const other = PATCHES[patchType === "JSONPatch" ? "ApplyConfiguration" : "JSONPatch"];
  const patch = mutation[own];
  if (!patch) errors.push(required(path.child(own), `must be specified when patchType is ${patchType}`));
  else if (isBlank(patch.expression)) errors.push(required(path.child(own, "expression")));
  if (mutation[other]) {
    const why = `must not be specified when patchType is ${patchType}`;
    errors.push(invalidValue(path.child(other), `{${other}}`, why));
  }
}
