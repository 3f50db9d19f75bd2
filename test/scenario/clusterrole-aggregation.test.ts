import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterRole } from "../../src/api/rbac/cluster-role.ts";
import { startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

const TO_VIEW = { "rbac.authorization.k8s.io/aggregate-to-view": "true" };
const rule = { apiGroups: ["example.com"], resources: ["widgets"], verbs: ["get"] };

function holds(role: ClusterRole | undefined, resource: string): boolean {
  return role?.rules?.some(({ resources }) => resources?.includes(resource)) ?? false;
}

test("roles that aggregate others take up new rules, by way of each other, and let them go", async () => {
  await using cluster = await startCluster();
  const roles = cluster.client.resource(ClusterRole);
  const before = new Map<string, number | undefined>();
  for (const name of ["view", "edit", "admin"]) before.set(name, (await roles.get(name)).rules?.length);
  await roles.create({ metadata: { name: "widgets", labels: TO_VIEW }, rules: [rule] });
  for (const name of before.keys()) {
    const role = await until(roles, name, (now) => holds(now, "widgets"));
    assert.equal(role?.rules?.length, (before.get(name) ?? 0) + 1, name);
    assert.equal(role.aggregationRule?.clusterRoleSelectors?.length, 1);
    const entry = role.metadata.managedFields?.find(({ operation }) => operation === "Apply");
    assert.equal(entry?.manager, "clusterrole-aggregation-controller");
  }
  await roles.patch("widgets", { metadata: { labels: null } }, { type: "merge" });
  for (const name of before.keys()) {
    const role = await until(roles, name, (now) => !holds(now, "widgets"));
    assert.equal(role?.rules?.length, before.get(name), name);
  }
});

test("an aggregated role gets its own rules back when somebody changes them", async () => {
  await using cluster = await startCluster();
  const roles = cluster.client.resource(ClusterRole);
  await roles.create({ metadata: { name: "part", labels: { part: "yes" } }, rules: [rule] });
  const clusterRoleSelectors = [{ matchLabels: { part: "yes" } }];
  await roles.create({ metadata: { name: "whole" }, aggregationRule: { clusterRoleSelectors } });
  await until(roles, "whole", (role) => holds(role, "widgets"));
  const other = { ...rule, resources: ["gadgets"] };
  await roles.patch("whole", { rules: [other] }, { type: "merge" });
  const whole = await until(roles, "whole", (role) => holds(role, "widgets"));
  assert.deepEqual(whole?.rules, [rule]);
  await roles.delete("part");
  await until(roles, "whole", (role) => (role?.rules ?? []).length === 0);
});
