import assert from "node:assert/strict";
import test from "node:test";
import type { Pod, ResourceRequirements } from "../../schema/core.v1.generated.ts";
import { Pod as PodKind } from "./pod.ts";
import { validateResize } from "./validate-resize.ts";

const sized = (cpu: string, more: object = {}): ResourceRequirements => ({
  requests: { cpu, memory: "64Mi" },
  limits: { cpu, memory: "64Mi", ...more },
});

function pod(resources: ResourceRequirements | undefined): Pod {
  const made: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns" },
    spec: { containers: [{ name: "main", image: "web:1" }], ...(resources ? { resources } : {}) },
  };
  PodKind.defaults?.(made);
  return made;
}

function wrong(now: ResourceRequirements | undefined, was: ResourceRequirements | undefined): string[] {
  return validateResize(pod(now), pod(was)).map(({ field, body }) => `${field}: ${body}`);
}

test("validateResize takes other amounts of CPU and memory for the whole pod", () => {
  assert.deepEqual(wrong(sized("2"), sized("1")), []);
});

test("validateResize takes no other resources of the whole pod, nor the first or the last of them", () => {
  const mutable = "spec: Forbidden: only cpu and memory resources are mutable";
  const pages = (size: string) => ({ "hugepages-2Mi": size });
  assert.ok(wrong(sized("1", pages("4Mi")), sized("1", pages("2Mi"))).includes(mutable));
  assert.ok(wrong(sized("1"), undefined).includes(mutable));
  const { requests } = sized("1");
  assert.ok(
    wrong({ ...(requests ? { requests } : {}) }, sized("1")).includes(
      "spec.resources.limits: Forbidden: resource limits cannot be removed",
    ),
  );
});
