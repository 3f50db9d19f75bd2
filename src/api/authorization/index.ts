import { anyKind } from "../core/any-kind.ts";
import type { Resource } from "../resource.ts";
import { LocalSubjectAccessReview } from "./local-subject-access-review.ts";
import { SelfSubjectAccessReview } from "./self-subject-access-review.ts";
import { SelfSubjectRulesReview } from "./self-subject-rules-review.ts";
import { SubjectAccessReview } from "./subject-access-review.ts";

export const resources: readonly Resource[] = [
  anyKind(LocalSubjectAccessReview),
  anyKind(SelfSubjectAccessReview),
  anyKind(SelfSubjectRulesReview),
  anyKind(SubjectAccessReview),
];
