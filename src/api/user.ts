/** Who makes a request (authentication.k8s.io UserInfo). Frozen; shared by every request of the same credential. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What authorization decides on: one request, by its attributes. `resource` is absent for non-resource paths. */
export interface Attributes {
  user: User;
  verb: string;
  namespace: string;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  name: string;
  /** The request's path, for non-resource requests. */
  path: string;
  isResource: boolean;
  fieldSelector?: string;
  labelSelector?: string;
}

/** `none`: no authorizer had an opinion, which refuses too. `reason` is shown to the client on refusal. */
export interface Decision {
  decision: "allow" | "deny" | "none";
  reason: string;
  error?: string;
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision | Promise<Decision>;
  /** The rules that `user` has in `namespace`, for SelfSubjectRulesReview. */
  rulesFor?(user: User, namespace: string): RuleList;
}

export interface RuleList {
  resourceRules: { verbs: string[]; apiGroups: string[]; resources: string[]; resourceNames?: string[] }[];
  nonResourceRules: { verbs: string[]; nonResourceURLs: string[] }[];
  incomplete: boolean;
  evaluationError?: string;
}
