import { nameIsPathSegment } from "../../machinery/names/names.ts";
import { defineResource } from "../resource.ts";
import type { ClusterRoleBinding as ClusterRoleBindingType } from "../schema/rbac.v1.generated.ts";
import { bindingColumns, bindingDefaults, validateBinding, validateBindingUpdate } from "./binding.ts";

export type ClusterRoleBinding = ClusterRoleBindingType;

/** Gives a cluster role's permissions everywhere. */
export const ClusterRoleBinding = defineResource<ClusterRoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  scope: "Cluster",
  definition: "rbac.v1.ClusterRoleBinding",
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  defaults: bindingDefaults,
  validate: (binding) => validateBinding(binding, false),
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
});
