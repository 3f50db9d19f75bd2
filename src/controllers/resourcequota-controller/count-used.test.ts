import assert from "node:assert/strict";
import { test } from "node:test";
import type { CustomResourceDefinition } from "../../api/apiextensions/custom-resource-definition.ts";
import type { ResourceQuota } from "../../api/core/resource-quota.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import type { ResourceKind } from "../../client/resource-client.ts";
import { countUsed, kindsOf, sameAmounts } from "./count-used.ts";
import { CountedObjects } from "./counted-objects.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

function quotaOf(hard: Record<string, string>, used?: Record<string, string>): ResourceQuota {
  const metadata = { name: "q", namespace: "a" };
  return { apiVersion: "v1", kind: "ResourceQuota", metadata, spec: { hard }, status: { used } };
}

function podOf(cpu: string, metadata: object = {}): KubeObject {
  const spec = { containers: [{ name: "c", resources: { requests: { cpu } } }] };
  return { apiVersion: "v1", kind: "Pod", metadata: { namespace: "a", ...metadata }, spec } as KubeObject;
}

test("what is used is the sum of what is there, under the names that are limited", () => {
  const quota = quotaOf({ cpu: "9", pods: "9", "count/jobs.batch": "1" });
  const pods = [podOf("250m"), podOf("750m")];
  const { used, until } = countUsed(quota, ({ plural }) => (plural === "pods" ? pods : []), NOW);
  assert.deepEqual(used, { cpu: "1", pods: "2", "count/jobs.batch": "0" });
  assert.equal(until, undefined);
});

test("what cannot be counted stays as it was said before, and names that are no longer limited go", () => {
  const quota = quotaOf(
    { pods: "9", "count/widgets.example.com": "3", "example.com/x": "1" },
    {
      "count/widgets.example.com": "2",
      secrets: "5",
    },
  );
  const { used } = countUsed(quota, ({ plural }) => (plural === "pods" ? [] : undefined), NOW);
  assert.deepEqual(used, { pods: "0", "count/widgets.example.com": "2" });
});

test("a pod that should be gone for as long as its grace counts as an object only", () => {
  const quota = quotaOf({ pods: "9", "count/pods": "9" });
  const deleted = (deletionTimestamp: string) =>
    podOf("1", { deletionTimestamp, deletionGracePeriodSeconds: 30 });
  const overdue = deleted("2025-12-31T23:59:29Z");
  const leaving = deleted("2025-12-31T23:59:40Z");
  const { used, until } = countUsed(quota, () => [overdue, leaving], NOW);
  assert.deepEqual(used, { pods: "1", "count/pods": "2" });
  assert.equal(until, NOW + 10_000);
});

test("amounts are the same whatever their form", () => {
  assert.ok(sameAmounts({ cpu: "1" }, { cpu: "1000m" }));
  assert.ok(!sameAmounts({ cpu: "1" }, { memory: "1" }));
  assert.ok(!sameAmounts({}, undefined));
});

test("custom kinds are counted while they are established, and tell of changes that free something", () => {
  const asked: ResourceKind[] = [];
  let tell: (change: { key: string; now?: KubeObject; was?: KubeObject }) => void = () => {};
  const informer = {
    subscribe: (handler: typeof tell) => {
      tell = handler;
    },
    start: () => {},
  };
  const informers = {
    of: (kind: ResourceKind) => {
      asked.push(kind);
      return informer;
    },
  } as unknown as Informers;
  let status = "False";
  const spec = {
    group: "example.com",
    names: { kind: "Widget", plural: "widgets" },
    scope: "Namespaced",
    versions: [
      { name: "v1", served: false, storage: false },
      { name: "v2", served: true, storage: true },
    ],
  };
  const definitions = {
    get: (_: string, name: string) =>
      name === "widgets.example.com"
        ? { spec, status: { conditions: [{ type: "Established", status }] } }
        : undefined,
  } as unknown as Lister<CustomResourceDefinition>;
  const told: string[] = [];
  const counted = new CountedObjects(informers, definitions, ({ plural }, namespace, less) => {
    told.push(`${plural} ${namespace} ${less ? "less" : "more"}`);
  });
  const [kind] = kindsOf(quotaOf({ "count/widgets.example.com": "1" }));
  assert.ok(kind);
  assert.equal(counted.of(kind), undefined);
  status = "True";
  assert.equal(counted.of(kind), counted.of(kind));
  assert.deepEqual(asked, [
    { group: "example.com", version: "v2", kind: "Widget", plural: "widgets", scope: "Namespaced" },
  ]);
  const object = podOf("1");
  tell({ key: "a/x", now: object });
  tell({ key: "a/x", now: object, was: object });
  tell({ key: "a/x", was: object });
  assert.deepEqual(told, ["widgets a more", "widgets a less"]);
  status = "False";
  assert.equal(counted.of(kind), undefined);
});
