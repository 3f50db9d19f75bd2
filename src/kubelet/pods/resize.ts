/**
 * Other resources for a pod that runs. What the spec asks for is wanted; what the node has granted is allocated; what
 * the runtime was told is actual:
 *
 *   wanted ──(fits now)──▶ allocated ──(runtime told, or container restarted)──▶ actual
 *      └ never fits: PodResizePending/Infeasible; not now: Deferred
 */
import type { Node } from "../../api/core/node.ts";
import type { Finding } from "../../api/core/pod/node-conditions.ts";
import type { Container, Pod, ResourceRequirements } from "../../api/schema/core.v1.generated.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { amountOf, milliOf, podRequests, unitsOf } from "../resources/pod-resources.ts";
import { shortagesOf, shortageText } from "./admit-pod.ts";
import { isSidecar } from "./restart-policy.ts";
import type { ContainerRecord } from "./runtime-state.ts";

/** By the containers' names; what the pod says of all of them together has the name `POD`. */
export type Allocation = ReadonlyMap<string, ResourceRequirements>;
export const POD = "";

/** The containers that may be resized: those that run for as long as the pod. */
export function resizable({ spec }: Pod): Container[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isSidecar)];
}

export function wantedResources(pod: Pod): Map<string, ResourceRequirements> {
  const wanted = new Map(resizable(pod).map(({ name, resources }) => [name, resources ?? {}]));
  if (pod.spec?.resources) wanted.set(POD, pod.spec.resources);
  return wanted;
}

/** What a former kubelet granted, by what it told of it; of containers of which nothing was told, what they want. */
export function toldAllocation(pod: Pod): Map<string, ResourceRequirements> {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const told = [...containerStatuses, ...initContainerStatuses];
  const allocation = wantedResources(pod);
  for (const { name } of resizable(pod)) {
    const status = told.find((one) => one.name === name);
    if (status?.containerID && status.resources) allocation.set(name, status.resources);
  }
  if (pod.spec?.resources && pod.status?.resources) allocation.set(POD, pod.status.resources);
  return allocation;
}

/** The pod as it is granted: what its groups, its containers and its neighbours go by. */
export function withAllocation(pod: Pod, allocation: Allocation): Pod {
  if (!pod.spec || !differs(wantedResources(pod), allocation)) return pod;
  const granted = (container: Container): Container => {
    const resources = allocation.get(container.name);
    return resources ? { ...container, resources } : container;
  };
  const { containers, initContainers } = pod.spec;
  const ofPod = allocation.get(POD);
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(pod.spec.resources ? { resources: ofPod } : {}),
      containers: containers.map(granted),
      ...(initContainers ? { initContainers: initContainers.map(granted) } : {}),
    },
  };
}

export function differs(a: Allocation, b: Allocation): boolean {
  for (const [name, resources] of a) if (!equalResources(resources, b.get(name))) return true;
  return false;
}

export function equalResources(a: ResourceRequirements = {}, b: ResourceRequirements = {}): boolean {
  return semanticEqual({ ...a, claims: undefined }, { ...b, claims: undefined });
}

/** Why the pod cannot have what it wants; undefined where it can. `others`: as they are granted. */
export function pendingResize(
  pod: Pod,
  { node, others, maxPods }: { node: Node | undefined; others: readonly Pod[]; maxPods: number },
): Finding | undefined {
  const type = "PodResizePending";
  const allocatable = node?.status?.allocatable;
  if (!allocatable) return undefined;
  const requests = podRequests(pod);
  for (const name of requests.keys()) {
    const requested = amountOf(requests, name);
    const capacity = amountOf(allocatable, name);
    if (requested <= capacity) continue;
    const message = `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}`;
    return { type, status: true, reason: "Infeasible", message };
  }
  const [lacking] = shortagesOf(pod, { node, others, maxPods });
  return lacking && { type, status: true, reason: "Deferred", message: shortageText(lacking).message };
}

/** Whether the change can only be made by a restart of the container. */
export function needsRestart(container: Container, before: ResourceRequirements): boolean {
  const { resizePolicy = [], resources = {} } = container;
  return resizePolicy.some(({ resourceName, restartPolicy }) => {
    if (restartPolicy !== "RestartContainer") return false;
    const of = (list: ResourceRequirements): unknown => [
      list.requests?.[resourceName],
      list.limits?.[resourceName],
    ];
    return !semanticEqual(of(before), of(resources));
  });
}

export interface Change {
  record: ContainerRecord;
  container: Container;
  before: ResourceRequirements;
}

/**
 * Running containers whose actual resources are not those that were allocated. `podChanges`: nor are those of the whole pod,
 * which hold for containers without limits of their own.
 */
export function unactuated(
  granted: Pod,
  running: readonly ContainerRecord[],
  actual: Allocation,
  podChanges = false,
): Change[] {
  return running.flatMap((record) => {
    const container = resizable(granted).find(({ name }) => name === record.name);
    const before = actual.get(record.id);
    if (!container || !before) return [];
    const { cpu, memory } = container.resources?.limits ?? {};
    const inherits = podChanges && (cpu === undefined || memory === undefined);
    if (!inherits && equalResources(before, container.resources)) return [];
    return [{ record, container, before }];
  });
}

/** Whether it may use more of anything. No limit is the highest. */
export function grows(before: ResourceRequirements = {}, after: ResourceRequirements = {}): boolean {
  const limit = (of: number): number => (of === 0 ? Number.POSITIVE_INFINITY : of);
  return (
    limit(milliOf(after.limits, "cpu")) > limit(milliOf(before.limits, "cpu")) ||
    limit(unitsOf(after.limits, "memory")) > limit(unitsOf(before.limits, "memory")) ||
    milliOf(after.requests, "cpu") > milliOf(before.requests, "cpu")
  );
}
