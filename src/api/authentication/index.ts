import { anyKind } from "../core/any-kind.ts";
import type { Resource } from "../resource.ts";
import { SelfSubjectReview } from "./self-subject-review.ts";
import { TokenReview } from "./token-review.ts";

export const resources: readonly Resource[] = [anyKind(SelfSubjectReview), anyKind(TokenReview)];
