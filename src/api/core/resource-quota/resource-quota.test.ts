import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubeObject } from "../../object.ts";
import { countedKind, countName } from "./counted-kinds.ts";
import { usageOf } from "./usage.ts";

function usage(group: string, plural: string, rest: object): Record<string, string> {
  const object = { apiVersion: "v1", kind: "x", metadata: { name: "a" }, ...rest } as KubeObject;
  const entries = [...usageOf({ group, plural }, object)];
  return Object.fromEntries(entries.map(([name, value]) => [name, value.toString()]));
}

describe("what a quota's names count", () => {
  it("is a kind for each name that quotas know", () => {
    const kindOf = (name: string) => {
      const kind = countedKind(name);
      return kind && `${kind.plural}.${kind.group}`;
    };
    const pods = ["cpu", "limits.memory", "pods", "hugepages-2Mi", "requests.example.com/gpu", "count/pods"];
    for (const name of pods) assert.equal(kindOf(name), "pods.", name);
    const storage = "fast.storageclass.storage.k8s.io/requests.storage";
    for (const name of ["requests.storage", storage]) assert.equal(kindOf(name), "persistentvolumeclaims.");
    assert.equal(kindOf("services.nodeports"), "services.");
    assert.equal(kindOf("secrets"), "secrets.");
    assert.equal(kindOf("count/widgets.a.example.com"), "widgets.a.example.com");
    assert.equal(kindOf("gpu.deviceclass.resource.k8s.io/devices"), "resourceclaims.resource.k8s.io");
    for (const name of ["example.com/gpu", "count/", "constructor"]) assert.equal(kindOf(name), undefined);
    assert.equal(countName({ group: "apps", plural: "deployments" }), "count/deployments.apps");
  });

  it("is of a pod its requests and limits while it can run, and one object afterwards", () => {
    const resources = { requests: { cpu: "1", "example.com/gpu": "2" }, limits: { memory: "1Gi" } };
    const spec = { containers: [{ name: "c", resources }] };
    assert.deepEqual(usage("", "pods", { spec, status: { phase: "Running" } }), {
      "count/pods": "1",
      pods: "1",
      cpu: "1",
      "requests.cpu": "1",
      "requests.example.com/gpu": "2",
      "limits.memory": "1Gi",
    });
    assert.deepEqual(usage("", "pods", { spec, status: { phase: "Failed" } }), { "count/pods": "1" });
  });

  it("is of a resource claim the most devices of each class that it may come to take", () => {
    const requests = [
      { name: "a", exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 2 } },
      {
        name: "b",
        firstAvailable: [
          { name: "x", deviceClassName: "gpu", count: 1 },
          { name: "y", deviceClassName: "gpu", count: 4 },
          { name: "z", deviceClassName: "nic", allocationMode: "All" },
        ],
      },
    ];
    assert.deepEqual(usage("resource.k8s.io", "resourceclaims", { spec: { devices: { requests } } }), {
      "count/resourceclaims.resource.k8s.io": "1",
      "gpu.deviceclass.resource.k8s.io/devices": "6",
      "nic.deviceclass.resource.k8s.io/devices": "32",
    });
  });
});
