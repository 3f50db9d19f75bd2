import type { Facts } from "../facts.ts";

export const appsV1: Facts = {
  id: "apps.v1",
  group: "apps",
  messages: `
  ControllerRevision@: 1 metadata, 2 data RawExtension, 3 revision
  ControllerRevisionList@: 1 metadata, 2 items
  DaemonSet@: 1 metadata, 2 spec, 3 status
  DaemonSetCondition: 1 type, 2 status, 3 lastTransitionTime, 4 reason, 5 message
  DaemonSetList@: 1 metadata, 2 items
  DaemonSetSpec: 1 selector, 2 template, 3 updateStrategy, 4 minReadySeconds, 6 revisionHistoryLimit
  DaemonSetStatus: 1 currentNumberScheduled, 2 numberMisscheduled, 3 desiredNumberScheduled,
    4 numberReady, 5 observedGeneration, 6 updatedNumberScheduled, 7 numberAvailable, 8 numberUnavailable,
    9 collisionCount, 10 conditions
  DaemonSetUpdateStrategy: 1 type, 2 rollingUpdate
  Deployment@: 1 metadata, 2 spec, 3 status
  DeploymentCondition: 1 type, 2 status, 4 reason, 5 message, 6 lastUpdateTime, 7 lastTransitionTime
  DeploymentList@: 1 metadata, 2 items
  DeploymentSpec: 1 replicas, 2 selector, 3 template, 4 strategy, 5 minReadySeconds,
    6 revisionHistoryLimit, 7 paused, 9 progressDeadlineSeconds
  DeploymentStatus: 1 observedGeneration, 2 replicas, 3 updatedReplicas, 4 availableReplicas,
    5 unavailableReplicas, 6 conditions, 7 readyReplicas, 8 collisionCount, 9 terminatingReplicas
  DeploymentStrategy: 1 type, 2 rollingUpdate
  ReplicaSet@: 1 metadata, 2 spec, 3 status
  ReplicaSetCondition: 1 type, 2 status, 3 lastTransitionTime, 4 reason, 5 message
  ReplicaSetList@: 1 metadata, 2 items
  ReplicaSetSpec: 1 replicas, 2 selector, 3 template, 4 minReadySeconds
  ReplicaSetStatus: 1 replicas, 2 fullyLabeledReplicas, 3 observedGeneration, 4 readyReplicas,
    5 availableReplicas, 6 conditions, 7 terminatingReplicas
  RollingUpdateDaemonSet: 1 maxUnavailable, 2 maxSurge
  RollingUpdateDeployment: 1 maxUnavailable, 2 maxSurge
  RollingUpdateStatefulSetStrategy: 1 partition, 2 maxUnavailable
  StatefulSet@: 1 metadata, 2 spec, 3 status
  StatefulSetCondition: 1 type, 2 status, 3 lastTransitionTime, 4 reason, 5 message
  StatefulSetList@: 1 metadata, 2 items
  StatefulSetOrdinals: 1 start
  StatefulSetPersistentVolumeClaimRetentionPolicy: 1 whenDeleted, 2 whenScaled
  StatefulSetSpec: 1 replicas, 2 selector, 3 template, 4 volumeClaimTemplates, 5 serviceName,
    6 podManagementPolicy, 7 updateStrategy, 8 revisionHistoryLimit, 9 minReadySeconds,
    10 persistentVolumeClaimRetentionPolicy, 11 ordinals
  StatefulSetStatus: 1 observedGeneration, 2 replicas, 3 readyReplicas, 4 currentReplicas,
    5 updatedReplicas, 6 currentRevision, 7 updateRevision, 9 collisionCount, 10 conditions,
    11 availableReplicas
  StatefulSetUpdateStrategy: 1 type, 2 rollingUpdate
  `,
  merging: `
  DaemonSetStatus: conditions map(type) merge(type)
  DeploymentSpec: strategy retainKeys
  DeploymentStatus: conditions map(type) merge(type)
  ReplicaSetStatus: conditions map(type) merge(type)
  StatefulSetSpec: volumeClaimTemplates atomic
  StatefulSetStatus: conditions map(type) merge(type)
  `,
  enums: `
  DaemonSetUpdateStrategy: type OnDelete|RollingUpdate
  DeploymentStrategy: type Recreate|RollingUpdate
  StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted Delete|Retain, whenScaled Delete|Retain
  StatefulSetSpec: podManagementPolicy OrderedReady|Parallel
  StatefulSetUpdateStrategy: type OnDelete|RollingUpdate
  `,
  pointers: `
  DaemonSetSpec: revisionHistoryLimit
  DaemonSetStatus: collisionCount
  DeploymentSpec: progressDeadlineSeconds, replicas, revisionHistoryLimit
  DeploymentStatus: collisionCount, terminatingReplicas
  ReplicaSetSpec: replicas
  ReplicaSetStatus: terminatingReplicas
  RollingUpdateDaemonSet: maxSurge, maxUnavailable
  RollingUpdateDeployment: maxSurge, maxUnavailable
  RollingUpdateStatefulSetStrategy: maxUnavailable, partition
  StatefulSetSpec: replicas, revisionHistoryLimit
  StatefulSetStatus: collisionCount
  `,
};
