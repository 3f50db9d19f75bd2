/** The conditions that the kubelet sets; those of others are kept as they are. */
import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { ContainerStatus, Pod, PodCondition } from "../../api/schema/core.v1.generated.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { isSidecar } from "../pods/restart-policy.ts";
import type { Phase, StatusLists } from "./pod-phase.ts";

export interface Finding {
  type: string;
  status: boolean;
  reason?: string;
  message?: string;
}

export interface ConditionFacts extends StatusLists {
  phase: Phase;
  /** Whether the pod has its sandbox, with its network. */
  sandboxReady: boolean;
  /** Further conditions, such as DisruptionTarget. */
  more: readonly Finding[];
  now: number;
}

/** Set by the kubelet and nobody else. */
const OWN: ReadonlySet<string> = new Set([
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodResizePending",
  "PodResizeInProgress",
]);

export function podConditions(pod: Pod, facts: ConditionFacts): PodCondition[] {
  const before = pod.status?.conditions ?? [];
  const { generation } = pod.metadata;
  const found = [...findings(pod, facts), ...facts.more];
  const own = found.map(({ type, status, reason, message }): PodCondition => {
    const shown = status ? "True" : "False";
    const known = before.find((condition) => condition.type === type);
    const since = known?.status === shown ? known.lastTransitionTime : undefined;
    return {
      type,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      status: shown,
      lastTransitionTime: since ?? formatTime(facts.now),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    };
  });
  const others = before.filter(({ type }) => !OWN.has(type) && !found.some((one) => one.type === type));
  if (!others.some(({ type }) => type === "PodScheduled")) {
    others.push({
      type: "PodScheduled",
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      status: "True",
      lastTransitionTime: formatTime(facts.now),
    });
  }
  return [...own, ...others];
}

function findings(pod: Pod, { phase, init, containers, sandboxReady }: ConditionFacts): Finding[] {
  const sandbox = { type: "PodReadyToStartContainers", status: sandboxReady };
  const initialized = initializedOf(pod, init, containers);
  if (hasPodEnded({ ...pod, status: { phase } })) {
    const reason = phase === "Succeeded" ? "PodCompleted" : "PodFailed";
    return [
      sandbox,
      phase === "Succeeded" ? { type: "Initialized", status: true, reason } : initialized,
      { type: "Ready", status: false, reason },
      { type: "ContainersReady", status: false, reason },
    ];
  }
  const sidecars = (pod.spec?.initContainers ?? []).flatMap((container, at) =>
    isSidecar(container) && init[at] ? [init[at]] : [],
  );
  const unready = [...sidecars, ...containers].filter(({ ready }) => !ready).map(({ name }) => name);
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

function initializedOf(
  pod: Pod,
  init: readonly ContainerStatus[],
  containers: readonly ContainerStatus[],
): Finding {
  const began = containers.some(
    ({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated,
  );
  const names = (pod.spec?.initContainers ?? []).flatMap((container, at) => {
    const status = init[at];
    const done = isSidecar(container) ? status?.started === true : status?.ready === true;
    return done ? [] : [container.name];
  });
  if (began || names.length === 0) return { type: "Initialized", status: true };
  const message = `containers with incomplete status: [${names.join(" ")}]`;
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
