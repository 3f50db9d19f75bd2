import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import {
  type AccessReviewSpec,
  reviewAccess,
  type SubjectAccessReviewStatus,
  validateAttributes,
  validateMetadata,
} from "./access-review.ts";

export interface SelfSubjectAccessReview extends KubeObject {
  spec: AccessReviewSpec;
  status?: SubjectAccessReviewStatus;
}

/** Whether the one who asks may do something (`kubectl auth can-i`). */
export const SelfSubjectAccessReview = defineResource<SelfSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  scope: "Cluster",
  definition: "authorization.v1.SelfSubjectAccessReview",
  validate: ({ metadata, spec = {} }) => [...validateAttributes(spec), ...validateMetadata(metadata, [])],
  virtual: {
    async create(review, { user, ports }) {
      return { ...review, status: await reviewAccess(review.spec, user, ports.authorizer) };
    },
  },
});
