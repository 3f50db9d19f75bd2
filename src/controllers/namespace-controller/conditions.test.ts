import assert from "node:assert/strict";
import { test } from "node:test";
import type { NamespaceCondition } from "../../api/core/namespace.ts";
import type { DiscoveredKind, Discovery } from "../../client/discovery.ts";
import { namespaceConditions } from "./conditions.ts";

const NOW = "2026-01-02T03:04:05Z";
const LATER = "2026-01-02T03:05:00Z";
const WHOLE: Discovery = { resources: [], failed: [] };

function kind(plural: string, group = ""): DiscoveredKind {
  return { group, version: "v1", kind: plural, plural, scope: "Namespaced", verbs: [] };
}

function messages(conditions: readonly NamespaceCondition[]): Record<string, string> {
  return Object.fromEntries(
    conditions.map(({ type, status, reason, message }) => [type, `${status} ${reason}: ${message}`]),
  );
}

test("conditions tell of group versions that could not be discovered", () => {
  const discovery = {
    resources: [],
    failed: [
      { groupVersion: "metrics.k8s.io/v1beta1", why: "stale" },
      { groupVersion: "a.example.com/v1", why: "stale" },
    ],
  };
  const told = messages(namespaceConditions([], { discovery, remains: [], errors: [] }, NOW));
  assert.equal(
    told.NamespaceDeletionDiscoveryFailure,
    "True DiscoveryFailed: Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: a.example.com/v1: stale, metrics.k8s.io/v1beta1: stale",
  );
  const failed = namespaceConditions([], { discovery: new Error("no answer"), remains: [], errors: [] }, NOW);
  assert.equal(messages(failed).NamespaceDeletionDiscoveryFailure, "True DiscoveryFailed: no answer");
});

test("conditions sort what remains and add up finalizers over resources", () => {
  const remains = [
    { kind: kind("widgets", "example.com"), count: 2, finalizers: new Map([["x/a", 2]]) },
    {
      kind: kind("pods"),
      count: 3,
      finalizers: new Map([
        ["x/a", 1],
        ["w/b", 1],
      ]),
    },
    { kind: kind("secrets"), count: 0, finalizers: new Map<string, number>() },
  ];
  const told = messages(namespaceConditions([], { discovery: WHOLE, remains, errors: [] }, NOW));
  assert.equal(
    told.NamespaceContentRemaining,
    "True SomeResourcesRemain: Some resources are remaining: pods. has 3 resource instances, widgets.example.com has 2 resource instances",
  );
  assert.equal(
    told.NamespaceFinalizersRemaining,
    "True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: w/b in 1 resource instances, x/a in 3 resource instances",
  );
});

test("conditions tell every refusal, in order", () => {
  const errors = [new Error("z refused"), new Error("a refused")];
  const told = messages(namespaceConditions([], { discovery: WHOLE, remains: [], errors }, NOW));
  assert.equal(
    told.NamespaceDeletionContentFailure,
    "True ContentDeletionFailed: Failed to delete all resource types, 2 remaining: a refused, z refused",
  );
});

test("conditions keep their time until their status changes, and others' conditions altogether", () => {
  const of = (count: number) => ({
    discovery: WHOLE,
    remains: [{ kind: kind("pods"), count, finalizers: new Map<string, number>() }],
    errors: [],
  });
  const foreign = { type: "example.com/Other", status: "True" };
  const first = namespaceConditions([foreign], of(2), NOW);
  assert.equal(namespaceConditions(first, of(2), LATER), first);
  const second = namespaceConditions(first, of(1), LATER);
  const timeOf = (conditions: readonly NamespaceCondition[]) =>
    conditions.find(({ type }) => type === "NamespaceContentRemaining")?.lastTransitionTime;
  assert.equal(timeOf(second), NOW);
  assert.equal(timeOf(namespaceConditions(second, of(0), LATER)), LATER);
  assert.deepEqual(second[0], foreign);
});
