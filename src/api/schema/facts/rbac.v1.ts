import type { Facts } from "../facts.ts";

export const rbacV1: Facts = {
  id: "rbac.v1",
  group: "rbac.authorization.k8s.io",
  messages: `
  AggregationRule: 1 clusterRoleSelectors
  ClusterRole@: 1 metadata, 2 rules, 3 aggregationRule
  ClusterRoleBinding@: 1 metadata, 2 subjects, 3 roleRef
  ClusterRoleBindingList@: 1 metadata, 2 items
  ClusterRoleList@: 1 metadata, 2 items
  PolicyRule: 1 verbs, 2 apiGroups, 3 resources, 4 resourceNames, 5 nonResourceURLs
  Role@: 1 metadata, 2 rules
  RoleBinding@: 1 metadata, 2 subjects, 3 roleRef
  RoleBindingList@: 1 metadata, 2 items
  RoleList@: 1 metadata, 2 items
  RoleRef: 1 apiGroup, 2 kind, 3 name
  Subject: 1 kind, 2 apiGroup, 3 name, 4 namespace
  `,
  merging: `
  AggregationRule: clusterRoleSelectors atomic
  ClusterRole: rules atomic
  ClusterRoleBinding: subjects atomic
  PolicyRule: apiGroups atomic, nonResourceURLs atomic, resourceNames atomic, resources atomic,
    verbs atomic
  Role: rules atomic
  RoleBinding: subjects atomic
  `,
  atomic: `
  RoleRef, Subject
  `,
  keptEmpty: `
  ClusterRole: rules
  Role: rules
  `,
};
