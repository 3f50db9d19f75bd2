import type { Facts } from "../facts.ts";

export const rbacV1alpha1: Facts = {
  id: "rbac.v1alpha1",
  group: "rbac.authorization.k8s.io",
  unserved: true,
  messages: `
  AggregationRule = rbac.v1
  ClusterRole@ = rbac.v1
  ClusterRoleBinding@ = rbac.v1
  ClusterRoleBindingList@ = rbac.v1
  ClusterRoleList@ = rbac.v1
  PolicyRule: 1 verbs [string], 3 apiGroups [string], 4 resources [string], 5 resourceNames [string],
    6 nonResourceURLs [string]
  Role@ = rbac.v1
  RoleBinding@ = rbac.v1
  RoleBindingList@ = rbac.v1
  RoleList@ = rbac.v1
  RoleRef = rbac.v1
  Subject: 1 kind string, 2 apiVersion string, 3 name string, 4 namespace string
  `,
};
