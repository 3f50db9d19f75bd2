import { badRequest } from "../../machinery/status/status-error.ts";
import type { KubeObject } from "../object.ts";
import type { TokenPort } from "../ports.ts";
import { defineResource } from "../resource.ts";
import { type UserInfo, userInfoOf } from "./user-info.ts";

export interface TokenReview extends KubeObject {
  spec: { token?: string; audiences?: string[] };
  status?: { authenticated?: boolean; user?: UserInfo; audiences?: string[]; error?: string };
}

/** Whose a token is, for webhooks and proxies that must know. */
export const TokenReview = defineResource<TokenReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  plural: "tokenreviews",
  scope: "Cluster",
  definition: "authentication.v1.TokenReview",
  virtual: {
    async create(review, { ports }) {
      const { token = "", audiences = [] } = review.spec ?? {};
      if (token === "") throw badRequest("token is required for TokenReview in authentication");
      const answer = await ports.tokens.review(token, audiences);
      return { ...review, status: statusOf(answer) };
    },
  },
});

function statusOf(answer: Awaited<ReturnType<TokenPort["review"]>>): NonNullable<TokenReview["status"]> {
  if (!answer) return { user: {} };
  if ("error" in answer) return { user: {}, error: answer.error };
  return { authenticated: true, user: userInfoOf(answer.user), audiences: answer.audiences };
}
