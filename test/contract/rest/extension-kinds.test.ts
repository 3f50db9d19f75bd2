/** The kinds by which the API is extended, through the whole server: stored, read back, updated and deleted. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { at, type Shown, startTestServer, type TestServer } from "./harness.ts";

const ADMISSION = "/apis/admissionregistration.k8s.io/v1";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
const TABLE = { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } };
const MERGE = { "content-type": "application/merge-patch+json" };
const PROTOBUF = { accept: "application/vnd.kubernetes.protobuf" };

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server[Symbol.asyncDispose]());

const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };
const matchConstraints = { resourceRules: [rule] };

function webhooks(kind: string): object {
  const webhook = {
    name: "a.example.com",
    clientConfig: { url: "https://example.com/hook", caBundle: "AAAA" },
    rules: [rule],
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
  };
  return { kind, webhooks: [webhook] };
}

function widgets(): object {
  const color = { type: "string", default: "red", enum: ["red", "blue"] };
  const list = { type: "array", items: { type: "object", additionalProperties: { type: "integer" } } };
  const properties = { spec: { type: "object", properties: { color, list } } };
  const openAPIV3Schema = { type: "object", properties };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      names: { plural: "widgets", kind: "Widget" },
      scope: "Namespaced",
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

/** Name, body, the change of a merge patch that raises the generation, and the cells of the row but the age. */
const CASES: [plural: string, body: object, change: object, cells: unknown[]][] = [
  [
    "validatingwebhookconfigurations",
    webhooks("ValidatingWebhookConfiguration"),
    { webhooks: null },
    ["a", 1],
  ],
  ["mutatingwebhookconfigurations", webhooks("MutatingWebhookConfiguration"), { webhooks: null }, ["a", 1]],
  [
    "validatingadmissionpolicies",
    { kind: "ValidatingAdmissionPolicy", spec: { matchConstraints, validations: [{ expression: "true" }] } },
    { spec: { failurePolicy: "Ignore" } },
    ["a", 1, "<unset>"],
  ],
  [
    "validatingadmissionpolicybindings",
    { kind: "ValidatingAdmissionPolicyBinding", spec: { policyName: "p", validationActions: ["Deny"] } },
    { spec: { validationActions: ["Warn"] } },
    ["a", "p", "<unset>"],
  ],
  [
    "mutatingadmissionpolicies",
    {
      kind: "MutatingAdmissionPolicy",
      spec: {
        matchConstraints,
        mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: "[]" } }],
        reinvocationPolicy: "Never",
      },
    },
    { spec: { reinvocationPolicy: "IfNeeded" } },
    ["a", 1, "<unset>"],
  ],
  [
    "mutatingadmissionpolicybindings",
    { kind: "MutatingAdmissionPolicyBinding", spec: { policyName: "p" } },
    { spec: { policyName: "q" } },
    ["a", "p", "<unset>"],
  ],
];

describe("the kinds of admissionregistration", () => {
  for (const [plural, body, change, cells] of CASES) {
    test(`${plural} are created, printed, patched and deleted`, async () => {
      const url = `${ADMISSION}/${plural}`;
      const made = await server.create(url, {
        apiVersion: "admissionregistration.k8s.io/v1",
        metadata: { name: "a" },
        ...body,
      });
      assert.equal(made.metadata.generation, 1);
      assert.deepEqual((await server.get(`${url}/a`)).object, made);
      const { rows } = (await server.get(`${url}/a`, TABLE)).object;
      assert.deepEqual(rows[0]?.cells.slice(0, -1), cells);
      assert.equal((await server.get(`${url}/a`, { headers: PROTOBUF })).code, 200);
      const patched = await server.ask("PATCH", `${url}/a`, { body: change, headers: MERGE });
      assert.deepEqual([patched.code, patched.object.metadata.generation], [200, 2], patched.text);
      const stale = { ...made, metadata: { name: "a" } };
      const unconditional = await server.ask("PUT", `${url}/a`, { body: stale });
      assert.match(
        unconditional.object.message,
        /metadata\.resourceVersion: .*must be specified for an update/,
      );
      assert.equal((await server.ask("DELETE", `${url}/a`)).object.kind, "Status");
    });
  }
});

describe("customresourcedefinitions", () => {
  test("keep their schemas, status and stored versions apart", async () => {
    const made = await server.create(CRDS, widgets());
    assert.equal(at(made, "spec.names.listKind"), "WidgetList");
    assert.deepEqual(made.status, {
      acceptedNames: { kind: "", plural: "" },
      conditions: [],
      storedVersions: ["v1"],
    });
    const read = (await server.get(`${CRDS}/widgets.example.com`)).object;
    assert.deepEqual(read, made);
    const conditions = [{ type: "Established", status: "True", reason: "x", message: "" }];
    const status = { acceptedNames: at(made, "spec.names"), conditions, storedVersions: ["v1"] };
    const accepted = await server.ask("PUT", `${CRDS}/widgets.example.com/status`, {
      body: { ...made, spec: {}, status },
    });
    assert.equal(accepted.code, 200, accepted.text);
    assert.deepEqual(
      [accepted.object.spec, at(accepted.object, "status.conditions")],
      [made.spec, conditions],
    );
    const scope = await server.ask("PATCH", `${CRDS}/widgets.example.com`, {
      body: { spec: { scope: "Cluster" }, status: null },
      headers: MERGE,
    });
    assert.equal(
      scope.object.message,
      'CustomResourceDefinition.apiextensions.k8s.io "widgets.example.com" is invalid: spec.scope: Invalid value: "Cluster": field is immutable',
    );
    const { rows, columnDefinitions } = (await server.get(CRDS, TABLE)).object;
    assert.deepEqual(
      columnDefinitions?.map(({ name }) => name),
      ["Name", "Created At"],
    );
    assert.deepEqual(rows[0]?.cells, ["widgets.example.com", made.metadata.creationTimestamp]);
    assert.equal((await server.ask("DELETE", `${CRDS}/widgets.example.com`)).code, 200);
  });

  test("are refused with every error at once", async () => {
    const bad = widgets() as Shown;
    const { code, object } = await server.ask("POST", CRDS, {
      body: { ...bad, metadata: { name: "x" }, spec: { ...bad.spec, scope: "All", group: "nodot" } },
    });
    assert.equal(code, 422);
    assert.deepEqual(
      (object.details as { causes: { field: string }[] }).causes.map(({ field }) => field),
      ["metadata.name", "spec.group", "spec.scope"],
    );
  });
});

describe("apiservices", () => {
  test("are available at once when local", async () => {
    const spec = { group: "example.com", version: "v1", groupPriorityMinimum: 100, versionPriority: 10 };
    const made = await server.create(SERVICES, {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: "v1.example.com" },
      spec,
    });
    assert.equal(made.metadata.generation, undefined);
    assert.equal(at(made, "status.conditions.0.reason"), "Local");
    const { rows } = (await server.get(SERVICES, TABLE)).object;
    const row = rows.find(({ cells }) => cells[0] === "v1.example.com");
    assert.deepEqual(row?.cells.slice(0, 3), ["v1.example.com", "Local", "True"]);
    assert.equal((await server.ask("DELETE", `${SERVICES}/v1.example.com`)).code, 200);
  });
});
