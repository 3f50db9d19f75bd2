import { nameIsPathSegment } from "../../machinery/names/names.ts";
import { nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type { Role as RoleType } from "../schema/rbac.v1.generated.ts";
import { createdColumn, validateRules } from "./policy-rules.ts";

export type Role = RoleType;

/** What may be done with which resources of one namespace. */
export const Role = defineResource<Role>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  scope: "Namespaced",
  definition: "rbac.v1.Role",
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  validate: ({ rules = [] }) => validateRules(rules, true),
  columns: [nameColumn, createdColumn],
});
