/** The conditions that the kubelet sets; those of others are kept as they are. */
import {
  type Finding,
  initialization,
  nodeConditions,
  readiness,
} from "../../api/core/pod/node-conditions.ts";
import { mayRestartAll } from "../../api/core/pod/restart-rules.ts";
import { hasPodEnded, podCondition } from "../../api/core/pod/state.ts";
import type { ContainerStatus, Pod, PodCondition } from "../../api/schema/core.v1.generated.ts";
import { isSidecar } from "../pods/restart-policy.ts";
import type { Phase, StatusLists } from "./pod-phase.ts";

export interface ConditionFacts extends StatusLists {
  phase: Phase;
  /** Whether the pod has its sandbox, with its network, and its volumes. */
  canStart: boolean;
  /** All containers are being restarted in place. */
  restartingAll: boolean;
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
  "AllContainersRestarting",
  "PodResizePending",
  "PodResizeInProgress",
]);

export function podConditions(pod: Pod, facts: ConditionFacts): PodCondition[] {
  const found = [...findings(pod, facts), ...restarting(pod, facts), ...facts.more];
  return nodeConditions(pod, found, OWN, facts.now);
}

/** Told of pods alone that have a rule for it. */
function restarting(pod: Pod, { phase, restartingAll }: ConditionFacts): Finding[] {
  if (!mayRestartAll(pod)) return [];
  const type = "AllContainersRestarting";
  if (hasPodEnded({ ...pod, status: { phase } })) {
    return [{ type, status: false, reason: phase === "Succeeded" ? "PodCompleted" : "PodFailed" }];
  }
  if (!restartingAll) return [{ type, status: false }];
  const message = "container exited with restart policy rule";
  return [{ type, status: true, reason: "RestartAllContainersStarted", message }];
}

function findings(pod: Pod, { phase, init, containers, canStart }: ConditionFacts): Finding[] {
  const sandbox = { type: "PodReadyToStartContainers", status: canStart };
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
  // Once it is, it stays so, though all containers begin anew.
  const was = podCondition(pod, "Initialized")?.status === "True";
  return initialization(began || was ? [] : names);
}
