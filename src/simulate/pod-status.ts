/** What a node says of a pod: the whole status, of which only what differs is worth a write. */
import type { ContainerStatus, Pod, PodCondition, PodStatus } from "../api/schema/core.v1.generated.ts";
import { formatTime } from "../machinery/time/time.ts";
import type { PodRun } from "./pod-run.ts";

export interface PodPlace {
  hostIP: string;
  /** The pod's addresses, once it has any. */
  podIPs: readonly string[];
}

interface Finding {
  type: string;
  status: boolean;
  reason?: string;
  message?: string;
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
    conditions: conditionsOf(pod, run, containerStatuses, now),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(addressed && podIPs.length > 0 ? { podIP: podIPs[0]!, podIPs: podIPs.map((ip) => ({ ip })) } : {}),
    startTime: before.startTime ?? formatTime(run.seenAt),
    containerStatuses,
    ...(initContainerStatuses.length > 0 ? { initContainerStatuses } : {}),
  };
}

function conditionsOf(
  pod: Pod,
  run: PodRun,
  containers: readonly ContainerStatus[],
  now: number,
): PodCondition[] {
  const before = pod.status?.conditions ?? [];
  const { generation } = pod.metadata;
  const found = findings(pod, run, containers).map(({ type, status, reason, message }): PodCondition => {
    const shown = status ? "True" : "False";
    const known = before.find((condition) => condition.type === type);
    const since = known?.status === shown ? known.lastTransitionTime : undefined;
    return {
      type,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      status: shown,
      lastTransitionTime: since ?? formatTime(now),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    };
  });
  const others = before.filter(({ type }) => !OWN.has(type));
  if (!others.some(({ type }) => type === "PodScheduled")) {
    others.push({ type: "PodScheduled", status: "True", lastTransitionTime: formatTime(now) });
  }
  return [...found, ...others];
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
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  const lacking =
    unready.length > 0
      ? { reason: "ContainersNotReady", message: `containers with unready status: [${unready.join(" ")}]` }
      : undefined;
  const gates = lacking ? undefined : closedGate(pod);
  return [
    sandbox,
    initialized,
    { type: "Ready", status: !lacking && !gates, ...(lacking ?? gates) },
    { type: "ContainersReady", status: !lacking, ...lacking },
  ];
}

function initializedOf(run: PodRun): Finding {
  const waiting = run.init.filter(({ policy, succeeded, ready }) =>
    policy === "Always" ? !ready : !succeeded,
  );
  if (run.isInitialized || waiting.length === 0) return { type: "Initialized", status: true };
  const names = waiting.map(({ spec }) => spec.name).join(" ");
  const message = `containers with incomplete status: [${names}]`;
  return { type: "Initialized", status: false, reason: "ContainersNotInitialized", message };
}

/** Conditions that others must set before the pod counts as ready. */
function closedGate({ spec, status }: Pod): { reason: string; message: string } | undefined {
  for (const { conditionType } of spec?.readinessGates ?? []) {
    const condition = status?.conditions?.find(({ type }) => type === conditionType);
    if (condition?.status === "True") continue;
    const message = condition
      ? `the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`
      : `corresponding condition of pod readiness gate "${conditionType}" does not exist.`;
    return { reason: "ReadinessGatesNotReady", message };
  }
  return undefined;
}
