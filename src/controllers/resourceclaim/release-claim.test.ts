import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { ResourceClaim, ResourceClaimTemplate } from "../../api/schema/resource.v1.generated.ts";
import { claimFromTemplate } from "./claim-from-template.ts";
import { finalizersAfter, releasedClaim } from "./release-claim.ts";

const FINALIZER = "resource.kubernetes.io/delete-protection";
const ALLOCATION = { devices: { results: [] } };

function claimOf(users: string[], finalizers = [FINALIZER], deletionTimestamp?: string): ResourceClaim {
  const reservedFor = users.map((name) => ({ resource: "pods", name, uid: name }));
  return {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceClaim",
    metadata: { name: "c", finalizers, deletionTimestamp },
    spec: {},
    status: { allocation: ALLOCATION, ...(users.length > 0 && { reservedFor }) },
  };
}

const NOBODY = (): boolean => false;

test("releasedClaim takes users out, and the allocation with the last of them", () => {
  const both = claimOf(["a", "b"]);
  assert.equal(
    releasedClaim(both, () => true),
    undefined,
  );
  const one = releasedClaim(both, ({ uid }) => uid === "b");
  assert.deepEqual(
    one?.status?.reservedFor?.map(({ name }) => name),
    ["b"],
  );
  assert.equal(one?.status?.allocation, ALLOCATION);
  assert.deepEqual(releasedClaim(both, NOBODY)?.status, {});
  // Without the finalizer somebody else allocated it.
  assert.deepEqual(releasedClaim(claimOf(["a"], []), NOBODY)?.status, { allocation: ALLOCATION });
});

test("releasedClaim leaves an allocation without users alone, unless the claim is on its way out", () => {
  assert.equal(releasedClaim(claimOf([]), NOBODY), undefined);
  assert.deepEqual(releasedClaim(claimOf([], [FINALIZER], "2026-01-01T00:00:00Z"), NOBODY)?.status, {});
});

test("finalizersAfter lets the claim go only with its allocation", () => {
  assert.equal(finalizersAfter(claimOf([]), true), undefined);
  const free = { ...claimOf([], ["other", FINALIZER]), status: {} };
  assert.deepEqual(finalizersAfter(free, true), ["other"]);
  assert.equal(finalizersAfter(free, false), undefined);
});

test("claimFromTemplate shortens both names where they are too long together", () => {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p".repeat(80), namespace: "n", uid: "u" },
  };
  const template: ResourceClaimTemplate = {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceClaimTemplate",
    metadata: { name: "t" },
    spec: { spec: {} },
  };
  const long = claimFromTemplate(pod, { name: "e".repeat(20) }, template).metadata.generateName;
  assert.equal(long, `${"p".repeat(44)}-${"e".repeat(11)}`);
  const short = { ...pod, metadata: { ...pod.metadata, name: "web" } };
  assert.equal(claimFromTemplate(short, { name: "gpu" }, template).metadata.generateName, "web-gpu-");
});
