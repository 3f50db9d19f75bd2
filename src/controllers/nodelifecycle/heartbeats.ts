/**
 * When each node was last heard of, by the controller's own clock: those of the nodes may differ. A heartbeat is a
 * renewed Lease or a new lastHeartbeatTime of the Ready condition. Nodes send them all the time, so noting one must
 * cost next to nothing: no timer is touched; who waits looks here again when its own timer fires.
 */
import type { Node, NodeCondition } from "../../api/core/node.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { nodeCondition } from "../nodes/node-condition.ts";

/** Upstream's --node-monitor-grace-period and --node-startup-grace-period. */
export const GRACE_MS = 50_000;
export const STARTUP_GRACE_MS = 60_000;

interface Posted {
  uid: string | undefined;
  /** Undefined before the kubelet's first status. */
  heartbeat: string | undefined;
  at: number;
}

interface Renewed {
  renewTime: string | undefined;
  at: number;
}

export class Heartbeats {
  private readonly posted = new Map<string, Posted>();
  private readonly renewed = new Map<string, Renewed>();

  sawNode(node: Node, now: number): void {
    const { name = "", uid, creationTimestamp } = node.metadata;
    const ready = nodeCondition(node, "Ready");
    const heartbeat = ready && (ready.lastHeartbeatTime ?? "");
    const known = this.posted.get(name);
    if (known?.uid === uid && known?.heartbeat === heartbeat) return;
    // A node that never posted is given its time from when it was made, whenever it is seen first.
    const at = heartbeat === undefined && creationTimestamp ? Date.parse(creationTimestamp) : now;
    this.posted.set(name, { uid, heartbeat, at });
  }

  sawLease(name: string, renewTime: string | undefined, now: number): void {
    const known = this.renewed.get(name);
    if (!known) this.renewed.set(name, { renewTime, at: now });
    else if (known.renewTime !== renewTime) {
      known.renewTime = renewTime;
      known.at = now;
    }
  }

  forgetNode(name: string): void {
    this.posted.delete(name);
  }

  forgetLease(name: string): void {
    this.renewed.delete(name);
  }

  /** Counts every node as heard of just now: after the controller itself could not hear. */
  forgive(now: number): void {
    for (const posted of this.posted.values()) posted.at = now;
  }

  /** When the node counts as lost unless it is heard of before. */
  deadline(name: string): number {
    const posted = this.posted.get(name);
    const grace = posted?.heartbeat === undefined ? STARTUP_GRACE_MS : GRACE_MS;
    return Math.max(posted?.at ?? 0, this.renewed.get(name)?.at ?? 0) + grace;
  }
}

/** NetworkUnavailable is not the kubelet's. */
const KUBELET_CONDITIONS = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/** The conditions of a node that is no longer heard of; undefined where they say so already. */
export function lostConditions(node: Node, now: number): NodeCondition[] | undefined {
  const lastTransitionTime = formatTime(now);
  let changed = false;
  const conditions = (node.status?.conditions ?? []).map((condition) => {
    if (!KUBELET_CONDITIONS.includes(condition.type) || condition.status === "Unknown") return condition;
    changed = true;
    return {
      ...condition,
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastTransitionTime,
    };
  });
  for (const type of KUBELET_CONDITIONS) {
    if (nodeCondition(node, type)) continue;
    changed = true;
    conditions.push({
      type,
      status: "Unknown",
      reason: "NodeStatusNeverUpdated",
      message: "Kubelet never posted node status.",
      lastHeartbeatTime: node.metadata.creationTimestamp,
      lastTransitionTime,
    });
  }
  return changed ? conditions : undefined;
}
