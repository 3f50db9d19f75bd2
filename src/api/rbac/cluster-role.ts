import { type FieldError, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsPathSegment } from "../../machinery/names/names.ts";
import { validateLabelSelector } from "../../machinery/selectors/validate.ts";
import { nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type { ClusterRole as ClusterRoleType } from "../schema/rbac.v1.generated.ts";
import { createdColumn, validateRules } from "./policy-rules.ts";

export type ClusterRole = ClusterRoleType;

/** What may be done with which resources of the whole cluster, and with paths that are no resources. */
export const ClusterRole = defineResource<ClusterRole>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  scope: "Cluster",
  definition: "rbac.v1.ClusterRole",
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  validate: (role) => [...validateRules(role.rules ?? [], false), ...validateAggregation(role)],
  columns: [nameColumn, createdColumn],
});

function validateAggregation({ aggregationRule }: ClusterRole): FieldError[] {
  if (!aggregationRule) return [];
  const path = FieldPath.root("aggregationRule", "clusterRoleSelectors");
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    return [required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")];
  }
  return selectors.flatMap((selector, i) => validateLabelSelector(selector, path.index(i)));
}
