import type { Facts } from "../facts.ts";

export const extensionsV1beta1: Facts = {
  id: "extensions.v1beta1",
  group: "extensions",
  unserved: true,
  messages: `
  DaemonSet@ = apps.v1
  DaemonSetCondition = apps.v1
  DaemonSetList@ = apps.v1
  DaemonSetSpec: 1 selector meta.v1.LabelSelector, 2 template core.v1.PodTemplateSpec,
    3 updateStrategy DaemonSetUpdateStrategy, 4 minReadySeconds int32, 5 templateGeneration int64,
    6 revisionHistoryLimit int32
  DaemonSetStatus = apps.v1
  DaemonSetUpdateStrategy = apps.v1
  Deployment@ = apps.v1
  DeploymentCondition = apps.v1
  DeploymentList@ = apps.v1
  DeploymentRollback@: 1 name string, 2 updatedAnnotations {string}, 3 rollbackTo RollbackConfig
  DeploymentSpec: 1 replicas int32, 2 selector meta.v1.LabelSelector, 3 template core.v1.PodTemplateSpec,
    4 strategy DeploymentStrategy, 5 minReadySeconds int32, 6 revisionHistoryLimit int32,
    7 paused boolean, 8 rollbackTo RollbackConfig, 9 progressDeadlineSeconds int32
  DeploymentStatus = apps.v1
  DeploymentStrategy = apps.v1
  HTTPIngressPath = networking.v1
  HTTPIngressRuleValue = networking.v1
  IPBlock = networking.v1
  Ingress@ = networking.v1
  IngressBackend: 1 serviceName string, 2 servicePort IntOrString,
    3 resource core.v1.TypedLocalObjectReference
  IngressList@ = networking.v1
  IngressLoadBalancerIngress = networking.v1
  IngressLoadBalancerStatus = networking.v1
  IngressPortStatus = networking.v1
  IngressRule = networking.v1
  IngressSpec: 1 backend IngressBackend, 2 tls [IngressTLS], 3 rules [IngressRule],
    4 ingressClassName string
  IngressStatus = networking.v1
  IngressTLS = networking.v1
  NetworkPolicy@ = networking.v1
  NetworkPolicyEgressRule = networking.v1
  NetworkPolicyIngressRule = networking.v1
  NetworkPolicyList@ = networking.v1
  NetworkPolicyPeer = networking.v1
  NetworkPolicyPort = networking.v1
  NetworkPolicySpec = networking.v1
  ReplicaSet@ = apps.v1
  ReplicaSetCondition = apps.v1
  ReplicaSetList@ = apps.v1
  ReplicaSetSpec = apps.v1
  ReplicaSetStatus = apps.v1
  RollbackConfig: 1 revision int64
  RollingUpdateDaemonSet = apps.v1
  RollingUpdateDeployment = apps.v1
  Scale@: 1 metadata meta.v1.ObjectMeta, 2 spec ScaleSpec, 3 status ScaleStatus
  ScaleSpec: 1 replicas int32
  ScaleStatus: 1 replicas int32, 2 selector {string}, 3 targetSelector string
  `,
};
