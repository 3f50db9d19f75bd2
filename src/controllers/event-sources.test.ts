import assert from "node:assert/strict";
import { test } from "node:test";
import { controllers } from "./index.ts";

/** Whom upstream's events come from (`source.component` and `reportingComponent`), by controllers that record any. */
const SOURCES: Readonly<Record<string, string>> = {
  "cloud-node-controller": "cloud-node-controller",
  "cloud-node-lifecycle-controller": "cloud-node-lifecycle-controller",
  "cronjob-controller": "cronjob-controller",
  "daemonset-controller": "daemonset-controller",
  "deployment-controller": "deployment-controller",
  "disruption-controller": "controllermanager",
  "endpoints-controller": "endpoint-controller",
  "endpointslice-controller": "endpoint-slice-controller",
  "endpointslice-mirroring-controller": "endpoint-slice-mirroring-controller",
  "ephemeral-volume-controller": "ephemeral_volume",
  "garbage-collector-controller": "garbage-collector-controller",
  "horizontal-pod-autoscaler-controller": "horizontal-pod-autoscaler",
  "job-controller": "job-controller",
  "node-ipam-controller": "cidrAllocator",
  "node-lifecycle-controller": "node-controller",
  "node-route-controller": "route_controller",
  "persistentvolume-attach-detach-controller": "attachdetach-controller",
  "persistentvolume-binder-controller": "persistentvolume-controller",
  "persistentvolume-expander-controller": "volume_expand",
  "replicaset-controller": "replicaset-controller",
  "replicationcontroller-controller": "replication-controller",
  "resourceclaim-controller": "resource_claim",
  "service-lb-controller": "service-controller",
  "statefulset-controller": "statefulset-controller",
  "taint-eviction-controller": "taint-eviction-controller",
};

test("controllers' events come from whom upstream's come from", () => {
  const recording = controllers.filter(({ name }) => Object.hasOwn(SOURCES, name));
  assert.deepEqual(
    Object.fromEntries(recording.map(({ name, eventSource = name }) => [name, eventSource])),
    SOURCES,
  );
});

test("only controllers that record events say whom they come from, and only where that is not their name", () => {
  for (const { name, eventSource } of controllers) {
    if (eventSource === undefined) continue;
    assert.ok(Object.hasOwn(SOURCES, name), name);
    assert.notEqual(eventSource, name);
  }
});
