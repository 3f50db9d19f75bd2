import type { Facts } from "../facts.ts";

export const authenticationV1: Facts = {
  id: "authentication.v1",
  group: "authentication.k8s.io",
  messages: `
  BoundObjectReference: 1 kind, 2 apiVersion, 3 name, 4 uid
  SelfSubjectReview@: 1 metadata, 2 status
  SelfSubjectReviewStatus: 1 userInfo
  TokenRequest@: 1 metadata, 2 spec, 3 status
  TokenRequestSpec: 1 audiences, 3 boundObjectRef, 4 expirationSeconds
  TokenRequestStatus: 1 token, 2 expirationTimestamp
  TokenReview@: 1 metadata, 2 spec, 3 status
  TokenReviewSpec: 1 token, 2 audiences
  TokenReviewStatus: 1 authenticated, 2 user, 3 error, 4 audiences
  UserInfo: 1 username, 2 uid, 3 groups, 4 extra {ExtraValue}
  `,
  merging: `
  TokenRequestSpec: audiences atomic
  TokenReviewSpec: audiences atomic
  TokenReviewStatus: audiences atomic
  UserInfo: groups atomic
  `,
  pointers: `
  TokenRequestSpec: expirationSeconds
  `,
  keptEmpty: `
  TokenRequestSpec: audiences
  `,
};
