/** Every controller, in the order they start. */

import { attachDetachController } from "./attachdetach/attachdetach-controller.ts";
import { bootstrapSignerController } from "./bootstrap/bootstrap-signer-controller.ts";
import { tokenCleanerController } from "./bootstrap/token-cleaner-controller.ts";
import { csrCleanerController } from "./certificatesigningrequest-cleaner-controller.ts";
import { cloudNodeController } from "./cloud/cloud-node-controller.ts";
import { cloudNodeLifecycleController } from "./cloud/cloud-node-lifecycle-controller.ts";
import { nodeRouteController } from "./cloud/node-route-controller.ts";
import { serviceLBController } from "./cloud/service-lb-controller.ts";
import { clusterRoleAggregationController } from "./clusterrole-aggregation-controller.ts";
import { cronJobController } from "./cronjob/cronjob-controller.ts";
import { csrApprovingController } from "./csrapproving/certificatesigningrequest-approving-controller.ts";
import { csrSigningController } from "./csrsigning/certificatesigningrequest-signing-controller.ts";
import { daemonSetController } from "./daemonset/daemonset-controller.ts";
import { deploymentController } from "./deployment/deployment-controller.ts";
import { disruptionController } from "./disruption/disruption-controller.ts";
import { endpointsController } from "./endpoints/endpoints-controller.ts";
import { endpointSliceController } from "./endpointslice/endpointslice-controller.ts";
import { endpointSliceMirroringController } from "./endpointslicemirroring/endpointslice-mirroring-controller.ts";
import { ephemeralVolumeController } from "./ephemeral-volume-controller.ts";
import { garbageCollector } from "./garbagecollector/garbage-collector.ts";
import { jobController } from "./job/job-controller.ts";
import { legacyServiceAccountTokenCleaner } from "./legacy-serviceaccount-token-cleaner-controller.ts";
import { namespaceController } from "./namespace-controller/namespace-controller.ts";
import { nodeIPAMController } from "./nodeipam/node-ipam-controller.ts";
import { nodeLifecycleController } from "./nodelifecycle/node-lifecycle-controller.ts";
import { persistentVolumeBinder } from "./persistentvolume-binder/persistentvolume-binder-controller.ts";
import { persistentVolumeExpander } from "./persistentvolume-expander-controller.ts";
import { horizontalPodAutoscalerController } from "./podautoscaler/horizontal-pod-autoscaler-controller.ts";
import { podGarbageCollectorController } from "./podgc/pod-garbage-collector-controller.ts";
import { pvProtectionController } from "./pv-protection-controller.ts";
import { pvcProtectionController } from "./pvc-protection/pvc-protection-controller.ts";
import { replicaSetController } from "./replicaset/replicaset-controller.ts";
import { replicationController } from "./replicaset/replication-controller.ts";
import { resourceClaimController } from "./resourceclaim/resourceclaim-controller.ts";
import { resourceQuotaController } from "./resourcequota-controller/resourcequota-controller.ts";
import { rootCACertificatePublisher } from "./root-ca-certificate-publisher-controller.ts";
import type { Controller } from "./runtime/controller.ts";
import { serviceCIDRController } from "./service-cidr-controller.ts";
import { serviceAccountController } from "./serviceaccount-controller.ts";
import { serviceAccountTokenController } from "./serviceaccount-token-controller.ts";
import { statefulSetController } from "./statefulset/statefulset-controller.ts";
import { taintEvictionController } from "./tainteviction/taint-eviction-controller.ts";
import { ttlAfterFinishedController } from "./ttl-after-finished-controller.ts";
import { ttlController } from "./ttl-controller.ts";
import { validatingAdmissionPolicyStatusController } from "./validatingadmissionpolicy-status-controller.ts";
import { volumeAttributesClassProtectionController } from "./volumeattributesclass-protection-controller.ts";

export const controllers: readonly Controller[] = [
  serviceAccountController,
  rootCACertificatePublisher,
  namespaceController,
  resourceQuotaController,
  clusterRoleAggregationController,
  replicationController,
  replicaSetController,
  deploymentController,
  garbageCollector,
  nodeLifecycleController,
  persistentVolumeBinder,
  taintEvictionController,
  statefulSetController,
  daemonSetController,
  disruptionController,
  horizontalPodAutoscalerController,
  jobController,
  nodeIPAMController,
  persistentVolumeExpander,
  ephemeralVolumeController,
  pvcProtectionController,
  pvProtectionController,
  volumeAttributesClassProtectionController,
  serviceLBController,
  cronJobController,
  attachDetachController,
  cloudNodeController,
  cloudNodeLifecycleController,
  nodeRouteController,
  podGarbageCollectorController,
  ttlAfterFinishedController,
  ttlController,
  resourceClaimController,
  csrApprovingController,
  csrSigningController,
  csrCleanerController,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  serviceAccountTokenController,
  bootstrapSignerController,
  tokenCleanerController,
  serviceCIDRController,
  validatingAdmissionPolicyStatusController,
  legacyServiceAccountTokenCleaner,
];
