/** What a node says of a pod: the whole status, of which only what differs is worth a write. */
import { type Finding, initialization, nodeConditions, readiness } from "../api/core/pod/node-conditions.ts";
import type { ContainerStatus, Pod, PodStatus } from "../api/schema/core.v1.generated.ts";
import { formatTime } from "../machinery/time/time.ts";
import type { PodRun } from "./pod-run.ts";

export interface PodPlace {
  hostIP: string;
  /** The pod's addresses, once it has any. */
  podIPs: readonly string[];
}

/** Set by the node and nobody else. */
const OWN = new Set(["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"]);

export function podStatus(pod: Pod, run: PodRun, { hostIP, podIPs }: PodPlace, now: number): PodStatus {
  const { metadata, status: before = {} } = pod;
  const name = `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
  const containerStatuses = run.main.map((container) => container.status(false, name));
  const initContainerStatuses = run.init.map((container) => container.status(true, name));
  const addressed = run.phase !== "Pending" || run.sandboxed;
  return {
    ...before,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    phase: run.phase,
    ...(run.reason === undefined ? {} : { reason: run.reason, message: run.message }),
    conditions: nodeConditions(pod, findings(pod, run, containerStatuses), OWN, now),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(addressed && podIPs.length > 0 ? { podIP: podIPs[0]!, podIPs: podIPs.map((ip) => ({ ip })) } : {}),
    startTime: before.startTime ?? formatTime(run.seenAt),
    containerStatuses,
    ...(initContainerStatuses.length > 0 ? { initContainerStatuses } : {}),
  };
}

function findings(pod: Pod, run: PodRun, containers: readonly ContainerStatus[]): Finding[] {
  const ended = run.phase === "Succeeded" ? "PodCompleted" : run.phase === "Failed" ? "PodFailed" : undefined;
  const sandbox = { type: "PodReadyToStartContainers", status: run.sandboxed };
  const initialized = initializedOf(run);
  if (ended !== undefined) {
    return [
      sandbox,
      run.phase === "Succeeded" ? { ...initialized, reason: ended } : initialized,
      { type: "Ready", status: false, reason: ended },
      { type: "ContainersReady", status: false, reason: ended },
    ];
  }
  return [sandbox, initialized, ...readiness(pod, containers)];
}

function initializedOf(run: PodRun): Finding {
  const waiting = run.init.filter(({ policy, succeeded, ready }) =>
    policy === "Always" ? !ready : !succeeded,
  );
  return initialization(run.isInitialized ? [] : waiting.map(({ spec }) => spec.name));
}
