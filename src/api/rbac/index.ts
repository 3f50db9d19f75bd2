import { ClusterRole } from "./cluster-role.ts";
import { ClusterRoleBinding } from "./cluster-role-binding.ts";
import { Role } from "./role.ts";
import { RoleBinding } from "./role-binding.ts";

export { ClusterRole, ClusterRoleBinding, Role, RoleBinding };
export const resources = [ClusterRoleBinding, ClusterRole, RoleBinding, Role];
