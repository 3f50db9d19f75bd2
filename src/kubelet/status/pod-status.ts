/** The status of a pod, from what runs of it. */
import type { Finding } from "../../api/core/pod/node-conditions.ts";
import { qosClassOf } from "../../api/core/pod/qos.ts";
import { hasPodEnded, podCondition } from "../../api/core/pod/state.ts";
import type {
  Container,
  ContainerStatus,
  Pod,
  PodStatus,
  ResourceRequirements,
} from "../../api/schema/core.v1.generated.ts";
import { formatTime } from "../../machinery/time/time.ts";
import type { ContainerKind, Waiting } from "../pods/pod-plan.ts";
import { isSidecar } from "../pods/restart-policy.ts";
import type { ContainerRecord, PodRuntime } from "../pods/runtime-state.ts";
import { formerOf, usableSandbox } from "../pods/runtime-state.ts";
import { begunContainers } from "./begun.ts";
import { containerStatus } from "./container-status.ts";
import { podConditions } from "./pod-conditions.ts";
import { type Phase, podPhase } from "./pod-phase.ts";
import { limitMessages } from "./termination-message.ts";

export interface PodFacts {
  runtime: PodRuntime;
  /** Why containers cannot start now, by their names. */
  waiting: ReadonlyMap<string, Waiting>;
  hasStarted(containerID: string): boolean;
  isReady(containerID: string): boolean;
  messageOf(record: ContainerRecord): string;
  /** What a container runs with, where that may not be what it was granted. */
  actualOf(containerID: string): ResourceRequirements | undefined;
  /** What all containers together run with, where the pod says something of it. */
  actualPod?: ResourceRequirements | undefined;
  /** Nothing of the pod runs, nor will. */
  isOver: boolean;
  /** Its volumes are there. */
  mounted: boolean;
  /** All its containers are being restarted in place. */
  restartingAll?: boolean;
  /** The node did not take it: nothing of it ever ran. */
  isRejected?: boolean;
  /** Why the node ended the pod, or did not take it: the phase becomes Failed once nothing runs. */
  ending?: { reason: string; message: string };
  conditions: readonly Finding[];
  hostIPs: readonly string[];
  runtimeName: string;
  /** When the kubelet first saw the pod. */
  seenAt: number;
  now: number;
}

/** `pod` has the status that was told last. */
export function podStatus(pod: Pod, facts: PodFacts): PodStatus {
  return facts.isRejected || wasRejected(pod, facts) ? rejectedStatus(pod, facts) : fullStatus(pod, facts);
}

/** By a former kubelet, or by this one before it began to look after it. */
function wasRejected(pod: Pod, { runtime }: PodFacts): boolean {
  return hasPodEnded(pod) && !pod.status?.containerStatuses && runtime.containers.length === 0;
}

/** It says nothing of containers, so that users see why there are none. */
function rejectedStatus({ metadata, spec, status: before = {} }: Pod, facts: PodFacts): PodStatus {
  return {
    ...before,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    phase: before.phase === "Succeeded" ? "Succeeded" : "Failed",
    ...(facts.ending ?? {}),
    startTime: before.startTime ?? formatTime(facts.seenAt),
    qosClass: before.qosClass ?? qosClassOf(spec ?? { containers: [] }),
  };
}

function fullStatus(pod: Pod, facts: PodFacts): PodStatus {
  const { metadata, spec } = pod;
  const before = facts.restartingAll ? (pod.status ?? {}) : begunAnew(pod);
  const init = statusesOf(pod, facts, spec?.initContainers, "init", before.initContainerStatuses);
  const containers = statusesOf(pod, facts, spec?.containers, "container", before.containerStatuses);
  const ephemeral = statusesOf(
    pod,
    facts,
    spec?.ephemeralContainers as Container[] | undefined,
    "ephemeral",
    before.ephemeralContainerStatuses,
  );
  const lists = { init, containers };
  const phase = phaseOf(pod, lists, [...init, ...containers, ...ephemeral], facts);
  const hostNetwork = spec?.hostNetwork === true;
  const sandbox = usableSandbox(facts.runtime, hostNetwork);
  const podIPs = podAddresses(pod, facts, sandbox?.ips);
  const { ending, hostIPs, conditions: more, restartingAll = false, now } = facts;
  return {
    ...before,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    phase,
    ...(ending ?? {}),
    conditions: podConditions(pod, {
      ...lists,
      phase,
      // They start when both are there, whichever comes first.
      canStart: sandbox !== undefined && (facts.mounted || facts.runtime.containers.length > 0),
      restartingAll,
      more,
      now,
    }),
    ...(hostIPs[0] === undefined ? {} : { hostIP: hostIPs[0], hostIPs: hostIPs.map((ip) => ({ ip })) }),
    ...(podIPs[0] === undefined ? {} : { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) }),
    startTime: before.startTime ?? formatTime(facts.seenAt),
    containerStatuses: byName(containers),
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: byName(ephemeral) } : {}),
    ...ofWholePod(pod, facts.actualPod),
    qosClass: before.qosClass ?? qosClassOf(spec ?? { containers: [] }),
  };
}

function byName(statuses: readonly ContainerStatus[]): ContainerStatus[] {
  return statuses.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a former kubelet told of containers that it then removed, so that all begin anew. */
function begunAnew(pod: Pod): PodStatus {
  const { status = {} } = pod;
  if (podCondition(pod, "AllContainersRestarting")?.status !== "True") return status;
  const anew = (told: ContainerStatus): ContainerStatus =>
    told.state?.terminated ? { ...told, state: {}, lastState: { terminated: told.state.terminated } } : told;
  return {
    ...status,
    containerStatuses: status.containerStatuses?.map(anew),
    initContainerStatuses: status.initContainerStatuses?.map(anew),
  };
}

/** What is told of resources that the pod has for all of its containers. */
function ofWholePod(
  { spec }: Pod,
  actual = spec?.resources,
): Pick<PodStatus, "resources" | "allocatedResources"> {
  if (!spec?.resources || !actual) return {};
  const allocatedResources = spec.resources.requests;
  return { resources: actual, ...(allocatedResources ? { allocatedResources } : {}) };
}

/** A pod keeps its last addresses for as long as it is told of. */
export function podAddresses(
  { spec, status }: Pod,
  { hostIPs }: Pick<PodFacts, "hostIPs">,
  ips: readonly string[] | undefined,
): readonly string[] {
  if (spec?.hostNetwork) return hostIPs;
  return ips && ips.length > 0 ? ips : (status?.podIPs ?? []).map(({ ip }) => ip);
}

/** A phase that ends all is told when nothing runs any more: others may then take the pod's place. */
function phaseOf(
  pod: Pod,
  lists: { init: readonly ContainerStatus[]; containers: readonly ContainerStatus[] },
  all: readonly ContainerStatus[],
  { isOver, ending, restartingAll }: PodFacts,
): Phase {
  const before = (pod.status?.phase ?? "Pending") as Phase;
  if (hasPodEnded(pod)) return before;
  const phase = ending ? "Failed" : podPhase(pod, lists, { isOver, restartingAll });
  const ends = phase === "Failed" || phase === "Succeeded";
  return ends && all.some(({ state }) => state?.running) ? before : phase;
}

function statusesOf(
  pod: Pod,
  facts: PodFacts,
  list: readonly Container[] = [],
  kind: ContainerKind,
  told: readonly ContainerStatus[] = [],
): ContainerStatus[] {
  const { spec } = pod;
  const begun = facts.isOver ? begunContainers(pod, facts.runtime) : undefined;
  const usualWait = spec?.initContainers?.length ? "PodInitializing" : "ContainerCreating";
  const count = [spec?.containers, spec?.initContainers, spec?.ephemeralContainers];
  const containers = count.reduce((sum, one) => sum + (one?.length ?? 0), 0);
  return list.map((container) => {
    const records = facts.runtime.containers.filter(({ name }) => name === container.name);
    const id = records[0]?.id ?? "";
    const status = containerStatus({
      container,
      kind,
      sidecar: kind === "init" && isSidecar(container),
      records,
      former: formerOf(facts.runtime, container.name),
      told: told.find(({ name }) => name === container.name),
      waiting: facts.waiting.get(container.name),
      usualWait,
      started: facts.hasStarted(id),
      ready: facts.isReady(id),
      messageOf: facts.messageOf,
      actual: facts.actualOf(id),
      runtimeName: facts.runtimeName,
      podIsOver: facts.isOver,
      begun: kind === "ephemeral" || begun?.has(container.name) === true,
    });
    return limitMessages(status, containers);
  });
}
