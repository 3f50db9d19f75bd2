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
import { amountOf, podRequests } from "../resources/pod-resources.ts";
import { shortagesOf, shortageText } from "./admit-pod.ts";
import { isSidecar } from "./restart-policy.ts";
import type { ContainerRecord } from "./runtime-state.ts";

/** By the containers' names. */
export type Allocation = ReadonlyMap<string, ResourceRequirements>;

/** The containers that may be resized: those that run for as long as the pod. */
export function resizable({ spec }: Pod): Container[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isSidecar)];
}

export function wantedResources(pod: Pod): Map<string, ResourceRequirements> {
  return new Map(resizable(pod).map(({ name, resources }) => [name, resources ?? {}]));
}

/** What a former kubelet granted, by what it told of it; of containers of which nothing was told, what they want. */
export function toldAllocation(pod: Pod): Map<string, ResourceRequirements> {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const told = [...containerStatuses, ...initContainerStatuses];
  return new Map(
    resizable(pod).map(({ name, resources = {} }) => {
      const status = told.find((one) => one.name === name);
      return [name, status?.containerID && status.resources ? status.resources : resources];
    }),
  );
}

/** The pod as it is granted: what its groups, its containers and its neighbours go by. */
export function withAllocation(pod: Pod, allocation: Allocation): Pod {
  if (!pod.spec || !differs(wantedResources(pod), allocation)) return pod;
  const granted = (container: Container): Container => {
    const resources = allocation.get(container.name);
    return resources ? { ...container, resources } : container;
  };
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
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

/** Running containers whose actual resources are not those that were allocated. */
export function unactuated(
  granted: Pod,
  running: readonly ContainerRecord[],
  actual: Allocation,
): { record: ContainerRecord; container: Container; before: ResourceRequirements }[] {
  return running.flatMap((record) => {
    const container = resizable(granted).find(({ name }) => name === record.name);
    const before = actual.get(record.id);
    if (!container || !before || equalResources(before, container.resources)) return [];
    return [{ record, container, before }];
  });
}
