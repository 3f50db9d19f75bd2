/** The conditions that a node tells of itself. */
import type { NodeCondition } from "../../api/schema/core.v1.generated.ts";
import { formatTime } from "../../machinery/time/time.ts";

export interface Pressure {
  memory: boolean;
  disk: boolean;
  pid: boolean;
}

const PRESSURES = [
  {
    type: "MemoryPressure",
    of: ({ memory }: Pressure) => memory,
    low: ["KubeletHasInsufficientMemory", "kubelet has insufficient memory available"],
    fine: ["KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    events: ["NodeHasInsufficientMemory", "NodeHasSufficientMemory"],
  },
  {
    type: "DiskPressure",
    of: ({ disk }: Pressure) => disk,
    low: ["KubeletHasDiskPressure", "kubelet has disk pressure"],
    fine: ["KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    events: ["NodeHasDiskPressure", "NodeHasNoDiskPressure"],
  },
  {
    type: "PIDPressure",
    of: ({ pid }: Pressure) => pid,
    low: ["KubeletHasInsufficientPID", "kubelet has insufficient PID available"],
    fine: ["KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    events: ["NodeHasInsufficientPID", "NodeHasSufficientPID"],
  },
] as const;

/** `problems`: why no pods can run; `before`: the node's conditions, of which those of others are left out. */
export function nodeConditions(
  pressure: Pressure,
  problems: readonly string[],
  before: readonly NodeCondition[],
  now: number,
): NodeCondition[] {
  const heartbeat = formatTime(now);
  const condition = (
    type: string,
    status: string,
    [reason, message]: readonly [string, string],
  ): NodeCondition => {
    const known = before.find((other) => other.type === type);
    const since = known?.status === status ? known.lastTransitionTime : undefined;
    return {
      type,
      status,
      lastHeartbeatTime: heartbeat,
      lastTransitionTime: since ?? heartbeat,
      reason,
      message,
    };
  };
  const conditions = PRESSURES.map(({ type, of, low, fine }) =>
    of(pressure) ? condition(type, "True", low) : condition(type, "False", fine),
  );
  conditions.push(
    problems.length === 0
      ? condition("Ready", "True", ["KubeletReady", "kubelet is posting ready status"])
      : condition("Ready", "False", ["KubeletNotReady", together(problems)]),
  );
  return conditions;
}

/** The events that tell users of what became another: `NodeReady`. A condition that was not there is another too. */
export function conditionEvents(before: readonly NodeCondition[], now: readonly NodeCondition[]): string[] {
  return now.flatMap(({ type, status }) => {
    const known = before.find((other) => other.type === type);
    if (known?.status === status) return [];
    if (type === "Ready")
      return known === undefined ? [] : [status === "True" ? "NodeReady" : "NodeNotReady"];
    // Conditions that others write, the network's for one, are theirs to tell of.
    const pressure = PRESSURES.find((one) => one.type === type);
    return pressure ? [pressure.events[status === "True" ? 0 : 1]] : [];
  });
}

/** Several errors as one text, each once. */
export function together(problems: readonly string[]): string {
  const all = [...new Set(problems)];
  return all.length === 1 ? all[0]! : `[${all.join(", ")}]`;
}
