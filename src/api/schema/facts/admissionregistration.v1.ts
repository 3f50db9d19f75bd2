import type { Facts } from "../facts.ts";

export const admissionregistrationV1: Facts = {
  id: "admissionregistration.v1",
  group: "admissionregistration.k8s.io",
  messages: `
  ApplyConfiguration: 1 expression
  AuditAnnotation: 1 key, 2 valueExpression
  ExpressionWarning: 2 fieldRef, 3 warning
  JSONPatch: 1 expression
  MatchCondition: 1 name, 2 expression
  MatchResources: 1 namespaceSelector, 2 objectSelector, 3 resourceRules, 4 excludeResourceRules,
    7 matchPolicy
  MutatingAdmissionPolicy@: 1 metadata, 2 spec
  MutatingAdmissionPolicyBinding@: 1 metadata, 2 spec
  MutatingAdmissionPolicyBindingList@: 1 metadata, 2 items
  MutatingAdmissionPolicyBindingSpec: 1 policyName, 2 paramRef, 3 matchResources
  MutatingAdmissionPolicyList@: 1 metadata, 2 items
  MutatingAdmissionPolicySpec: 1 paramKind, 2 matchConstraints, 3 variables, 4 mutations, 5 failurePolicy,
    6 matchConditions, 7 reinvocationPolicy
  MutatingWebhook: 1 name, 2 clientConfig, 3 rules, 4 failurePolicy, 5 namespaceSelector, 6 sideEffects,
    7 timeoutSeconds, 8 admissionReviewVersions, 9 matchPolicy, 10 reinvocationPolicy, 11 objectSelector,
    12 matchConditions
  MutatingWebhookConfiguration@: 1 metadata, 2 webhooks
  MutatingWebhookConfigurationList@: 1 metadata, 2 items
  Mutation: 2 patchType, 3 applyConfiguration, 4 jsonPatch
  NamedRuleWithOperations: 1 resourceNames, 2/1 operations, 2/2/1 apiGroups, 2/2/2 apiVersions,
    2/2/3 resources, 2/2/4 scope
  ParamKind: 1 apiVersion, 2 kind
  ParamRef: 1 name, 2 namespace, 3 selector, 4 parameterNotFoundAction
  RuleWithOperations: 1 operations, 2/1 apiGroups, 2/2 apiVersions, 2/3 resources, 2/4 scope
  ServiceReference: 1 namespace, 2 name, 3 path, 4 port
  TypeChecking: 1 expressionWarnings
  ValidatingAdmissionPolicy@: 1 metadata, 2 spec, 3 status
  ValidatingAdmissionPolicyBinding@: 1 metadata, 2 spec
  ValidatingAdmissionPolicyBindingList@: 1 metadata, 2 items
  ValidatingAdmissionPolicyBindingSpec: 1 policyName, 2 paramRef, 3 matchResources, 4 validationActions
  ValidatingAdmissionPolicyList@: 1 metadata, 2 items
  ValidatingAdmissionPolicySpec: 1 paramKind, 2 matchConstraints, 3 validations, 4 failurePolicy,
    5 auditAnnotations, 6 matchConditions, 7 variables
  ValidatingAdmissionPolicyStatus: 1 observedGeneration, 2 typeChecking, 3 conditions
  ValidatingWebhook: 1 name, 2 clientConfig, 3 rules, 4 failurePolicy, 5 namespaceSelector, 6 sideEffects,
    7 timeoutSeconds, 8 admissionReviewVersions, 9 matchPolicy, 10 objectSelector, 11 matchConditions
  ValidatingWebhookConfiguration@: 1 metadata, 2 webhooks
  ValidatingWebhookConfigurationList@: 1 metadata, 2 items
  Validation: 1 expression, 2 message, 3 reason, 4 messageExpression
  Variable: 1 name, 2 expression
  WebhookClientConfig: 1 service, 2 caBundle, 3 url
  `,
  merging: `
  MatchResources: excludeResourceRules atomic, resourceRules atomic
  MutatingAdmissionPolicySpec: matchConditions map(name) merge(name), mutations atomic, variables atomic
  MutatingWebhook: admissionReviewVersions atomic, matchConditions map(name) merge(name), rules atomic
  MutatingWebhookConfiguration: webhooks map(name) merge(name)
  NamedRuleWithOperations: apiGroups atomic, apiVersions atomic, operations atomic, resourceNames atomic,
    resources atomic
  RuleWithOperations: apiGroups atomic, apiVersions atomic, operations atomic, resources atomic
  TypeChecking: expressionWarnings atomic
  ValidatingAdmissionPolicyBindingSpec: validationActions set
  ValidatingAdmissionPolicySpec: auditAnnotations atomic, matchConditions map(name) merge(name),
    validations atomic, variables map(name) merge(name)
  ValidatingAdmissionPolicyStatus: conditions map(type)
  ValidatingWebhook: admissionReviewVersions atomic, matchConditions map(name) merge(name), rules atomic
  ValidatingWebhookConfiguration: webhooks map(name) merge(name)
  `,
  atomic: `
  MatchResources, NamedRuleWithOperations, ParamKind, ParamRef, Variable
  `,
  enums: `
  MutatingWebhook: failurePolicy Fail|Ignore, matchPolicy Equivalent|Exact, reinvocationPolicy IfNeeded|Never,
    sideEffects None|NoneOnDryRun|Some|Unknown
  NamedRuleWithOperations: operations *|CONNECT|CREATE|DELETE|UPDATE, scope *|Cluster|Namespaced
  RuleWithOperations: operations *|CONNECT|CREATE|DELETE|UPDATE, scope *|Cluster|Namespaced
  ValidatingAdmissionPolicyBindingSpec: validationActions Audit|Deny|Warn
  ValidatingAdmissionPolicySpec: failurePolicy Fail|Ignore
  ValidatingWebhook: failurePolicy Fail|Ignore, matchPolicy Equivalent|Exact,
    sideEffects None|NoneOnDryRun|Some|Unknown
  `,
  pointers: `
  MatchResources: matchPolicy
  MutatingWebhook: failurePolicy, matchPolicy, reinvocationPolicy, sideEffects, timeoutSeconds
  NamedRuleWithOperations: scope
  ParamRef: parameterNotFoundAction
  RuleWithOperations: scope
  ServiceReference: path, port
  ValidatingAdmissionPolicySpec: failurePolicy
  ValidatingWebhook: failurePolicy, matchPolicy, sideEffects, timeoutSeconds
  Validation: reason
  WebhookClientConfig: url
  `,
};
