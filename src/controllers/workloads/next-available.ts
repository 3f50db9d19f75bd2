import { podAvailableAt } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";

/** When the first of the pods that are ready, and not for long enough yet, will have been. */
export function nextAvailable(
  pods: readonly Pod[],
  minReadySeconds: number | undefined,
  now: number,
): number | undefined {
  if (!minReadySeconds) return undefined;
  let next: number | undefined;
  for (const pod of pods) {
    const at = podAvailableAt(pod, minReadySeconds);
    if (at !== undefined && at > now && (next === undefined || at < next)) next = at;
  }
  return next;
}
