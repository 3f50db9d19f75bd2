/** The rules of an aggregated ClusterRole: those of every role that its selectors pick, each once, in order of names. */
import type { PolicyRule } from "./policy-rule.ts";
import type { LabelSelector, StoredClusterRole } from "./rbac.ts";

export function aggregateRules(role: StoredClusterRole, all: Iterable<StoredClusterRole>): PolicyRule[] {
  const picked = new Map<string, StoredClusterRole>();
  const roles = [...all];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    for (const candidate of roles) {
      const { name = "", labels = {} } = candidate.metadata;
      if (name !== role.metadata.name && selects(selector, labels)) picked.set(name, candidate);
    }
  }
  const rules = new Map<string, PolicyRule>();
  for (const name of [...picked.keys()].sort()) {
    for (const rule of picked.get(name)?.rules ?? []) {
      const key = ruleKey(rule);
      if (!rules.has(key)) rules.set(key, rule);
    }
  }
  return [...rules.values()];
}

function ruleKey({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): string {
  return JSON.stringify([verbs, apiGroups, resources, resourceNames, nonResourceURLs]);
}

function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Record<string, string>,
): boolean {
  const value = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.keys(matchLabels).every((key) => value(key) === matchLabels[key]) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const has = value(key);
      if (operator === "Exists") return has !== undefined;
      if (operator === "DoesNotExist") return has === undefined;
      const listed = has !== undefined && values.includes(has);
      return operator === "In" ? listed : operator === "NotIn" && !listed;
    })
  );
}
