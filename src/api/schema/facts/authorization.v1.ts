import type { Facts } from "../facts.ts";

export const authorizationV1: Facts = {
  id: "authorization.v1",
  group: "authorization.k8s.io",
  messages: `
  FieldSelectorAttributes: 1 rawSelector, 2 requirements
  LabelSelectorAttributes: 1 rawSelector, 2 requirements
  LocalSubjectAccessReview@: 1 metadata, 2 spec, 3 status
  NonResourceAttributes: 1 path, 2 verb
  NonResourceRule: 1 verbs, 2 nonResourceURLs
  ResourceAttributes: 1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name,
    8 fieldSelector, 9 labelSelector
  ResourceRule: 1 verbs, 2 apiGroups, 3 resources, 4 resourceNames
  SelfSubjectAccessReview@: 1 metadata, 2 spec, 3 status
  SelfSubjectAccessReviewSpec: 1 resourceAttributes, 2 nonResourceAttributes
  SelfSubjectRulesReview@: 1 metadata, 2 spec, 3 status
  SelfSubjectRulesReviewSpec: 1 namespace
  SubjectAccessReview@: 1 metadata, 2 spec, 3 status
  SubjectAccessReviewSpec: 1 resourceAttributes, 2 nonResourceAttributes, 3 user, 4 groups,
    5 extra {ExtraValue}, 6 uid
  SubjectAccessReviewStatus: 1 allowed, 2 reason, 3 evaluationError, 4 denied
  SubjectRulesReviewStatus: 1 resourceRules, 2 nonResourceRules, 3 incomplete, 4 evaluationError
  `,
  merging: `
  FieldSelectorAttributes: requirements atomic
  LabelSelectorAttributes: requirements atomic
  NonResourceRule: nonResourceURLs atomic, verbs atomic
  ResourceRule: apiGroups atomic, resourceNames atomic, resources atomic, verbs atomic
  SubjectAccessReviewSpec: groups atomic
  SubjectRulesReviewStatus: nonResourceRules atomic, resourceRules atomic
  `,
};
