import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { bitString, integer, objectIdentifier, sequence } from "../base/x509/der.ts";
import { pemOf } from "../base/x509/pem.ts";
import { FieldPath } from "../machinery/field/path.ts";
import { resources as admissionregistration } from "./admissionregistration/index.ts";
import { resources as apiextensions } from "./apiextensions/index.ts";
import { resources as apiregistration } from "./apiregistration/index.ts";
import { CertificateSigningRequest, resources as certificates } from "./certificates/index.ts";
import { resources as coordination, Lease } from "./coordination/index.ts";
import { resources as discovery, EndpointSlice } from "./discovery/index.ts";
import { FlowSchema, resources as flowcontrol } from "./flowcontrol/index.ts";
import { Ingress, NetworkPolicy, resources as networking, ServiceCIDR } from "./networking/index.ts";
import { resources as node } from "./node/index.ts";
import type { KubeObject } from "./object.ts";
import { PodDisruptionBudget, resources as policy } from "./policy/index.ts";
import { ClusterRole, Role, RoleBinding, resources as rbac } from "./rbac/index.ts";
import { resources as resource } from "./resource/index.ts";
import type { RequestContext, Resource } from "./resource.ts";
import { PriorityClass, resources as scheduling } from "./scheduling/index.ts";
import { StorageClass, resources as storage } from "./storage/index.ts";

const ORACLE = new URL("../../../shared/reference/discovery/aggregated_v2.json", import.meta.url);

interface Listed {
  resource: string;
  singularResource: string;
  scope: string;
  shortNames?: string[];
  categories?: string[];
  verbs: string[];
  subresources?: { subresource: string; verbs: string[] }[];
}
interface Oracle {
  items: { metadata: { name: string }; versions: { version: string; resources: Listed[] }[] }[];
}

type Plain = Omit<Resource, "validate" | "generationOf">;
const all = [
  admissionregistration,
  apiextensions,
  apiregistration,
  certificates,
  coordination,
  discovery,
  flowcontrol,
  networking,
  node,
  policy,
  rbac,
  resource,
  scheduling,
  storage,
].flat() as unknown as Plain[];

const context = {
  user: { name: "ann", groups: ["dev"], uid: "7", extra: { k: ["v"] } },
  now: "2026-01-01T00:00:00Z",
} as unknown as RequestContext;

/** An object of a kind with its defaults, and what validation says of it on create. */
function judged<T extends KubeObject>(
  resource: Resource<T>,
  body: Omit<T, "apiVersion" | "kind" | "metadata">,
): string[] {
  const { group, version, kind } = resource;
  const object = {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name: "a", namespace: "default" },
    ...body,
  } as unknown as T;
  resource.defaults?.(object);
  return (resource.validate?.(object, context) ?? []).map(({ field, body }) => `${field}: ${body}`);
}

describe("the kinds of the smaller groups", () => {
  it("are what discovery says they are", (t) => {
    if (!existsSync(ORACLE)) {
      t.skip("no reference data");
      return;
    }
    const oracle = JSON.parse(readFileSync(ORACLE, "utf8")) as Oracle;
    for (const {
      group,
      version,
      plural,
      singular,
      scope,
      shortNames,
      categories,
      verbs,
      subresources,
    } of all) {
      const versions = oracle.items.find(({ metadata }) => metadata.name === group)?.versions;
      const listed = versions
        ?.find((one) => one.version === version)
        ?.resources.find(({ resource }) => resource === plural);
      assert.ok(listed, `${plural}.${version}.${group}`);
      assert.deepEqual(
        { singular, scope, shortNames, categories, verbs: [...verbs].sort() },
        {
          singular: listed.singularResource,
          scope: listed.scope,
          shortNames: listed.shortNames ?? [],
          categories: listed.categories ?? [],
          verbs: listed.verbs.toSorted(),
        },
        plural,
      );
      const own = Object.entries(subresources).map(([name, subresource]) => [
        name,
        subresource.acts === "update" ? subresource.verbs : undefined,
      ]);
      assert.deepEqual(
        own,
        (listed.subresources ?? []).map(({ subresource, verbs }) => [subresource, verbs]),
        plural,
      );
    }
  });

  it("take objects that are well made", () => {
    assert.deepEqual(judged(Role, { rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }] }), []);
    const roleRef = { apiGroup: "", kind: "Role", name: "system:x" };
    const subjects = [
      { kind: "User", name: "ann" },
      { kind: "ServiceAccount", name: "default", namespace: "a" },
    ];
    assert.deepEqual(judged(RoleBinding, { roleRef, subjects }), []);
    assert.deepEqual(judged(Lease, { spec: { holderIdentity: "a", leaseDurationSeconds: 40 } }), []);
    assert.deepEqual(judged(StorageClass, { provisioner: "example.com/x" }), []);
    assert.deepEqual(judged(PriorityClass, { value: 1000 }), []);
    assert.deepEqual(judged(PodDisruptionBudget, { spec: { maxUnavailable: "30%", selector: {} } }), []);
    const endpoints = [{ addresses: ["10.0.0.1"] }];
    assert.deepEqual(judged(EndpointSlice, { addressType: "IPv4", endpoints, ports: [{ port: 80 }] }), []);
    const ipBlock = { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] };
    assert.deepEqual(
      judged(NetworkPolicy, { spec: { ingress: [{ from: [{ ipBlock }], ports: [{ port: "http" }] }] } }),
      [],
    );
    const backend = { service: { name: "web", port: { number: 80 } } };
    const http = { paths: [{ path: "/", pathType: "Prefix", backend }] };
    assert.deepEqual(judged(Ingress, { spec: { rules: [{ host: "*.example.com", http }] } }), []);
    assert.deepEqual(judged(ServiceCIDR, { spec: { cidrs: ["10.96.0.0/12", "fd00::/108"] } }), []);
  });

  it("refuse what is wrong by upstream's paths and words", () => {
    assert.deepEqual(judged(Role, { rules: [{ verbs: [], nonResourceURLs: ["/x"] }] }), [
      "rules[0].verbs: Required value: verbs must contain at least one value",
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ]);
    assert.deepEqual(judged(ClusterRole, { aggregationRule: {} }), [
      "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil",
    ]);
    assert.deepEqual(judged(PriorityClass, { value: 1000000001 }), [
      "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    ]);
    assert.deepEqual(judged(Lease, { spec: { leaseDurationSeconds: 0 } }), [
      "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
    ]);
    assert.deepEqual(judged(Ingress, {}), [
      "spec: Invalid value: []: either `defaultBackend` or `rules` must be specified",
    ]);
    assert.deepEqual(
      judged(EndpointSlice, { addressType: "IPv4", endpoints: [{ addresses: ["127.0.0.1"] }] }).length,
      1,
    );
    assert.deepEqual(judged(NetworkPolicy, { spec: { egress: [{ to: [{}] }] } }), [
      "spec.egress[0].to[0]: Required value: must specify a peer",
    ]);
    assert.deepEqual(
      judged(ServiceCIDR, { spec: { cidrs: ["10.0.0.0/8", "11.0.0.0/8"] } }).map((text) => text.slice(0, 25)),
      ["spec.cidrs: Invalid value"],
    );
  });

  it("write who asked for a certificate, and keep its decision", () => {
    const information = sequence(integer(Uint8Array.of(0)), sequence(), sequence());
    const der = sequence(information, sequence(objectIdentifier("1.2.3")), bitString(Uint8Array.of()));
    const request = btoa(pemOf("CERTIFICATE REQUEST", der));
    const object: CertificateSigningRequest = {
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name: "a" },
      spec: { request, signerName: "example.com/x", usages: ["client auth"], username: "mallory" },
    };
    CertificateSigningRequest.prepareForCreate?.(object, context);
    assert.equal(object.spec.username, "ann");
    assert.deepEqual(object.spec.extra, { k: ["v"] });
    assert.deepEqual(CertificateSigningRequest.validate?.(object, context), []);
    const cut = btoa(pemOf("CERTIFICATE REQUEST", der.subarray(0, 5)));
    const broken = { ...object, spec: { ...object.spec, request: cut } };
    const errors = CertificateSigningRequest.validate?.(broken, context);
    assert.deepEqual(
      errors?.map(({ field }) => field),
      ["spec.request"],
    );
    const { approval, status } = CertificateSigningRequest.subresources;
    assert.ok(approval?.acts === "update" && status?.acts === "update");
    const approved = { ...object, status: { conditions: [{ type: "Approved", status: "True" }] } };
    approval.prepare(approved, object, context);
    assert.deepEqual(approval.validate?.(approved, object, context), []);
    const later: CertificateSigningRequest = { ...object, status: { conditions: [] } };
    assert.match(
      approval.validate?.(later, approved, context)[0]?.body ?? "",
      /may not remove a condition of type "Approved"/,
    );
    const cell = CertificateSigningRequest.columns.at(-1)?.cell(approved, new Date(0));
    assert.equal(cell, "Approved");
    const bad = { ...object, spec: { request: "x", signerName: "x" } };
    assert.deepEqual(
      CertificateSigningRequest.validate?.(bad, context).map(({ field }) => field),
      ["spec.request", "spec.usages", "spec.signerName"],
    );
  });

  it("keep what may not change", () => {
    const meta = { apiVersion: "v1", kind: "x", metadata: { name: "a" } };
    const old = { ...meta, roleRef: { apiGroup: "g", kind: "Role", name: "a" } };
    const now = { ...meta, roleRef: { apiGroup: "g", kind: "Role", name: "b" } };
    assert.equal(
      RoleBinding.validateUpdate?.(now, old, context)[0]?.field,
      FieldPath.root("roleRef").toString(),
    );
    const before = { ...meta, provisioner: "a", parameters: { a: "1" } };
    const errors =
      StorageClass.validateUpdate?.({ ...before, parameters: { a: "2" } }, before, context) ?? [];
    assert.deepEqual(errors, [
      {
        type: "FieldValueForbidden",
        field: "parameters",
        body: "Forbidden: updates to parameters are forbidden.",
      },
    ]);
  });

  it("fix the mandatory flow schemas", () => {
    const spec = { matchingPrecedence: 5, priorityLevelConfiguration: { name: "exempt" } };
    const object = { apiVersion: "", kind: "", metadata: { name: "exempt" }, spec };
    assert.match(
      FlowSchema.validate?.(object, context)[0]?.body ?? "",
      /spec of 'exempt' must equal the fixed value$/,
    );
  });
});
