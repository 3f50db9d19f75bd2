/** What Role and ClusterRole share. */
import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import type { KubeObject } from "../object.ts";
import type { Column } from "../resource.ts";
import type { PolicyRule } from "../schema/rbac.v1.generated.ts";

export const createdColumn: Column<KubeObject> = {
  name: "Created At",
  type: "string",
  cell: ({ metadata }) => metadata.creationTimestamp,
};

export function validateRules(rules: readonly PolicyRule[], namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, rule] of rules.entries()) {
    const path = FieldPath.root("rules").index(i);
    const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
    if ((rule.verbs ?? []).length === 0) {
      errors.push(required(path.child("verbs"), "verbs must contain at least one value"));
    }
    if (nonResourceURLs.length > 0) {
      const at = path.child("nonResourceURLs");
      if (namespaced) {
        errors.push(invalidValue(at, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
      }
      if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
        const why = "rules cannot apply to both regular resources and non-resource URLs";
        errors.push(invalidValue(at, nonResourceURLs, why));
      }
      continue;
    }
    if (apiGroups.length === 0) {
      errors.push(required(path.child("apiGroups"), "resource rules must supply at least one api group"));
    }
    if (resources.length === 0) {
      errors.push(required(path.child("resources"), "resource rules must supply at least one resource"));
    }
  }
  return errors;
}
