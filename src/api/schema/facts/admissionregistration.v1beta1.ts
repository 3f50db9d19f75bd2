import type { Facts } from "../facts.ts";

export const admissionregistrationV1beta1: Facts = {
  id: "admissionregistration.v1beta1",
  group: "admissionregistration.k8s.io",
  messages: `
  ApplyConfiguration = admissionregistration.v1
  AuditAnnotation = admissionregistration.v1
  ExpressionWarning = admissionregistration.v1
  JSONPatch = admissionregistration.v1
  MatchCondition = admissionregistration.v1
  MatchResources = admissionregistration.v1
  MutatingAdmissionPolicy@ = admissionregistration.v1
  MutatingAdmissionPolicyBinding@ = admissionregistration.v1
  MutatingAdmissionPolicyBindingList@ = admissionregistration.v1
  MutatingAdmissionPolicyBindingSpec = admissionregistration.v1
  MutatingAdmissionPolicyList@ = admissionregistration.v1
  MutatingAdmissionPolicySpec = admissionregistration.v1
  MutatingWebhook: 1 name string, 2 clientConfig WebhookClientConfig,
    3 rules [admissionregistration.v1.RuleWithOperations], 4 failurePolicy string,
    5 namespaceSelector meta.v1.LabelSelector, 6 sideEffects string, 7 timeoutSeconds int32,
    8 admissionReviewVersions [string], 9 matchPolicy string, 10 reinvocationPolicy string,
    11 objectSelector meta.v1.LabelSelector, 12 matchConditions [MatchCondition]
  MutatingWebhookConfiguration@ = admissionregistration.v1
  MutatingWebhookConfigurationList@ = admissionregistration.v1
  Mutation = admissionregistration.v1
  NamedRuleWithOperations = admissionregistration.v1
  ParamKind = admissionregistration.v1
  ParamRef = admissionregistration.v1
  ServiceReference = admissionregistration.v1
  TypeChecking = admissionregistration.v1
  ValidatingAdmissionPolicy@ = admissionregistration.v1
  ValidatingAdmissionPolicyBinding@ = admissionregistration.v1
  ValidatingAdmissionPolicyBindingList@ = admissionregistration.v1
  ValidatingAdmissionPolicyBindingSpec = admissionregistration.v1
  ValidatingAdmissionPolicyList@ = admissionregistration.v1
  ValidatingAdmissionPolicySpec = admissionregistration.v1
  ValidatingAdmissionPolicyStatus = admissionregistration.v1
  ValidatingWebhook: 1 name string, 2 clientConfig WebhookClientConfig,
    3 rules [admissionregistration.v1.RuleWithOperations], 4 failurePolicy string,
    5 namespaceSelector meta.v1.LabelSelector, 6 sideEffects string, 7 timeoutSeconds int32,
    8 admissionReviewVersions [string], 9 matchPolicy string, 10 objectSelector meta.v1.LabelSelector,
    11 matchConditions [MatchCondition]
  ValidatingWebhookConfiguration@ = admissionregistration.v1
  ValidatingWebhookConfigurationList@ = admissionregistration.v1
  Validation = admissionregistration.v1
  Variable = admissionregistration.v1
  WebhookClientConfig = admissionregistration.v1
  `,
};
