import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import { type UserInfo, userInfoOf } from "./user-info.ts";

export interface SelfSubjectReview extends KubeObject {
  status?: { userInfo?: UserInfo };
}

/** Who the server takes the client for (`kubectl auth whoami`). */
export const SelfSubjectReview = defineResource<SelfSubjectReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  scope: "Cluster",
  definition: "authentication.v1.SelfSubjectReview",
  virtual: {
    async create(review, { user, now }) {
      const metadata = { ...review.metadata, creationTimestamp: now };
      return { ...review, metadata, status: { userInfo: userInfoOf(user) } };
    },
  },
});
