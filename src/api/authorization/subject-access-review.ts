import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import {
  reviewAccess,
  type SubjectAccessReviewSpec,
  type SubjectAccessReviewStatus,
  userOf,
  validateAttributes,
  validateMetadata,
  validateSubject,
} from "./access-review.ts";

export interface SubjectAccessReview extends KubeObject {
  spec: SubjectAccessReviewSpec;
  status?: SubjectAccessReviewStatus;
}

/** Whether some user may do something. */
export const SubjectAccessReview = defineResource<SubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  scope: "Cluster",
  definition: "authorization.v1.SubjectAccessReview",
  validate: ({ metadata, spec = {} }) => [
    ...validateAttributes(spec),
    ...validateSubject(spec),
    ...validateMetadata(metadata, []),
  ],
  virtual: {
    async create(review, { ports }) {
      return { ...review, status: await reviewAccess(review.spec, userOf(review.spec), ports.authorizer) };
    },
  },
});
