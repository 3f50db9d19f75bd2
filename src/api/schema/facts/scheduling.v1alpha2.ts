import type { Facts } from "../facts.ts";

export const schedulingV1alpha2: Facts = {
  id: "scheduling.v1alpha2",
  group: "scheduling.k8s.io",
  messages: `
  BasicSchedulingPolicy:
  GangSchedulingPolicy: 1 minCount
  PodGroup@: 1 metadata, 2 spec, 3 status
  PodGroupList@: 1 metadata, 2 items
  PodGroupResourceClaim: 1 name, 2 resourceClaimName, 3 resourceClaimTemplateName
  PodGroupResourceClaimStatus: 1 name, 2 resourceClaimName
  PodGroupSchedulingConstraints: 1 topology
  PodGroupSchedulingPolicy: 1 basic BasicSchedulingPolicy, 2 gang
  PodGroupSpec: 1 podGroupTemplateRef, 2 schedulingPolicy, 3 schedulingConstraints, 4 resourceClaims,
    5 disruptionMode, 6 priorityClassName, 7 priority
  PodGroupStatus: 1 conditions, 2 resourceClaimStatuses
  PodGroupTemplate: 1 name, 2 schedulingPolicy, 3 schedulingConstraints, 4 resourceClaims,
    5 disruptionMode, 6 priorityClassName, 7 priority
  PodGroupTemplateReference: 1 workload
  TopologyConstraint: 1 key
  TypedLocalObjectReference: 1 apiGroup, 2 kind, 3 name
  Workload@: 1 metadata, 2 spec
  WorkloadList@: 1 metadata, 2 items
  WorkloadPodGroupTemplateReference: 1 workloadName, 2 podGroupTemplateName
  WorkloadSpec: 1 controllerRef, 2 podGroupTemplates
  `,
  merging: `
  PodGroupSchedulingConstraints: topology atomic
  PodGroupSpec: resourceClaims map(name) merge(name) retainKeys
  PodGroupStatus: conditions map(type) merge(type), resourceClaimStatuses map(name) merge(name) retainKeys
  PodGroupTemplate: resourceClaims map(name) merge(name) retainKeys
  WorkloadSpec: podGroupTemplates map(name)
  `,
};
