import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubeObject } from "../object.ts";
import type { RequestContext, Resource } from "../resource.ts";
import {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from "./index.ts";

const context = { now: "2026-01-01T00:00:00Z" } as unknown as RequestContext;

function made<T extends KubeObject>({ kind, defaults }: Resource<T>, body: object): T {
  const object = { apiVersion: "admissionregistration.k8s.io/v1", kind, metadata: { name: "a" }, ...body };
  defaults?.(object as unknown as T);
  return object as unknown as T;
}

function judged<T extends KubeObject>(resource: Resource<T>, body: object, old?: object): string[] {
  const object = made(resource, body);
  const errors = old
    ? resource.validateUpdate?.(object, made(resource, old), context)
    : resource.validate?.(object, context);
  return (errors ?? []).map(({ field, body }) => `${field}: ${body}`);
}

const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };
const webhook = {
  name: "a.example.com",
  clientConfig: { service: { name: "s", namespace: "n", path: "/x" } },
  rules: [rule],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
};
const hooks = (change: object, ...more: object[]) => ({ webhooks: [{ ...webhook, ...change }, ...more] });
const withRule = (change: object) => hooks({ rules: [{ ...rule, ...change }] });

describe("webhook configurations", () => {
  it("have upstream's defaults", () => {
    const body = () => ({ webhooks: [structuredClone(webhook)] });
    const [validating] = made(ValidatingWebhookConfiguration, body()).webhooks ?? [];
    assert.deepEqual(validating, {
      ...webhook,
      clientConfig: { service: { ...webhook.clientConfig.service, port: 443 } },
      rules: [{ ...rule, scope: "*" }],
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
    });
    const [mutating] = made(MutatingWebhookConfiguration, body()).webhooks ?? [];
    assert.equal(mutating?.reinvocationPolicy, "Never");
  });

  it("are taken when well made", () => {
    assert.deepEqual(judged(ValidatingWebhookConfiguration, hooks({})), []);
    const url = { clientConfig: { url: "https://example.com:8443/hook" } };
    assert.deepEqual(judged(MutatingWebhookConfiguration, hooks(url)), []);
    assert.deepEqual(judged(MutatingWebhookConfiguration, {}), []);
  });

  const client = (clientConfig: object) => hooks({ clientConfig });
  const at = "webhooks[0]";
  const form = "; desired format: https://host[/path]";
  const cases: [what: string, body: object, said: string[]][] = [
    [
      "a short name",
      hooks({ name: "a.b" }),
      [`${at}.name: Invalid value: "a.b": should be a domain with at least three segments separated by dots`],
    ],
    ["the same name twice", hooks({}, webhook), ['webhooks[1].name: Duplicate value: "a.example.com"']],
    [
      "no client",
      client({}),
      [`${at}.clientConfig: Required value: exactly one of url or service is required`],
    ],
    [
      "a URL of http with all that it may not have",
      client({ url: "http://u@h/p?q#f" }),
      [
        `${at}.clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme${form}`,
        `${at}.clientConfig.url: Invalid value: "u": user information is not permitted in the URL`,
        `${at}.clientConfig.url: Invalid value: "f": fragments are not permitted in the URL`,
        `${at}.clientConfig.url: Invalid value: "q": query parameters are not permitted in the URL`,
      ],
    ],
    [
      "a URL without host",
      client({ url: "https:///x" }),
      [`${at}.clientConfig.url: Invalid value: "": host must be provided${form}`],
    ],
    [
      "a service with nothing right",
      client({ service: { port: 70000, path: "a/b" } }),
      [
        `${at}.clientConfig.service.name: Required value: service name is required`,
        `${at}.clientConfig.service.namespace: Required value: service namespace is required`,
        `${at}.clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive`,
        `${at}.clientConfig.service.path: Invalid value: "a/b": must start with a '/'`,
        `${at}.clientConfig.service.path: Invalid value: "a/b": segment[0] may not be empty`,
      ],
    ],
    [
      "an empty rule",
      hooks({ rules: [{}] }),
      [
        `${at}.rules[0].operations: Required value`,
        `${at}.rules[0].apiGroups: Required value`,
        `${at}.rules[0].apiVersions: Required value`,
        `${at}.rules[0].resources: Required value`,
      ],
    ],
    [
      "an unknown operation beside all",
      withRule({ operations: ["*", "GET"] }),
      [
        `${at}.rules[0].operations: Invalid value: ["*","GET"]: if '*' is present, must not specify other operations`,
        `${at}.rules[0].operations[1]: Unsupported value: "GET": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"`,
      ],
    ],
    [
      "wildcards beside others",
      withRule({ resources: ["pods/*", "pods/status", "*", "nodes"] }),
      [
        `${at}.rules[0].resources[1]: Invalid value: "pods/status": if 'pods/*' is present, must not specify pods/status`,
        `${at}.rules[0].resources: Invalid value: ["pods/*","pods/status","*","nodes"]: if '*' is present, must not specify other resources without subresources`,
      ],
    ],
    [
      "an unknown scope",
      withRule({ scope: "All" }),
      [`${at}.rules[0].scope: Unsupported value: "All": supported values: "*", "Cluster", "Namespaced"`],
    ],
    [
      "side effects",
      hooks({ sideEffects: "Some" }),
      [`${at}.sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"`],
    ],
    [
      "a long timeout",
      hooks({ timeoutSeconds: 31 }),
      [`${at}.timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds`],
    ],
    [
      "no review version that is known",
      hooks({ admissionReviewVersions: ["v2", "v2"] }),
      [
        `${at}.admissionReviewVersions[1]: Invalid value: "v2": duplicate version`,
        `${at}.admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1`,
      ],
    ],
    [
      "match conditions without names and expressions",
      hooks({ matchConditions: [{ expression: " " }] }),
      [
        `${at}.matchConditions[0].expression: Required value`,
        `${at}.matchConditions[0].name: Required value`,
      ],
    ],
  ];
  for (const [what, body, said] of cases) {
    it(`are refused with ${what}`, () => {
      assert.deepEqual(judged(ValidatingWebhookConfiguration, body), said);
      assert.deepEqual(judged(MutatingWebhookConfiguration, body), said);
    });
  }

  it("may stay as they were stored", () => {
    const old = hooks({ sideEffects: "Some", admissionReviewVersions: ["v2"] }, webhook);
    assert.deepEqual(judged(ValidatingWebhookConfiguration, old, old), []);
    assert.equal(judged(ValidatingWebhookConfiguration, old, hooks({})).length, 3);
  });
});

const constraints = { resourceRules: [rule] };
const policy = { spec: { matchConstraints: constraints, validations: [{ expression: "true" }] } };

describe("ValidatingAdmissionPolicy", () => {
  it("is taken when well made, with its defaults", () => {
    const object = made(ValidatingAdmissionPolicy, structuredClone(policy));
    assert.deepEqual(ValidatingAdmissionPolicy.validate?.(object, context), []);
    assert.equal(object.spec?.failurePolicy, "Fail");
    assert.equal(object.spec?.matchConstraints?.matchPolicy, "Equivalent");
    assert.equal(object.spec?.matchConstraints?.resourceRules?.[0]?.scope, "*");
  });

  it("says all that is missing", () => {
    assert.deepEqual(judged(ValidatingAdmissionPolicy, { spec: {} }), [
      "spec.matchConstraints: Required value",
      "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
      "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
    ]);
  });

  it("holds parameters, variables, messages and annotations to their rules", () => {
    const spec = {
      ...policy.spec,
      paramKind: { apiVersion: "a/b/c", kind: "k_" },
      variables: [{ name: "in", expression: "" }],
      validations: [{ expression: "", message: "a\nb", reason: "Gone" }],
      auditAnnotations: [
        { key: "k", valueExpression: "''" },
        { key: "k", valueExpression: "" },
      ],
    };
    assert.deepEqual(
      judged(ValidatingAdmissionPolicy, { spec }).map((text) => text.slice(0, 90)),
      [
        'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        'spec.paramKind.kind: Invalid value: "k_": may have mixed case, but should otherwise match: ',
        'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier',
        "spec.variables[0].expression: Required value: expression is not specified",
        "spec.validations[0].expression: Required value: expression is not specified",
        'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
        'spec.validations[0].reason: Unsupported value: "Gone": supported values: "Forbidden", "Inv',
        "spec.auditAnnotations[1].valueExpression: Required value: valueExpression is not specified",
        'spec.auditAnnotations[1].key: Duplicate value: "k"',
      ].map((text) => text.slice(0, 90)),
    );
  });

  it("keeps spec and metadata on its status, and status on its spec", () => {
    const old = made(ValidatingAdmissionPolicy, { ...policy, status: { observedGeneration: 1 } });
    const now = made(ValidatingAdmissionPolicy, {
      metadata: { name: "a", labels: { a: "b" } },
      spec: {},
      status: { observedGeneration: 2 },
    });
    const { status } = ValidatingAdmissionPolicy.subresources;
    assert.ok(status?.acts === "update");
    status.prepare(now, old, context);
    assert.deepEqual(
      [now.spec, now.status, now.metadata.labels],
      [old.spec, { observedGeneration: 2 }, undefined],
    );
    ValidatingAdmissionPolicy.prepareForUpdate?.(now, old, context);
    assert.deepEqual(now.status, { observedGeneration: 1 });
    const conditions = [{ type: "a b", status: "Maybe", message: "", reason: "", lastTransitionTime: "" }];
    const wrong = status.validate?.(
      made(ValidatingAdmissionPolicy, { status: { conditions } }),
      old,
      context,
    );
    assert.deepEqual(
      wrong?.map(({ field }) => field.replace("status.conditions[0].", "")),
      ["type", "status", "lastTransitionTime", "reason"],
    );
  });
});

describe("the bindings and the mutating policy", () => {
  it("are taken when well made", () => {
    const paramRef = { name: "p", parameterNotFoundAction: "Deny" };
    const spec = { policyName: "p", paramRef, matchResources: constraints };
    assert.deepEqual(judged(MutatingAdmissionPolicyBinding, { spec }), []);
    const actions = { ...spec, validationActions: ["Deny", "Audit"] };
    assert.deepEqual(judged(ValidatingAdmissionPolicyBinding, { spec: actions }), []);
    const mutations = [{ patchType: "JSONPatch", jsonPatch: { expression: "[]" } }];
    const mutating = { matchConstraints: constraints, mutations, reinvocationPolicy: "Never" };
    assert.deepEqual(judged(MutatingAdmissionPolicy, { spec: mutating }), []);
  });

  it("are refused by upstream's paths and words", () => {
    const spec = { policyName: "p", paramRef: {}, validationActions: ["Deny", "Warn", "Deny"] };
    assert.deepEqual(judged(ValidatingAdmissionPolicyBinding, { spec }), [
      "spec.paramRef: Required value: one of name or selector must be specified",
      "spec.paramRef.parameterNotFoundAction: Required value",
      'spec.validationActions[2]: Duplicate value: "Deny"',
      'spec.validationActions: Invalid value: ["Deny","Warn","Deny"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ]);
    assert.deepEqual(judged(ValidatingAdmissionPolicyBinding, {}), [
      "spec.policyName: Required value",
      "spec.validationActions: Required value: at least one validation action is required",
    ]);
    const deleting = { resourceRules: [{ ...rule, operations: ["DELETE"] }] };
    const mutations = [
      { patchType: "JSONPatch", applyConfiguration: { expression: "x" } },
      { patchType: "X" },
    ];
    assert.deepEqual(judged(MutatingAdmissionPolicy, { spec: { matchConstraints: deleting, mutations } }), [
      'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
      "spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch",
      'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      'spec.mutations[1].patchType: Unsupported value: "X": supported values: "ApplyConfiguration", "JSONPatch"',
      "spec.reinvocationPolicy: Required value",
    ]);
  });

  it("print their parameters", () => {
    const cell = (paramRef?: object) =>
      MutatingAdmissionPolicyBinding.columns[2]?.cell(
        made(MutatingAdmissionPolicyBinding, { spec: { policyName: "p", paramRef } }),
        new Date(0),
      );
    assert.deepEqual(
      [cell(), cell({ name: "x" }), cell({ name: "x", namespace: "n" })],
      ["<unset>", "*/x", "n/x"],
    );
    assert.equal(
      cell({ selector: { matchLabels: { b: "2", a: "1" } } }),
      "&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{},}",
    );
  });
});
