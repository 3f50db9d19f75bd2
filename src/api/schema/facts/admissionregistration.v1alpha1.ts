import type { Facts } from "../facts.ts";

export const admissionregistrationV1alpha1: Facts = {
  id: "admissionregistration.v1alpha1",
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
  Mutation = admissionregistration.v1
  NamedRuleWithOperations = admissionregistration.v1
  ParamKind = admissionregistration.v1
  ParamRef = admissionregistration.v1
  TypeChecking = admissionregistration.v1
  ValidatingAdmissionPolicy@ = admissionregistration.v1
  ValidatingAdmissionPolicyBinding@ = admissionregistration.v1
  ValidatingAdmissionPolicyBindingList@ = admissionregistration.v1
  ValidatingAdmissionPolicyBindingSpec = admissionregistration.v1
  ValidatingAdmissionPolicyList@ = admissionregistration.v1
  ValidatingAdmissionPolicySpec = admissionregistration.v1
  ValidatingAdmissionPolicyStatus = admissionregistration.v1
  Validation = admissionregistration.v1
  Variable: 1 name, 2 expression
  `,
};
