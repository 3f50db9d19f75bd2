import type { Facts } from "../facts.ts";

export const authenticationV1alpha1: Facts = {
  id: "authentication.v1alpha1",
  group: "authentication.k8s.io",
  unserved: true,
  messages: `
  SelfSubjectReview: 1 metadata meta.v1.ObjectMeta, 2 status SelfSubjectReviewStatus
  SelfSubjectReviewStatus = authentication.v1beta1
  `,
};
