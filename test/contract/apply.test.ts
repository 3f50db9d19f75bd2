import assert from "node:assert/strict";
import { test } from "node:test";
import { schemas } from "../../src/api/schema/schemas.ts";
import { serverSideApply } from "../../src/machinery/apply/server-side-apply.ts";
import { type Managed, updateManagedFields } from "../../src/machinery/apply/update-managed-fields.ts";
import type { JsonObject } from "../../src/machinery/json/json-object.ts";
import { strategicMergePatch } from "../../src/machinery/patch/strategic-merge-patch.ts";

const TIME = "2026-01-01T00:00:00Z";

function deployment(): JsonObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default", labels: { app: "web" } },
    spec: {
      progressDeadlineSeconds: 600,
      replicas: 1,
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: "web" } },
      strategy: { rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" }, type: "RollingUpdate" },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          containers: [
            {
              image: "nginx",
              imagePullPolicy: "Always",
              name: "nginx",
              ports: [{ containerPort: 80, protocol: "TCP" }],
              resources: { limits: { cpu: "1" } },
              terminationMessagePath: "/dev/termination-log",
              terminationMessagePolicy: "File",
            },
          ],
          dnsPolicy: "ClusterFirst",
          restartPolicy: "Always",
          schedulerName: "default-scheduler",
          securityContext: {},
          terminationGracePeriodSeconds: 30,
        },
      },
    },
    status: {},
  };
}

const write = {
  schemas,
  id: "apps.v1.Deployment",
  apiVersion: "apps/v1",
  subresource: "",
  time: TIME,
  resets: ["status"],
};

test("a created Deployment has the managed fields that kube-apiserver gives it", () => {
  const updated = deployment() as unknown as Managed;
  const entries = updateManagedFields({ ...write, live: undefined, updated, manager: "kubectl-create" });
  assert.deepEqual(entries?.[0]?.fieldsV1, {
    "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
    "f:spec": {
      "f:progressDeadlineSeconds": {},
      "f:replicas": {},
      "f:revisionHistoryLimit": {},
      "f:selector": {},
      "f:strategy": {
        "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} },
        "f:type": {},
      },
      "f:template": {
        "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": {
          "f:containers": {
            'k:{"name":"nginx"}': {
              ".": {},
              "f:image": {},
              "f:imagePullPolicy": {},
              "f:name": {},
              "f:ports": {
                ".": {},
                'k:{"containerPort":80,"protocol":"TCP"}': {
                  ".": {},
                  "f:containerPort": {},
                  "f:protocol": {},
                },
              },
              "f:resources": { ".": {}, "f:limits": { ".": {}, "f:cpu": {} } },
              "f:terminationMessagePath": {},
              "f:terminationMessagePolicy": {},
            },
          },
          "f:dnsPolicy": {},
          "f:restartPolicy": {},
          "f:schedulerName": {},
          "f:securityContext": {},
          "f:terminationGracePeriodSeconds": {},
        },
      },
    },
  });
});

test("applying an image that another manager set is a conflict with its path", () => {
  const updated = deployment() as unknown as Managed;
  const managedFields = updateManagedFields({
    ...write,
    live: undefined,
    updated,
    manager: "kubectl-client-side-apply",
  });
  const live = { ...updated, metadata: { ...updated.metadata, uid: "u", managedFields } };
  const applied = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: { template: { spec: { containers: [{ name: "nginx", image: "nginx:2" }] } } },
  };
  const prepare = (merged: JsonObject) => merged as unknown as Managed;
  const apply = (force: boolean) =>
    serverSideApply({ ...write, live, applied, manager: "ci", force, prepare }).object.metadata.managedFields;
  assert.throws(() => apply(false), {
    message:
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.template.spec.containers[name="nginx"].image',
  });
  assert.deepEqual(
    apply(true)?.map((e) => [e.manager, e.operation]),
    [
      ["ci", "Apply"],
      ["kubectl-client-side-apply", "Update"],
    ],
  );
});

test("a strategic merge patch of a Deployment merges containers, ports and environment by their keys", () => {
  const patched = strategicMergePatch(schemas, "apps.v1.Deployment", deployment(), {
    spec: {
      strategy: { $retainKeys: ["type"], type: "Recreate" },
      template: {
        spec: {
          containers: [{ name: "nginx", ports: [{ containerPort: 443 }], env: [{ name: "A", value: "1" }] }],
        },
      },
    },
  }) as { spec: { strategy: unknown; template: { spec: { containers: JsonObject[] } } } };
  assert.deepEqual(patched.spec.strategy, { type: "Recreate" });
  const [container] = patched.spec.template.spec.containers;
  assert.equal(container?.image, "nginx");
  assert.deepEqual(container?.ports, [{ containerPort: 443 }, { containerPort: 80, protocol: "TCP" }]);
  assert.deepEqual(container?.env, [{ name: "A", value: "1" }]);
});
