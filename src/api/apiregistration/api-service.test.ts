import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RequestContext } from "../resource.ts";
import { APIService } from "./index.ts";

const context = { now: "2026-01-01T00:00:00Z" } as unknown as RequestContext;

function made(spec: object, name = "v1.metrics.example.com"): APIService {
  const object = {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name },
    spec: {
      group: "metrics.example.com",
      version: "v1",
      groupPriorityMinimum: 100,
      versionPriority: 100,
      ...spec,
    },
  } as APIService;
  APIService.defaults?.(object);
  return object;
}

function judged(spec: object, name?: string): string[] {
  return (APIService.validate?.(made(spec, name), context) ?? []).map(
    ({ field, body }) => `${field}: ${body}`,
  );
}

const service = { name: "s", namespace: "n" };
const cases: [what: string, spec: object, said: string[], name?: string][] = [
  ["nothing wrong, behind a service", { service }, []],
  ["nothing wrong, local", {}, []],
  ["the core group", { group: "" }, [], "v1."],
  [
    "another name",
    {},
    ['metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.metrics.example.com"'],
    "x",
  ],
  [
    "no group",
    { group: "", version: "v2" },
    ["spec.group: Required value: only v1 may have an empty group and it better be legacy kube"],
    "v2.",
  ],
  [
    "priorities out of range",
    { groupPriorityMinimum: 20001, versionPriority: 0 },
    [
      "spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000",
      "spec.versionPriority: Invalid value: 0: must be positive and less than 1000",
    ],
  ],
  [
    "a connection for a local one",
    { caBundle: "AAAA", insecureSkipTLSVerify: true },
    [
      'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
      "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify",
    ],
  ],
  [
    "half a service",
    { service: {}, caBundle: "AAAA", insecureSkipTLSVerify: true },
    [
      "spec.service.namespace: Required value",
      "spec.service.name: Required value",
      "spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present",
    ],
  ],
];

describe("APIService", () => {
  for (const [what, spec, said, name] of cases) {
    it(`is judged with ${what}`, () => assert.deepEqual(judged(spec, name), said));
  }

  it("is available at once when local, and not before somebody says so behind a service", () => {
    const cells = (object: APIService) =>
      APIService.columns.slice(1, 3).map(({ cell }) => cell(object, new Date(0)));
    const local = made({});
    APIService.prepareForCreate?.(local, context);
    assert.deepEqual(local.status?.conditions, [
      {
        type: "Available",
        status: "True",
        lastTransitionTime: context.now,
        reason: "Local",
        message: "Local APIServices are always available",
      },
    ]);
    assert.deepEqual(cells(local), ["Local", "True"]);
    const remote = made({ service: { ...service } });
    APIService.prepareForCreate?.(remote, context);
    assert.deepEqual(cells(remote), ["n/s", "Unknown"]);
    assert.equal(remote.spec?.service?.port, 443);
    const conditions = [{ type: "Available", status: "False", reason: "MissingEndpoints" }];
    assert.deepEqual(cells({ ...remote, status: { conditions } }), ["n/s", "False (MissingEndpoints)"]);
  });
});
