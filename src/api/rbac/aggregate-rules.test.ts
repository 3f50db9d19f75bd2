import assert from "node:assert/strict";
import { test } from "node:test";
import { aggregateRules } from "./aggregate-rules.ts";

const rule = (resource: string, ...verbs: string[]) => ({ verbs, apiGroups: [""], resources: [resource] });
const role = (name: string, labels: Record<string, string>, ...rules: ReturnType<typeof rule>[]) => ({
  metadata: { name, labels },
  rules,
});
const of = (...clusterRoleSelectors: object[]) => ({
  metadata: { name: "all" },
  aggregationRule: { clusterRoleSelectors },
});

test("an aggregated role has the rules of those it selects, by selector and name, each once", () => {
  const pods = rule("pods", "get", "list");
  const all = [
    role("c", { to: "x" }, rule("secrets", "get"), pods),
    role("b", { to: "x" }, structuredClone(pods), rule("pods", "list", "get")),
    role("a", { to: "y" }, rule("nodes", "get")),
    role("all", { to: "x" }, rule("all", "get")),
    role("d", {}, rule("none", "get")),
  ];
  const x = { matchLabels: { to: "x" } };
  const y = { matchExpressions: [{ key: "to", operator: "In", values: ["y", "x"] }] };
  assert.deepEqual(aggregateRules(of(x, y), all), [
    pods,
    rule("pods", "list", "get"),
    rule("secrets", "get"),
    rule("nodes", "get"),
  ]);
  assert.deepEqual(aggregateRules(of(), all), []);
  assert.deepEqual(aggregateRules(of({}), all).length, 5);
});
