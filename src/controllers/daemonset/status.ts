/** What a DaemonSet's status says of its pods. */
import { isPodAvailable, isPodReady } from "../../api/core/pod/state.ts";
import type { DaemonSetStatus } from "../../api/schema/apps.v1.generated.ts";
import { hashOfPod } from "./daemon-pod.ts";
import { type PodsByNode, podsByNode, type Seen } from "./plan.ts";

export function statusOf(
  seen: Seen,
  collisions: number,
  byNode: PodsByNode = podsByNode(seen.pods),
): DaemonSetStatus {
  const { set, hash, nodes, judge, now } = seen;
  const seconds = set.spec?.minReadySeconds ?? 0;
  let [desired, current, misplaced, ready, available, updated] = [0, 0, 0, 0, 0, 0];
  for (const node of nodes) {
    const pod = byNode.get(node.metadata.name!)?.[0];
    if (judge(node) !== "run") {
      if (pod) misplaced++;
      continue;
    }
    desired++;
    if (!pod) continue;
    current++;
    if (isPodReady(pod)) {
      ready++;
      if (isPodAvailable(pod, seconds, now)) available++;
    }
    if (hashOfPod(pod) === hash) updated++;
  }
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
