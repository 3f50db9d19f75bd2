/** The rules of a ClusterRole that is put together of others. */

import { semanticEqual } from "../../machinery/json/equal.ts";
import { labelSelectorOf } from "../../machinery/selectors/labels.ts";
import type { ClusterRole, PolicyRule } from "../schema/rbac.v1.generated.ts";

type Aggregated = Pick<ClusterRole, "metadata" | "aggregationRule">;
type Aggregable = Pick<ClusterRole, "metadata" | "rules">;

/**
 * Those of every role but itself that a selector picks: selector by selector, in the order of the roles' names, each
 * rule once. Throws SelectorError where a selector is none.
 */
export function aggregateRules(
  { metadata, aggregationRule }: Aggregated,
  all: Iterable<Aggregable>,
): PolicyRule[] {
  const roles = [...all].filter(({ metadata: { name } }) => name !== metadata.name).sort(byName);
  const rules: PolicyRule[] = [];
  const buckets = new Map<string, PolicyRule[]>();
  for (const selector of (aggregationRule?.clusterRoleSelectors ?? []).map(labelSelectorOf)) {
    for (const role of roles) {
      if (!selector.matches(role.metadata.labels)) continue;
      for (const rule of role.rules ?? []) {
        // Rules of the same verbs are few, so that comparing each with each stays cheap.
        const verbs = rule.verbs.join();
        const alike = buckets.get(verbs) ?? [];
        if (alike.some((known) => semanticEqual(known, rule))) continue;
        buckets.set(verbs, [...alike, rule]);
        rules.push(rule);
      }
    }
  }
  return rules;
}

function byName(
  { metadata: { name: a = "" } }: Aggregable,
  { metadata: { name: b = "" } }: Aggregable,
): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
