/** What a StatefulSet's status says of its pods. */
import { isPodAvailable } from "../../api/core/pod/state.ts";
import type { StatefulSet, StatefulSetStatus } from "../../api/schema/apps.v1.generated.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { revisionOf } from "./identity.ts";
import { isRunningAndReady } from "./plan.ts";

export interface StatusSeen {
  set: StatefulSet;
  pods: readonly Pod[];
  current: { name: string };
  update: { name: string };
  collisions: number;
  /** How many pods of the current revision are being taken away for the update. */
  updating: number;
  now: number;
}

export function statusOf(seen: StatusSeen): StatefulSetStatus {
  const { set, pods, current, update, collisions, updating, now } = seen;
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const status = {
    observedGeneration: set.metadata.generation,
    replicas: 0,
    readyReplicas: 0,
    availableReplicas: 0,
    currentReplicas: -updating,
    updatedReplicas: 0,
    currentRevision: current.name,
    updateRevision: update.name,
    collisionCount: collisions,
  };
  for (const pod of pods) {
    status.replicas++;
    if (isRunningAndReady(pod)) {
      status.readyReplicas++;
      if (isPodAvailable(pod, minReadySeconds, now)) status.availableReplicas++;
    }
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    const revision = revisionOf(pod);
    if (revision === current.name) status.currentReplicas++;
    if (revision === update.name) status.updatedReplicas++;
  }
  const wanted = set.spec?.replicas ?? 1;
  const isComplete =
    set.spec?.updateStrategy?.type === "RollingUpdate" &&
    status.updatedReplicas === wanted &&
    status.readyReplicas === wanted &&
    status.replicas === wanted;
  if (isComplete) {
    status.currentReplicas = status.updatedReplicas;
    status.currentRevision = status.updateRevision;
  }
  const { readyReplicas, currentReplicas, updatedReplicas, ...always } = status;
  return {
    ...always,
    // Counts that are none are left out, as upstream leaves them.
    ...(readyReplicas > 0 && { readyReplicas }),
    ...(currentReplicas > 0 && { currentReplicas }),
    ...(updatedReplicas > 0 && { updatedReplicas }),
    ...(set.status?.conditions && { conditions: set.status.conditions }),
  };
}
