import { badRequest } from "../../machinery/status/status-error.ts";
import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import type { RuleList } from "../user.ts";

export interface SelfSubjectRulesReview extends KubeObject {
  spec: { namespace?: string };
  status?: RuleList;
}

/** All that the one who asks may do in a namespace (`kubectl auth can-i --list`). */
export const SelfSubjectRulesReview = defineResource<SelfSubjectRulesReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectRulesReview",
  plural: "selfsubjectrulesreviews",
  scope: "Cluster",
  definition: "authorization.v1.SelfSubjectRulesReview",
  virtual: {
    async create(review, { user, ports }) {
      const { namespace = "" } = review.spec ?? {};
      if (namespace === "") throw badRequest("no namespace on request");
      const rules = ports.authorizer.rulesFor?.(user, namespace);
      const none: RuleList = { resourceRules: [], nonResourceRules: [], incomplete: true };
      return { ...review, status: rules ?? none };
    },
  },
});
