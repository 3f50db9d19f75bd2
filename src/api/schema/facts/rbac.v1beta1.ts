import type { Facts } from "../facts.ts";

export const rbacV1beta1: Facts = {
  id: "rbac.v1beta1",
  group: "rbac.authorization.k8s.io",
  unserved: true,
  messages: `
  AggregationRule = rbac.v1
  ClusterRole@ = rbac.v1
  ClusterRoleBinding@ = rbac.v1
  ClusterRoleBindingList@ = rbac.v1
  ClusterRoleList@ = rbac.v1
  PolicyRule = rbac.v1
  Role@ = rbac.v1
  RoleBinding@ = rbac.v1
  RoleBindingList@ = rbac.v1
  RoleList@ = rbac.v1
  RoleRef = rbac.v1
  Subject = rbac.v1
  `,
};
