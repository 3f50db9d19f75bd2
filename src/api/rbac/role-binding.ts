import { nameIsPathSegment } from "../../machinery/names/names.ts";
import { defineResource } from "../resource.ts";
import type { RoleBinding as RoleBindingType } from "../schema/rbac.v1.generated.ts";
import { bindingColumns, bindingDefaults, validateBinding, validateBindingUpdate } from "./binding.ts";

export type RoleBinding = RoleBindingType;

/** Gives a role's permissions within one namespace. */
export const RoleBinding = defineResource<RoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  scope: "Namespaced",
  definition: "rbac.v1.RoleBinding",
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  defaults: bindingDefaults,
  validate: (binding) => validateBinding(binding, true),
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
});
