/** What a kubelet that is gone cannot do: take its pods out of service. */
import { podCondition } from "../../api/core/pod/state.ts";
import { Pod } from "../../api/core/pods.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import { isReason } from "../../client/status.ts";
import { formatTime } from "../../machinery/time/time.ts";

export type PodStatus = NonNullable<Pod["status"]>;

/** The pod's status with its Ready condition False; undefined where it is so already, or the pod has none. */
export function notReadyStatus(pod: Pod, now: number): PodStatus | undefined {
  const ready = podCondition(pod, "Ready");
  if (!ready || ready.status === "False") return undefined;
  const observedGeneration = pod.metadata.generation;
  const changed = {
    ...ready,
    status: "False",
    lastTransitionTime: formatTime(now),
    ...(observedGeneration && { observedGeneration }),
  };
  const conditions = pod.status!.conditions!.map((condition) => (condition === ready ? changed : condition));
  return { ...pod.status!, conditions };
}

/** Throws the first failure after all were tried. */
export async function markNotReady(
  pods: readonly Pod[],
  { client, events, now }: { client: Client; events: EventRecorder; now: number },
): Promise<void> {
  const mark = async (pod: Pod): Promise<void> => {
    const status = notReadyStatus(pod, now);
    if (!status) return;
    try {
      await client.resource(Pod, pod.metadata.namespace).updateStatus({ ...pod, status });
    } catch (error) {
      if (isReason(error, "NotFound")) return;
      throw error;
    }
    events.record(pod, "Warning", "NodeNotReady", "Node is not ready");
  };
  const results = await Promise.allSettled(pods.map(mark));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
