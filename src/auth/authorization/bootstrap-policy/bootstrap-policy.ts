/** The roles and bindings that every cluster has, as objects. */
import { aggregateRules } from "../../../api/rbac/aggregate-rules.ts";
import type { StoredBinding, StoredClusterRole, StoredRole, Subject } from "../rbac.ts";
import { AGGREGATE_TO, AGGREGATED, CLUSTER_ROLE_SUBJECTS, CLUSTER_ROLES } from "./cluster-roles.ts";
import { CONTROLLER_ROLES } from "./controller-roles.ts";
import { NAMESPACE_ROLES } from "./namespace-roles.ts";
import { readRoleText } from "./role-text.ts";

export interface BootstrapPolicy {
  clusterRoles: StoredClusterRole[];
  clusterRoleBindings: StoredBinding[];
  roles: StoredRole[];
  roleBindings: StoredBinding[];
}

export const AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate";

const GROUP = "rbac.authorization.k8s.io";
const apiVersion = `${GROUP}/v1`;

/** Aggregated roles come with the rules that they have from the default roles. */
export function makeBootstrapPolicy(): BootstrapPolicy {
  const clusterRoles = Object.keys(CLUSTER_ROLES).map((name) => clusterRole(name, CLUSTER_ROLES[name]!));
  const clusterRoleBindings = Object.keys(CLUSTER_ROLE_SUBJECTS).map((name) =>
    binding("ClusterRole", { name }, name, CLUSTER_ROLE_SUBJECTS[name]!),
  );
  for (const controller of Object.keys(CONTROLLER_ROLES)) {
    const name = `system:controller:${controller}`;
    clusterRoles.push(clusterRole(name, CONTROLLER_ROLES[controller]!));
    const account = `ServiceAccount kube-system/${controller}`;
    clusterRoleBindings.push(binding("ClusterRole", { name }, name, [account]));
  }
  const aggregated = AGGREGATED.map((name) => aggregatedRole(name));
  clusterRoles.push(...aggregated);
  // From the narrowest to the widest: each takes up the one before it.
  for (const role of aggregated.toReversed()) role.rules = aggregateRules(role, clusterRoles);
  return {
    clusterRoles,
    clusterRoleBindings,
    roles: NAMESPACE_ROLES.map(({ namespace, name, rules }) => ({
      apiVersion,
      kind: "Role",
      metadata: metadata({ namespace, name }),
      rules: readRoleText(rules),
    })),
    roleBindings: NAMESPACE_ROLES.map(({ namespace, name, bindingName = name, subjects }) =>
      binding("Role", { namespace, name: bindingName }, name, subjects),
    ),
  };
}

function clusterRole(name: string, rules: string): StoredClusterRole {
  return { apiVersion, kind: "ClusterRole", metadata: metadata({ name }), rules: readRoleText(rules) };
}

function aggregatedRole(name: string): StoredClusterRole {
  const matchLabels = { [`${GROUP}/aggregate-to-${name}`]: "true" };
  return {
    apiVersion,
    kind: "ClusterRole",
    metadata: metadata({ name }),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels }] },
    rules: [],
  };
}

function binding(
  kind: "ClusterRole" | "Role",
  named: { name: string; namespace?: string },
  role: string,
  subjects: readonly string[],
): StoredBinding {
  return {
    apiVersion,
    kind: `${kind}Binding`,
    metadata: metadata(named),
    roleRef: { apiGroup: GROUP, kind, name: role },
    ...(subjects.length > 0 ? { subjects: subjects.map(subject) } : {}),
  };
}

function metadata(named: { name: string; namespace?: string }): StoredRole["metadata"] {
  const widerRole = named.namespace === undefined && Object.hasOwn(AGGREGATE_TO, named.name);
  const aggregate = widerRole ? { [`${GROUP}/aggregate-to-${AGGREGATE_TO[named.name]}`]: "true" } : {};
  return {
    ...named,
    labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...aggregate },
    annotations: { [AUTOUPDATE]: "true" },
  };
}

/** `User jane`, `Group ops`, `ServiceAccount namespace/name`. */
function subject(text: string): Subject {
  const space = text.indexOf(" ");
  const [kind, rest] = [text.slice(0, space), text.slice(space + 1)];
  if (kind !== "ServiceAccount") return { apiGroup: GROUP, kind, name: rest };
  const [namespace = "", name = ""] = rest.split("/");
  return { kind, name, namespace };
}
