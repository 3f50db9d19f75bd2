import type { Facts } from "../facts.ts";

export const flowcontrolV1beta3: Facts = {
  id: "flowcontrol.v1beta3",
  group: "flowcontrol.apiserver.k8s.io",
  unserved: true,
  messages: `
  ExemptPriorityLevelConfiguration = flowcontrol.v1
  FlowDistinguisherMethod = flowcontrol.v1
  FlowSchema@ = flowcontrol.v1
  FlowSchemaCondition = flowcontrol.v1
  FlowSchemaList@ = flowcontrol.v1
  FlowSchemaSpec = flowcontrol.v1
  FlowSchemaStatus = flowcontrol.v1
  GroupSubject = flowcontrol.v1
  LimitResponse = flowcontrol.v1
  LimitedPriorityLevelConfiguration = flowcontrol.v1
  NonResourcePolicyRule = flowcontrol.v1
  PolicyRulesWithSubjects = flowcontrol.v1
  PriorityLevelConfiguration@ = flowcontrol.v1
  PriorityLevelConfigurationCondition = flowcontrol.v1
  PriorityLevelConfigurationList@ = flowcontrol.v1
  PriorityLevelConfigurationReference = flowcontrol.v1
  PriorityLevelConfigurationSpec = flowcontrol.v1
  PriorityLevelConfigurationStatus = flowcontrol.v1
  QueuingConfiguration = flowcontrol.v1
  ResourcePolicyRule = flowcontrol.v1
  ServiceAccountSubject = flowcontrol.v1
  Subject = flowcontrol.v1
  UserSubject = flowcontrol.v1
  `,
};
