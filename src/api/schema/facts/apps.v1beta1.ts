import type { Facts } from "../facts.ts";

export const appsV1beta1: Facts = {
  id: "apps.v1beta1",
  group: "apps",
  unserved: true,
  messages: `
  ControllerRevision@ = apps.v1
  ControllerRevisionList@ = apps.v1
  Deployment@ = apps.v1
  DeploymentCondition = apps.v1
  DeploymentList@ = apps.v1
  DeploymentRollback@: 1 name string, 2 updatedAnnotations {string}, 3 rollbackTo RollbackConfig
  DeploymentSpec: 1 replicas int32, 2 selector meta.v1.LabelSelector, 3 template core.v1.PodTemplateSpec,
    4 strategy DeploymentStrategy, 5 minReadySeconds int32, 6 revisionHistoryLimit int32,
    7 paused boolean, 8 rollbackTo RollbackConfig, 9 progressDeadlineSeconds int32
  DeploymentStatus = apps.v1
  DeploymentStrategy = apps.v1
  RollbackConfig: 1 revision int64
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
