import assert from "node:assert/strict";
import test from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Container, Pod, ResourceRequirements } from "../../api/schema/core.v1.generated.ts";
import {
  grows,
  needsRestart,
  POD,
  pendingResize,
  toldAllocation,
  unactuated,
  wantedResources,
  withAllocation,
} from "./resize.ts";
import type { ContainerRecord } from "./runtime-state.ts";

const limits = (cpu: string, memory = "1Gi"): ResourceRequirements => ({
  requests: { cpu, memory },
  limits: { cpu, memory },
});
const pod = (resources: ResourceRequirements, told?: ResourceRequirements): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p" },
  spec: {
    containers: [{ name: "main", resources }],
    initContainers: [{ name: "init", resources: limits("1") }],
  },
  ...(told
    ? {
        status: {
          containerStatuses: [
            {
              name: "main",
              image: "",
              imageID: "",
              ready: true,
              restartCount: 0,
              containerID: "c://1",
              resources: told,
            },
          ],
        },
      }
    : {}),
});
const node = { status: { allocatable: { cpu: "4", memory: "8Gi" } } } as unknown as Node;
const pending = (cpu: string, others: Pod[] = []) =>
  pendingResize(pod(limits(cpu)), { node, others, maxPods: 10 });

test("toldAllocation is what a former kubelet told, else what the pod wants", () => {
  assert.deepEqual(toldAllocation(pod(limits("2"), limits("1"))), new Map([["main", limits("1")]]));
  assert.deepEqual(toldAllocation(pod(limits("2"))), new Map([["main", limits("2")]]));
});

test("withAllocation shows the pod as it is granted, and the same pod where nothing differs", () => {
  const wanting = pod(limits("2"));
  assert.equal(withAllocation(wanting, wantedResources(wanting)), wanting);
  const granted = withAllocation(wanting, new Map([["main", limits("1")]]));
  assert.deepEqual(granted.spec?.containers[0]?.resources, limits("1"));
  assert.deepEqual(granted.spec?.initContainers, wanting.spec?.initContainers);
});

test("pendingResize tells what never fits from what does not fit now", () => {
  assert.equal(pending("4"), undefined);
  assert.deepEqual(pending("5"), {
    type: "PodResizePending",
    status: true,
    reason: "Infeasible",
    message: "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
  });
  const deferred = pending("3", [pod(limits("2"))]);
  assert.deepEqual(
    [deferred?.reason, deferred?.message],
    ["Deferred", "Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000"],
  );
});

test("needsRestart goes by the policy of what changes", () => {
  const container = (resources: ResourceRequirements): Container => ({
    name: "main",
    resources,
    resizePolicy: [
      { resourceName: "cpu", restartPolicy: "NotRequired" },
      { resourceName: "memory", restartPolicy: "RestartContainer" },
    ],
  });
  assert.equal(needsRestart(container(limits("2")), limits("1")), false);
  assert.equal(needsRestart(container(limits("1", "2Gi")), limits("1")), true);
});

test("resources of the whole pod are wanted, allocated and granted beside those of its containers", () => {
  const of = (resources: ResourceRequirements, told?: ResourceRequirements): Pod => {
    const one = pod(limits("1"));
    return { ...one, spec: { ...one.spec!, resources }, ...(told ? { status: { resources: told } } : {}) };
  };
  const whole = of(limits("3"));
  assert.deepEqual(wantedResources(whole).get(POD), limits("3"));
  assert.deepEqual(toldAllocation(of(limits("3"), limits("2"))).get(POD), limits("2"));
  assert.deepEqual(toldAllocation(whole).get(POD), limits("3"));
  const granted = withAllocation(whole, toldAllocation(of(limits("3"), limits("2"))));
  assert.deepEqual(granted.spec?.resources, limits("2"));
  assert.equal(pendingResize(of(limits("5")), { node, others: [], maxPods: 10 })?.reason, "Infeasible");
});

test("unactuated names containers that inherit limits of the pod, when those change", () => {
  const inherits: Container = { name: "inherits", resources: { requests: { cpu: "1" } } };
  const own: Container = { name: "own", resources: limits("1") };
  const both = pod({});
  both.spec = { containers: [inherits, own] };
  const running = ["inherits", "own"].map((name) => ({ id: `${name}-0`, name }) as ContainerRecord);
  const actual = new Map([
    ["inherits-0", inherits.resources!],
    ["own-0", own.resources!],
  ]);
  const named = (podChanges: boolean) =>
    unactuated(both, running, actual, podChanges).map(({ container }) => container.name);
  assert.deepEqual([named(false), named(true)], [[], ["inherits"]]);
});

test("grows takes no limit for the highest", () => {
  assert.equal(grows(limits("1"), limits("2")), true);
  assert.equal(grows(limits("2"), limits("1")), false);
  assert.equal(grows(limits("1"), undefined), true);
  assert.equal(grows(undefined, limits("1")), true, "it asks for more");
});
