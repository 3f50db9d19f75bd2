import type { Facts } from "../facts.ts";

export const authenticationV1beta1: Facts = {
  id: "authentication.v1beta1",
  group: "authentication.k8s.io",
  unserved: true,
  messages: `
  SelfSubjectReview@ = authentication.v1
  SelfSubjectReviewStatus: 1 userInfo authentication.v1.UserInfo
  TokenReview@ = authentication.v1
  TokenReviewSpec = authentication.v1
  TokenReviewStatus = authentication.v1
  UserInfo = authentication.v1
  `,
};
