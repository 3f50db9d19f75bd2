import type { Facts } from "../facts.ts";

export const flowcontrolV1: Facts = {
  id: "flowcontrol.v1",
  group: "flowcontrol.apiserver.k8s.io",
  messages: `
  ExemptPriorityLevelConfiguration: 1 nominalConcurrencyShares, 2 lendablePercent
  FlowDistinguisherMethod: 1 type
  FlowSchema@: 1 metadata, 2 spec, 3 status
  FlowSchemaCondition: 1 type, 2 status, 3 lastTransitionTime, 4 reason, 5 message
  FlowSchemaList@: 1 metadata, 2 items
  FlowSchemaSpec: 1 priorityLevelConfiguration, 2 matchingPrecedence, 3 distinguisherMethod, 4 rules
  FlowSchemaStatus: 1 conditions
  GroupSubject: 1 name
  LimitResponse: 1 type, 2 queuing
  LimitedPriorityLevelConfiguration: 1 nominalConcurrencyShares, 2 limitResponse, 3 lendablePercent,
    4 borrowingLimitPercent
  NonResourcePolicyRule: 1 verbs, 6 nonResourceURLs
  PolicyRulesWithSubjects: 1 subjects, 2 resourceRules, 3 nonResourceRules
  PriorityLevelConfiguration@: 1 metadata, 2 spec, 3 status
  PriorityLevelConfigurationCondition: 1 type, 2 status, 3 lastTransitionTime, 4 reason, 5 message
  PriorityLevelConfigurationList@: 1 metadata, 2 items
  PriorityLevelConfigurationReference: 1 name
  PriorityLevelConfigurationSpec: 1 type, 2 limited, 3 exempt
  PriorityLevelConfigurationStatus: 1 conditions
  QueuingConfiguration: 1 queues, 2 handSize, 3 queueLengthLimit
  ResourcePolicyRule: 1 verbs, 2 apiGroups, 3 resources, 4 clusterScope, 5 namespaces
  ServiceAccountSubject: 1 namespace, 2 name
  Subject: 1 kind, 2 user, 3 group, 4 serviceAccount
  UserSubject: 1 name
  `,
  merging: `
  FlowSchemaSpec: rules atomic
  FlowSchemaStatus: conditions map(type) merge(type)
  NonResourcePolicyRule: nonResourceURLs set, verbs set
  PolicyRulesWithSubjects: nonResourceRules atomic, resourceRules atomic, subjects atomic
  PriorityLevelConfigurationStatus: conditions map(type) merge(type)
  ResourcePolicyRule: apiGroups set, namespaces set, resources set, verbs set
  `,
  pointers: `
  ExemptPriorityLevelConfiguration: lendablePercent, nominalConcurrencyShares
  LimitedPriorityLevelConfiguration: borrowingLimitPercent, lendablePercent, nominalConcurrencyShares
  `,
};
