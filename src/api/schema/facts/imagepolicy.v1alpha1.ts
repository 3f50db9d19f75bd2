import type { Facts } from "../facts.ts";

export const imagepolicyV1alpha1: Facts = {
  id: "imagepolicy.v1alpha1",
  group: "imagepolicy.k8s.io",
  messages: `
  ImageReview@: 1 metadata meta.v1.ObjectMeta, 2 spec ImageReviewSpec, 3 status ImageReviewStatus
  ImageReviewContainerSpec: 1 image string
  ImageReviewSpec: 1 containers [ImageReviewContainerSpec], 2 annotations {string}, 3 namespace string
  ImageReviewStatus: 1 allowed boolean, 2 reason string, 3 auditAnnotations {string}
  `,
};
