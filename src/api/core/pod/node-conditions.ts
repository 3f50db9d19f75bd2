/** The conditions of a pod that its node tells, as the kubelet and simulated nodes word them. */
import { formatTime } from "../../../machinery/time/time.ts";
import type { ContainerStatus, Pod, PodCondition } from "../../schema/core.v1.generated.ts";

export interface Finding {
  type: string;
  status: boolean;
  reason?: string;
  message?: string;
}

const SCHEDULED = "PodScheduled";

/**
 * What was found as conditions, with those of others behind them. `own` are the types that the node alone sets: one that
 * was not found again is gone.
 */
export function nodeConditions(
  pod: Pod,
  found: readonly Finding[],
  own: ReadonlySet<string>,
  now: number,
): PodCondition[] {
  const before = pod.status?.conditions ?? [];
  const { generation } = pod.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const told = found.map(({ type, status, reason, message }): PodCondition => {
    const shown = status ? "True" : "False";
    const known = before.find((condition) => condition.type === type);
    const since = known?.status === shown ? known.lastTransitionTime : undefined;
    return {
      type,
      ...observed,
      status: shown,
      lastTransitionTime: since ?? formatTime(now),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    };
  });
  const others = before.filter(
    ({ type }) => type !== SCHEDULED && !own.has(type) && !found.some((one) => one.type === type),
  );
  // A node that has the pod knows that it was scheduled, whoever told so first.
  const known = before.find(({ type, status }) => type === SCHEDULED && status === "True");
  const scheduled = known ?? { type: SCHEDULED, status: "True", lastTransitionTime: formatTime(now) };
  return [...told, ...others, { ...scheduled, ...observed }];
}

/** Ready and ContainersReady of a pod that has not ended. */
export function readiness(pod: Pod, containers: readonly ContainerStatus[]): Finding[] {
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  const lacking =
    unready.length > 0
      ? { reason: "ContainersNotReady", message: `containers with unready status: [${unready.join(" ")}]` }
      : undefined;
  const gates = lacking ? undefined : closedGates(pod);
  return [
    { type: "Ready", status: !lacking && !gates, ...(lacking ?? gates) },
    { type: "ContainersReady", status: !lacking, ...lacking },
  ];
}

/** `waiting` names the init containers that the others wait for. */
export function initialization(waiting: readonly string[]): Finding {
  if (waiting.length === 0) return { type: "Initialized", status: true };
  const message = `containers with incomplete status: [${waiting.join(" ")}]`;
  return { type: "Initialized", status: false, reason: "ContainersNotInitialized", message };
}

/** Conditions that others must set before the pod counts as ready. */
function closedGates({ spec, status }: Pod): { reason: string; message: string } | undefined {
  const closed = (spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = status?.conditions?.find(({ type }) => type === conditionType);
    if (condition?.status === "True") return [];
    return condition
      ? [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`]
      : [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
  });
  return closed.length === 0 ? undefined : { reason: "ReadinessGatesNotReady", message: closed.join(", ") };
}
