/** Which taints and labels a node should have by what its status says. Pure. */
import type { Node } from "../../api/core/node.ts";
import { nodeCondition } from "../nodes/node-condition.ts";
import { hasTaint, type TaintKey } from "../nodes/taints.ts";

const NOT_READY = "node.kubernetes.io/not-ready";
const UNREACHABLE = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";

/** The taint that a status of a condition stands for. */
const TAINT_OF: readonly { type: string; status: string; key: string }[] = [
  { type: "Ready", status: "False", key: NOT_READY },
  { type: "Ready", status: "Unknown", key: UNREACHABLE },
  { type: "MemoryPressure", status: "True", key: "node.kubernetes.io/memory-pressure" },
  { type: "DiskPressure", status: "True", key: "node.kubernetes.io/disk-pressure" },
  { type: "NetworkUnavailable", status: "True", key: "node.kubernetes.io/network-unavailable" },
  { type: "PIDPressure", status: "True", key: "node.kubernetes.io/pid-pressure" },
];

const OWN_KEYS = [...TAINT_OF.map(({ key }) => key), UNSCHEDULABLE];

export interface TaintChange {
  add: TaintKey[];
  remove: TaintKey[];
}

/** The taints that keep new pods off. */
export function noScheduleChange(node: Node): TaintChange {
  const effect = "NoSchedule";
  const wanted = new Set<string>();
  for (const { type, status, key } of TAINT_OF) {
    if (nodeCondition(node, type)?.status === status) wanted.add(key);
  }
  if (node.spec?.unschedulable) wanted.add(UNSCHEDULABLE);
  const change: TaintChange = { add: [], remove: [] };
  for (const key of OWN_KEYS) {
    const has = hasTaint(node.spec?.taints, { key, effect });
    if (wanted.has(key) && !has) change.add.push({ key, effect });
    else if (!wanted.has(key) && has) change.remove.push({ key, effect });
  }
  return change;
}

export interface NoExecuteChange extends TaintChange {
  /** The taint that the node's zone must have its turn for. */
  inTurn?: TaintKey;
}

/**
 * The taint that drives pods away. A node that has one swaps it at once; one that has none waits for its turn. While
 * all zones are down, the fault is more likely the control plane's, and no node has one.
 */
export function noExecuteChange(node: Node, allDown: boolean): NoExecuteChange {
  const effect = "NoExecute";
  const [notReady, unreachable] = [
    { key: NOT_READY, effect },
    { key: UNREACHABLE, effect },
  ];
  const ready = nodeCondition(node, "Ready")?.status;
  if (ready === undefined) return { add: [], remove: [] };
  const wanted = ready === "True" || allDown ? undefined : ready === "False" ? notReady : unreachable;
  const present = [notReady, unreachable].filter((taint) => hasTaint(node.spec?.taints, taint));
  const remove = present.filter((taint) => taint !== wanted);
  if (!wanted || present.includes(wanted)) return { add: [], remove };
  return remove.length > 0 ? { add: [wanted], remove } : { add: [], remove, inTurn: wanted };
}

/** Labels under their older names, which follow the newer ones. */
const COPIED_LABELS: readonly { from: string; to: string }[] = [
  { from: "kubernetes.io/os", to: "beta.kubernetes.io/os" },
  { from: "kubernetes.io/arch", to: "beta.kubernetes.io/arch" },
];

/** Undefined where all are right. */
export function labelChange({ metadata: { labels = {} } }: Node): Record<string, string> | undefined {
  let change: Record<string, string> | undefined;
  for (const { from, to } of COPIED_LABELS) {
    const value = labels[from];
    if (value === undefined || labels[to] === value) continue;
    change ??= {};
    change[to] = value;
  }
  return change;
}
