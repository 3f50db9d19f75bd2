import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RequestContext } from "../resource.ts";
import { ConfigMap } from "./config-map.ts";
import { Endpoints } from "./endpoints.ts";
import { LimitRange } from "./limit-range.ts";
import { Namespace } from "./namespace.ts";
import { Node } from "./node.ts";
import { PersistentVolumeClaim } from "./persistent-volume-claim.ts";
import { Secret } from "./secret.ts";

const context = { now: "2026-01-01T00:00:00Z" } as RequestContext;
const texts = (errors: { field: string; body: string }[]) =>
  errors.map(({ field, body }) => `${field}: ${body}`);

describe("core kinds", () => {
  test("ConfigMap refuses bad keys, a key given twice, too much data and changes when immutable", () => {
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
    const twice = { ...map, data: { k: "v", "a b": "" }, binaryData: { k: "AA==" } };
    const errors = texts(ConfigMap.validate!(twice, context));
    assert.ok(
      errors.includes('data[k]: Invalid value: "k": duplicate of key present in binaryData'),
      errors.join(),
    );
    assert.ok(errors.some((text) => text.startsWith('data[a b]: Invalid value: "a b"')));
    const big = { ...map, data: { k: "x".repeat(1024 * 1024) } };
    assert.deepEqual(ConfigMap.validate!(big, context), []);
    big.data.k += "x";
    assert.equal(ConfigMap.validate!(big, context)[0]?.type, "FieldValueTooLong");
    const frozen = { ...map, immutable: true, data: { a: "1" } };
    assert.deepEqual(texts(ConfigMap.validateUpdate!({ ...map, data: { a: "2" } }, frozen, context)), [
      "immutable: Forbidden: field is immutable when `immutable` is set",
      "data: Forbidden: field is immutable when `immutable` is set",
    ]);
  });

  test("Secret folds stringData into data, which it wins over, also under odd keys", () => {
    const secret: Secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "a" },
      data: { a: "b2xk" },
      stringData: JSON.parse('{"a":"new","__proto__":"é"}'),
    };
    Secret.defaults!(secret);
    assert.equal(secret.type, "Opaque");
    assert.equal(secret.stringData, undefined);
    assert.equal(JSON.stringify(secret.data), '{"a":"bmV3","__proto__":"w6k="}');
    const tls = { ...secret, type: "kubernetes.io/tls", data: {} };
    const wanted = ["data[tls.crt]: Required value", "data[tls.key]: Required value"];
    assert.deepEqual(texts(Secret.validate!(tls, context)), wanted);
    assert.deepEqual(texts(Secret.validateUpdate!(tls, secret, context)), [
      'type: Invalid value: "kubernetes.io/tls": field is immutable',
    ]);
  });

  test("Namespace starts Active, keeps its finalizers on update and ends only through finalize", () => {
    const namespace: Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } };
    Namespace.defaults!(namespace);
    Namespace.prepareForCreate!(namespace, context);
    assert.deepEqual(namespace, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "n", labels: { "kubernetes.io/metadata.name": "n" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
    const changed = { ...namespace, spec: { finalizers: [] }, status: { phase: "Terminating" as const } };
    Namespace.prepareForUpdate!(changed, namespace, context);
    assert.deepEqual([changed.spec, changed.status], [namespace.spec, namespace.status]);
    Namespace.deletion!.begin(changed);
    assert.deepEqual([changed.status?.phase, Namespace.deletion!.held(changed)], ["Terminating", true]);
    const finalize = Namespace.subresources.finalize;
    assert.ok(finalize?.acts === "update");
    const emptied = { ...changed, spec: {} };
    finalize.prepare(emptied, changed, context);
    assert.equal(Namespace.deletion!.held(emptied), false);
  });

  test("Node refuses taints that clash and prints its state and roles", () => {
    const node: Node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "n", labels: { "node-role.kubernetes.io/b": "", "node-role.kubernetes.io/a": "" } },
      spec: {
        unschedulable: true,
        taints: [
          { key: "k", effect: "NoSchedule" },
          { key: "k", effect: "NoSchedule" },
        ],
      },
      status: { conditions: [{ type: "Ready", status: "False" }] },
    };
    const [error] = texts(Node.validate!(node, context));
    assert.match(
      error ?? "",
      /^spec\.taints\[1\]: Duplicate value: .*: taints must be unique by key and effect pair$/,
    );
    const cells = Node.columns.map(({ cell }) => cell(node, new Date()));
    assert.deepEqual(cells.slice(0, 5), ["n", "NotReady,SchedulingDisabled", "a,b", "<unknown>", ""]);
  });

  test("Endpoints refuse special addresses and show three of many", () => {
    const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"].map((ip) => ({ ip }));
    const endpoints: Endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name: "e" },
      subsets: [{ addresses, ports: [{ port: 80 }] }],
    };
    Endpoints.defaults!(endpoints);
    assert.deepEqual(Endpoints.validate!(endpoints, context), []);
    assert.equal(
      Endpoints.columns[1]?.cell(endpoints, new Date()),
      "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...",
    );
    addresses[0]!.ip = "127.0.0.1";
    assert.deepEqual(texts(Endpoints.validate!(endpoints, context)), [
      'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ]);
  });

  test("PersistentVolumeClaim grows when bound and changes in no other way", () => {
    const claim = (storage: string, more: object = {}): PersistentVolumeClaim => ({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "c" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } }, ...more },
      status: { phase: "Bound", capacity: { storage: "1Gi" } },
    });
    assert.deepEqual(PersistentVolumeClaim.validate!(claim("1Gi"), context), []);
    assert.deepEqual(PersistentVolumeClaim.validateUpdate!(claim("2Gi"), claim("1Gi"), context), []);
    assert.deepEqual(texts(PersistentVolumeClaim.validateUpdate!(claim("512Mi"), claim("1Gi"), context)), [
      "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
    ]);
    const moved = PersistentVolumeClaim.validateUpdate!(
      claim("1Gi", { volumeMode: "Block" }),
      claim("1Gi"),
      context,
    );
    assert.equal(moved[0]?.field, "spec");
  });

  test("LimitRange completes a container's defaults and refuses bounds out of order", () => {
    const range: LimitRange = {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "r" },
      spec: { limits: [{ type: "Container", max: { cpu: "1" }, min: { cpu: "2", memory: "1Gi" } }] },
    };
    LimitRange.defaults!(range);
    assert.deepEqual(range.spec?.limits?.[0]?.defaultRequest, { cpu: "1", memory: "1Gi" });
    assert.ok(
      texts(LimitRange.validate!(range, context)).includes(
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      ),
    );
  });
});
