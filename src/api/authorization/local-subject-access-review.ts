import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
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

export interface LocalSubjectAccessReview extends KubeObject {
  spec: SubjectAccessReviewSpec;
  status?: SubjectAccessReviewStatus;
}

/** SubjectAccessReview of one namespace, for those who may ask about no other. */
export const LocalSubjectAccessReview = defineResource<LocalSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "LocalSubjectAccessReview",
  plural: "localsubjectaccessreviews",
  scope: "Namespaced",
  definition: "authorization.v1.LocalSubjectAccessReview",
  validate,
  virtual: {
    async create(review, { ports }) {
      return { ...review, status: await reviewAccess(review.spec, userOf(review.spec), ports.authorizer) };
    },
  },
});

function validate({ metadata, spec = {} }: LocalSubjectAccessReview): FieldError[] {
  const errors = [
    ...validateAttributes(spec),
    ...validateSubject(spec),
    ...validateMetadata(metadata, ["namespace"]),
  ];
  const { resourceAttributes, nonResourceAttributes } = spec;
  const path = FieldPath.root("spec");
  const namespace = resourceAttributes?.namespace ?? "";
  if (resourceAttributes && namespace !== (metadata.namespace ?? "")) {
    const at = path.child("resourceAttributes", "namespace");
    errors.push(invalidValue(at, namespace, "must match metadata.namespace"));
  }
  if (nonResourceAttributes) {
    const at = path.child("nonResourceAttributes");
    errors.push(invalidValue(at, nonResourceAttributes, "disallowed on this kind of request"));
  }
  return errors;
}
