/** Gives ClusterRoles with an aggregationRule the rules of the roles that it selects. */

import { aggregateRules } from "../api/rbac/aggregate-rules.ts";
import { ClusterRole } from "../api/rbac/cluster-role.ts";
import { semanticEqual } from "../machinery/json/equal.ts";
import { defineController, input } from "./runtime/controller.ts";

const NAME = "clusterrole-aggregation-controller";
/** Stands for all roles, and is no name: any role can be selected by any other, and there are few. */
const ALL = "/";

export const clusterRoleAggregationController = defineController<{ roles: ClusterRole }>({
  name: NAME,
  account: NAME,
  queue: "ClusterRoleAggregator",
  workers: 5,
  inputs: { roles: input(ClusterRole, () => [ALL]) },
  start:
    ({ client, again }, { roles }) =>
    async (key) => {
      if (key === ALL) {
        for (const { metadata, aggregationRule } of roles.list()) if (aggregationRule) again(metadata.name!);
        return undefined;
      }
      const role = roles.get("", key);
      if (!role?.aggregationRule) return undefined;
      const rules = aggregateRules(role, roles.list());
      if (semanticEqual(rules, role.rules)) return undefined;
      const applied = { metadata: { name: key }, rules };
      await client.resource(ClusterRole).apply(applied, { fieldManager: NAME, force: true });
      return undefined;
    },
});
