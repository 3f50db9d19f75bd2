import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import { isOutOfService, isSettled, surplus } from "./choose-pods.ts";

function ended(name: string, creationTimestamp: string, reason?: string): Pod {
  const status = { phase: "Failed", reason };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, creationTimestamp }, status };
}

test("of pods that ended, evicted ones and then the oldest are too many", () => {
  const pods = [
    ended("new", "2026-01-01T03:00:00Z"),
    ended("old", "2026-01-01T01:00:00Z"),
    ended("evicted", "2026-01-01T04:00:00Z", "Evicted"),
    ended("middle", "2026-01-01T02:00:00Z"),
  ];
  assert.deepEqual(
    surplus(pods, 1).map(({ metadata }) => metadata.name),
    ["evicted", "old", "middle"],
  );
  assert.deepEqual(surplus(pods, 4), []);
});

test("a node is out of service where it is tainted so and not ready", () => {
  const node = (key: string, ready: string): Node => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: {},
    spec: { taints: [{ key, effect: "NoExecute" }] },
    status: { conditions: [{ type: "Ready", status: ready }] },
  });
  assert.equal(isOutOfService(node("node.kubernetes.io/out-of-service", "Unknown")), true);
  assert.equal(isOutOfService(node("node.kubernetes.io/out-of-service", "True")), false);
  assert.equal(isOutOfService(node("node.kubernetes.io/unreachable", "Unknown")), false);
});

test("a pod that ended and is held by a finalizer only is left alone", () => {
  const pod = ended("held", "2026-01-01T00:00:00Z");
  assert.equal(isSettled(pod), false);
  const metadata = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 0 };
  assert.equal(isSettled({ ...pod, metadata }), true);
  assert.equal(isSettled({ ...pod, metadata, status: { phase: "Running" } }), false);
});
