import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { keepMetadata } from "../core/keep-metadata.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { ValidatingAdmissionPolicy as ValidatingAdmissionPolicyType } from "../schema/admissionregistration.v1.generated.ts";
import { defaultMatchResources, paramKindCell } from "./match-resources.ts";
import {
  validateValidatingAdmissionPolicy,
  validateValidatingAdmissionPolicyStatus,
} from "./validate-validating-admission-policy.ts";

export type ValidatingAdmissionPolicy = ValidatingAdmissionPolicyType;

/** Expressions that must hold for the requests that a binding applies them to. */
export const ValidatingAdmissionPolicy = defineResource<ValidatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  scope: "Cluster",
  categories: ["api-extensions"],
  definition: "admissionregistration.v1.ValidatingAdmissionPolicy",
  validateName: nameIsDNSSubdomain,
  defaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= "Fail";
    defaultMatchResources(spec.matchConstraints);
  },
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate: (object) => validateValidatingAdmissionPolicy(object),
  validateUpdate: (object, old) => validateValidatingAdmissionPolicy(object, old),
  validatesAll: true,
  generationOf: ({ spec }) => spec,
  allowUnconditionalUpdate: false,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare(object, old) {
        take(object, old, "spec");
        keepMetadata(object, old);
      },
      validate: validateValidatingAdmissionPolicyStatus,
      resets: ["metadata", "spec"],
    },
  },
  columns: [
    nameColumn,
    { name: "Validations", type: "integer", cell: ({ spec }) => spec?.validations?.length ?? 0 },
    { name: "ParamKind", type: "string", cell: ({ spec }) => paramKindCell(spec?.paramKind) },
    ageColumn,
  ],
});
