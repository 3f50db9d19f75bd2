import type { Facts } from "../facts.ts";

export const authorizationV1beta1: Facts = {
  id: "authorization.v1beta1",
  group: "authorization.k8s.io",
  unserved: true,
  messages: `
  LocalSubjectAccessReview@ = authorization.v1
  NonResourceAttributes = authorization.v1
  NonResourceRule = authorization.v1
  ResourceAttributes: 1 namespace string, 2 verb string, 3 group string, 4 version string,
    5 resource string, 6 subresource string, 7 name string,
    8 fieldSelector authorization.v1.FieldSelectorAttributes,
    9 labelSelector authorization.v1.LabelSelectorAttributes
  ResourceRule = authorization.v1
  SelfSubjectAccessReview@ = authorization.v1
  SelfSubjectAccessReviewSpec = authorization.v1
  SelfSubjectRulesReview@ = authorization.v1
  SelfSubjectRulesReviewSpec = authorization.v1
  SubjectAccessReview@ = authorization.v1
  SubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes,
    2 nonResourceAttributes NonResourceAttributes, 3 user string, 4 group [string], 5 extra {ExtraValue},
    6 uid string
  SubjectAccessReviewStatus = authorization.v1
  SubjectRulesReviewStatus = authorization.v1
  `,
};
