/** What a DaemonSet's status says of its pods: the sum of what each node has. */
import { isPodAvailable, isPodReady } from "../../api/core/pod/state.ts";
import type { DaemonSet, DaemonSetStatus } from "../../api/schema/apps.v1.generated.ts";
import { hashOfPod } from "./daemon-pod.ts";
import { type PodsByNode, podsByNode, type Seen } from "./plan.ts";

export interface Counts {
  desired: number;
  current: number;
  misplaced: number;
  ready: number;
  available: number;
  updated: number;
}

export function noCounts(): Counts {
  return { desired: 0, current: 0, misplaced: 0, ready: 0, available: 0, updated: 0 };
}

const [WANTED, HAS, READY, AVAILABLE, UPDATED] = [1, 2, 4, 8, 16] as const;

/** What one node adds to the counts, in bits: kept for thousands of nodes. */
export function shareOf(
  { set, hash, judge, now }: Pick<Seen, "set" | "hash" | "judge" | "now">,
  node: Seen["nodes"][number],
  byNode: PodsByNode,
): number {
  const pod = byNode.get(node.metadata.name!)?.[0];
  let share = judge(node) === "run" ? WANTED : 0;
  if (!pod) return share;
  share |= HAS;
  if (isPodReady(pod)) {
    share |= READY;
    if (isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now)) share |= AVAILABLE;
  }
  if (hashOfPod(pod) === hash) share |= UPDATED;
  return share;
}

/** Adds the share of a node, or takes it away. */
export function count(counts: Counts, share: number, by: 1 | -1): void {
  if ((share & WANTED) === 0) {
    if ((share & HAS) !== 0) counts.misplaced += by;
    return;
  }
  counts.desired += by;
  if ((share & HAS) === 0) return;
  counts.current += by;
  if ((share & READY) !== 0) counts.ready += by;
  if ((share & AVAILABLE) !== 0) counts.available += by;
  if ((share & UPDATED) !== 0) counts.updated += by;
}

export function statusOf(
  seen: Seen,
  collisions: number,
  byNode: PodsByNode = podsByNode(seen.pods),
): DaemonSetStatus {
  const counts = noCounts();
  for (const node of seen.nodes) count(counts, shareOf(seen, node, byNode), 1);
  return statusFrom(seen.set, counts, collisions);
}

export function statusFrom(set: DaemonSet, counts: Counts, collisions: number): DaemonSetStatus {
  const { desired, current, misplaced, ready, available, updated } = counts;
  const { conditions, collisionCount } = set.status ?? {};
  const counted = collisions > 0 ? collisions : collisionCount;
  return {
    currentNumberScheduled: current,
    numberMisscheduled: misplaced,
    desiredNumberScheduled: desired,
    numberReady: ready,
    observedGeneration: set.metadata.generation,
    // Counts that are none are left out, as upstream leaves them.
    ...(updated > 0 && { updatedNumberScheduled: updated }),
    ...(available > 0 && { numberAvailable: available }),
    ...(desired > available && { numberUnavailable: desired - available }),
    ...(counted !== undefined && { collisionCount: counted }),
    ...(conditions && { conditions }),
  };
}
