/** Nobody grants more than they hold, unless a verb of its own (`escalate`, `bind`) lets them. */

import type { Attributes, Authorizer, User } from "../../api/user.ts";
import { forbidden, notFound, type StatusError } from "../../machinery/status/status-error.ts";
import { GROUP } from "../authentication/method.ts";
import { compactRules, missingRules, type PolicyRule, printList, printRule } from "./policy-rule.ts";
import type { RBACAuthorizer, RoleRef, StoredBinding, StoredClusterRole } from "./rbac.ts";

const RBAC_GROUP = "rbac.authorization.k8s.io";
const EVERYTHING: PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

export interface EscalationPorts {
  authorizer: Authorizer;
  rbac: Pick<RBACAuthorizer, "heldRules" | "rulesOf">;
}

/**
 * Whether `user` may write a Role or ClusterRole with these rules: a 403, or undefined. `old` is what an update
 * replaces; rules that stay the same are not asked for again.
 */
export async function checkEscalation(
  user: User,
  role: StoredClusterRole,
  old: StoredClusterRole | undefined,
  { authorizer, rbac }: EscalationPorts,
): Promise<StatusError | undefined> {
  const { namespace = "", name = "" } = role.metadata;
  const resource = namespace === "" ? "clusterroles" : "roles";
  if (old && isSame(old.rules, role.rules) && isSame(old.aggregationRule, role.aggregationRule))
    return undefined;
  if (user.groups.includes(GROUP.masters)) return undefined;
  if (await isAllowed(authorizer, { user, verb: "escalate", namespace, resource, name })) return undefined;
  const target = { group: RBAC_GROUP, resource };
  const held = rbac.heldRules(user, namespace);
  if (role.aggregationRule && missingRules(held.rules, EVERYTHING).length > 0) {
    return forbidden(target, name, "must have cluster-admin privileges to use the aggregationRule");
  }
  const lacking = whatLacks(user, held, role.rules ?? []);
  return lacking === undefined ? undefined : forbidden(target, name, lacking);
}

/** Whether `user` may write a binding to this role: a 403, a 404 where the role is missing, or undefined. */
export async function checkBinding(
  user: User,
  binding: StoredBinding,
  old: StoredBinding | undefined,
  { authorizer, rbac }: EscalationPorts,
): Promise<StatusError | undefined> {
  const { namespace = "", name = "" } = binding.metadata;
  const { roleRef } = binding;
  if (old && isSame(old.subjects, binding.subjects) && isSame(old.roleRef, roleRef)) return undefined;
  if (user.groups.includes(GROUP.masters)) return undefined;
  const role = roleResource(roleRef);
  const bind = { user, verb: "bind", namespace, resource: role, name: roleRef.name };
  if (await isAllowed(authorizer, bind)) return undefined;
  const rules = rbac.rulesOf(roleRef, namespace);
  if (!rules) return notFound({ group: RBAC_GROUP, resource: role }, roleRef.name);
  const lacking = whatLacks(user, rbac.heldRules(user, namespace), rules);
  const resource = namespace === "" ? "clusterrolebindings" : "rolebindings";
  return lacking === undefined ? undefined : forbidden({ group: RBAC_GROUP, resource }, name, lacking);
}

function roleResource({ kind }: RoleRef): string {
  return kind === "ClusterRole" ? "clusterroles" : "roles";
}

function whatLacks(
  user: User,
  held: { rules: PolicyRule[]; errors: string[] },
  wanted: readonly PolicyRule[],
): string | undefined {
  const missing = missingRules(held.rules, wanted);
  if (missing.length === 0) return undefined;
  const lines = [...new Set(compactRules(missing).map(printRule))].sort();
  const who = `user ${JSON.stringify(user.name)} (groups=${printList(user.groups)})`;
  const text = `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join("\n")}`;
  return held.errors.length > 0 ? `${text}; resolution errors: [${held.errors.join(" ")}]` : text;
}

async function isAllowed(
  authorizer: Authorizer,
  asked: Pick<Attributes, "user" | "verb" | "namespace" | "resource" | "name">,
): Promise<boolean> {
  const attributes = {
    ...asked,
    group: RBAC_GROUP,
    version: "v1",
    subresource: "",
    path: "",
    isResource: true,
  };
  return (await authorizer.authorize(attributes)).decision === "allow";
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? []) === JSON.stringify(b ?? []);
}
