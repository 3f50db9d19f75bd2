import { type FieldError, invalidValue, notSupported } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { percentOf } from "../../machinery/int-or-string/int-or-string.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { validateLabelSelector } from "../../machinery/selectors/validate.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { PodDisruptionBudget as PodDisruptionBudgetType } from "../schema/policy.v1.generated.ts";

export type PodDisruptionBudget = PodDisruptionBudgetType;

const EVICTION_POLICIES = ["AlwaysAllow", "IfHealthyBudget"];
const COUNTS = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const;
const NOT_NEGATIVE = "must be greater than or equal to 0";

/** How many of its pods may be away at once by eviction. */
export const PodDisruptionBudget = defineResource<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  scope: "Namespaced",
  shortNames: ["pdb"],
  definition: "policy.v1.PodDisruptionBudget",
  validateName: nameIsDNSSubdomain,
  prepareForCreate(object) {
    object.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  generationOf: ({ spec }) => spec,
  allowUnconditionalUpdate: false,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: (object, old) => take(object, old, "spec"),
      validate: validateStatus,
      resets: ["spec"],
    },
  },
  columns: [
    nameColumn,
    { name: "Min Available", type: "string", cell: ({ spec }) => String(spec?.minAvailable ?? "N/A") },
    { name: "Max Unavailable", type: "string", cell: ({ spec }) => String(spec?.maxUnavailable ?? "N/A") },
    { name: "Allowed Disruptions", type: "integer", cell: ({ status }) => status?.disruptionsAllowed ?? 0 },
    ageColumn,
  ],
});

function validateCount(value: number | string | undefined, path: FieldPath, errors: FieldError[]): void {
  if (typeof value === "number") {
    if (value < 0) errors.push(invalidValue(path, value, NOT_NEGATIVE));
  } else if (value !== undefined) {
    const percent = percentOf(value);
    if (percent === undefined) {
      errors.push(invalidValue(path, value, "must be an integer or percentage (e.g '5%%')"));
    } else if (percent > 100) errors.push(invalidValue(path, value, "must not be greater than 100%"));
  }
}

function validate({ spec = {} }: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(invalidValue(path, spec, "minAvailable and maxUnavailable cannot be both set"));
  }
  validateCount(minAvailable, path.child("minAvailable"), errors);
  validateCount(maxUnavailable, path.child("maxUnavailable"), errors);
  errors.push(...validateLabelSelector(spec.selector, path.child("selector")));
  if (unhealthyPodEvictionPolicy !== undefined && !EVICTION_POLICIES.includes(unhealthyPodEvictionPolicy)) {
    const at = path.child("unhealthyPodEvictionPolicy");
    errors.push(notSupported(at, unhealthyPodEvictionPolicy, EVICTION_POLICIES));
  }
  return errors;
}

function validateStatus({ status = {} }: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  for (const count of COUNTS) {
    const value = status[count] ?? 0;
    if (value < 0) errors.push(invalidValue(FieldPath.root("status", count), value, NOT_NEGATIVE));
  }
  return errors;
}
