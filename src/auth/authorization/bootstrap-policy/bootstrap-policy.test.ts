import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import type { KubeObject } from "../../../api/object.ts";
import type { PolicyRule } from "../policy-rule.ts";
import type { StoredBinding, StoredClusterRole } from "../rbac.ts";
import { makeBootstrapPolicy } from "./bootstrap-policy.ts";

const REFERENCE = new URL("../../../../../shared/reference/rbac/", import.meta.url);
const skip = existsSync(REFERENCE) ? false : "the reference data is not beside the checkout";

function load<T extends KubeObject>(...files: string[]): T[] {
  return files.flatMap(
    (file) => (parse(readFileSync(new URL(file, REFERENCE), "utf8")) as { items: T[] }).items,
  );
}

function sorted(rules: readonly PolicyRule[] | null | undefined): string[] {
  const lists = (rules ?? []).map((rule) =>
    JSON.stringify(
      Object.entries(rule)
        .map(([key, list]: [string, string[]]) => [key, [...list].sort()])
        .sort(),
    ),
  );
  return lists.sort();
}

function byName<T extends KubeObject>(objects: readonly T[], shape: (object: T) => unknown): unknown {
  const shaped = objects.map((object) => [
    `${object.metadata.namespace}/${object.metadata.name}`,
    shape(object),
  ]);
  return Object.fromEntries(shaped.sort());
}

function roleShape({ apiVersion, kind, metadata, aggregationRule, rules }: StoredClusterRole): unknown {
  return { apiVersion, kind, metadata, aggregationRule, rules: aggregationRule ? "computed" : sorted(rules) };
}

test("the default roles and bindings equal upstream's", { skip }, () => {
  const policy = makeBootstrapPolicy();
  assert.deepEqual(
    byName(policy.clusterRoles, roleShape),
    byName(load<StoredClusterRole>("cluster-roles.yaml", "controller-roles.yaml"), roleShape),
  );
  assert.deepEqual(
    byName(policy.roles, roleShape),
    byName(load<StoredClusterRole>("namespace-roles.yaml"), roleShape),
  );
  const bindings = load<StoredBinding>("cluster-role-bindings.yaml", "controller-role-bindings.yaml");
  assert.deepEqual(
    byName(policy.clusterRoleBindings, (object) => object),
    byName(bindings, (object) => object),
  );
  assert.deepEqual(
    byName(policy.roleBindings, (object) => object),
    byName(load<StoredBinding>("namespace-role-bindings.yaml"), (object) => object),
  );
});

test("admin, edit and view have the rules of the roles that they aggregate", () => {
  const { clusterRoles } = makeBootstrapPolicy();
  const rules = (name: string) => clusterRoles.find(({ metadata }) => metadata.name === name)?.rules ?? [];
  assert.deepEqual(sorted(rules("view")), sorted(rules("system:aggregate-to-view")));
  assert.deepEqual(sorted(rules("edit")), sorted([...rules("system:aggregate-to-edit"), ...rules("view")]));
  const admin = [...rules("system:aggregate-to-admin"), ...rules("edit")];
  assert.deepEqual(sorted(rules("admin")), sorted(admin));
  assert.ok(rules("view").length > 5);
});
