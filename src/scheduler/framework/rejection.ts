/** Why a node does not take a pod, or why the pod cannot be scheduled at all. */
import type { NodeInfo } from "./node-info.ts";

export interface Rejection {
  /** The plugin that says so. */
  readonly plugin: string;
  /** Upstream's texts, such as "Insufficient cpu"; they are counted over nodes for the pod's condition and event. */
  readonly reasons: readonly string[];
  /**
   * `unschedulable`: other pods are in the way, preemption may help. `unresolvable`: no preemption helps. `pending`: the
   * plugin itself waits for something (such as a claim that a driver must make). `gated`: the pod waits to be let in.
   */
  readonly code: "unschedulable" | "unresolvable" | "pending" | "gated";
  /** What would have to change, for people: "free 200m of cpu or add a node". Made only where it is asked for. */
  readonly advice?: () => string;
}

/** Why nodes do not take a pod. */
export interface NodeRejections {
  /** How many nodes there are. */
  readonly size: number;
  get(node: NodeInfo): Rejection | undefined;
  forEach(each: (rejection: Rejection, node: NodeInfo) => void): void;
}

/** Why the nodes of a whole search do not take a pod. */
export interface SearchRejections extends NodeRejections {
  /** How many nodes each rejection holds for. */
  readonly counts: ReadonlyMap<Rejection, number>;
  /** The nodes whose rejection has this code, in order. */
  withCode(code: Rejection["code"]): readonly NodeInfo[];
}

/** A rejection is best made once and given out for every node that it fits. */
export function reject(
  plugin: string,
  code: Rejection["code"],
  reasons: string | readonly string[],
  advice?: () => string,
): Rejection {
  return { plugin, code, reasons: typeof reasons === "string" ? [reasons] : reasons, advice };
}
