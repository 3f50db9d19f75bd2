import assert from "node:assert/strict";
import { test } from "node:test";
import { controllers } from "./index.ts";

/** What upstream's `workqueue_*` figures call the queue, where that is not the controller's name without its end. */
const QUEUES: Readonly<Record<string, string>> = {
  "bootstrap-signer-controller": "bootstrap_signer_queue",
  "certificatesigningrequest-approving-controller": "certificate",
  "certificatesigningrequest-signing-controller": "certificate",
  "clusterrole-aggregation-controller": "ClusterRoleAggregator",
  "endpoints-controller": "endpoint",
  "endpointslice-controller": "endpoint_slice",
  "endpointslice-mirroring-controller": "endpoint_slice_mirroring",
  "ephemeral-volume-controller": "ephemeral_volume",
  "garbage-collector-controller": "garbage_collector_attempt_to_delete",
  "horizontal-pod-autoscaler-controller": "horizontalpodautoscaler",
  "node-ipam-controller": "cidrallocator_node",
  "node-lifecycle-controller": "node_lifecycle_controller",
  "persistentvolume-attach-detach-controller": "pvcs",
  "persistentvolume-binder-controller": "claims",
  "persistentvolume-expander-controller": "volume_expand",
  "persistentvolume-protection-controller": "pvprotection",
  "persistentvolumeclaim-protection-controller": "pvcprotection",
  "pod-garbage-collector-controller": "orphaned_pods_nodes",
  "replicationcontroller-controller": "replicationmanager",
  "resourceclaim-controller": "resource_claim",
  "resourcequota-controller": "resourcequota_primary",
  "root-ca-certificate-publisher-controller": "root_ca_cert_publisher",
  "service-lb-controller": "service",
  "serviceaccount-token-controller": "serviceaccount_tokens_secret",
  "taint-eviction-controller": "noexec_taint_node",
  "token-cleaner-controller": "token_cleaner",
  "ttl-after-finished-controller": "ttl_jobs_to_delete",
  "ttl-controller": "ttlcontroller",
  "volumeattributesclass-protection-controller": "vacprotection",
};

test("controllers' queues are called in figures as upstream calls them", () => {
  const named = controllers.filter(({ queue }) => queue !== undefined);
  assert.deepEqual(Object.fromEntries(named.map(({ name, queue }) => [name, queue])), QUEUES);
});
