import type { Facts } from "../facts.ts";

export const appsV1beta2: Facts = {
  id: "apps.v1beta2",
  group: "apps",
  unserved: true,
  messages: `
  ControllerRevision@ = apps.v1
  ControllerRevisionList@ = apps.v1
  DaemonSet@ = apps.v1
  DaemonSetCondition = apps.v1
  DaemonSetList@ = apps.v1
  DaemonSetSpec = apps.v1
  DaemonSetStatus = apps.v1
  DaemonSetUpdateStrategy = apps.v1
  Deployment@ = apps.v1
  DeploymentCondition = apps.v1
  DeploymentList@ = apps.v1
  DeploymentSpec = apps.v1
  DeploymentStatus = apps.v1
  DeploymentStrategy = apps.v1
  ReplicaSet@ = apps.v1
  ReplicaSetCondition = apps.v1
  ReplicaSetList@ = apps.v1
  ReplicaSetSpec = apps.v1
  ReplicaSetStatus = apps.v1
  RollingUpdateDaemonSet = apps.v1
  RollingUpdateDeployment = apps.v1
  RollingUpdateStatefulSetStrategy = apps.v1
  Scale@: 1 metadata meta.v1.ObjectMeta, 2 spec ScaleSpec, 3 status ScaleStatus
  ScaleSpec: 1 replicas int32
  ScaleStatus: 1 replicas int32, 2 selector {string}, 3 targetSelector string
  StatefulSet@ = apps.v1
  StatefulSetCondition = apps.v1
  StatefulSetList@ = apps.v1
  StatefulSetOrdinals = apps.v1
  StatefulSetPersistentVolumeClaimRetentionPolicy = apps.v1
  StatefulSetSpec = apps.v1
  StatefulSetStatus = apps.v1
  StatefulSetUpdateStrategy = apps.v1
  `,
};
