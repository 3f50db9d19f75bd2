/** The conditions that the kubelet sets; those of others are kept as they are. */
import {
  type Finding,
  initialization,
  nodeConditions,
  readiness,
} from "../../api/core/pod/node-conditions.ts";
import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { ContainerStatus, Pod, PodCondition } from "../../api/schema/core.v1.generated.ts";
import { isSidecar } from "../pods/restart-policy.ts";
import type { Phase, StatusLists } from "./pod-phase.ts";

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
  return nodeConditions(pod, [...findings(pod, facts), ...facts.more], OWN, facts.now);
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
  return [sandbox, initialized, ...readiness(pod, [...sidecars, ...containers])];
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
  return initialization(began ? [] : names);
}
