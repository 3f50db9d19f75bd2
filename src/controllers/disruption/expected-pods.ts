/** How many pods a budget's pods ought to be, by what manages them. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodDisruptionBudget } from "../../api/schema/policy.v1.generated.ts";
import { scaledValue } from "../../machinery/int-or-string/int-or-string.ts";
import { controllerOf, type OwnerReference } from "../../machinery/meta/owner.ts";

/** Who manages a pod in the end, and how many pods that wants; undefined where it is gone. Throws where none can tell. */
export type ScaleOf = (
  owner: OwnerReference,
  namespace: string,
) => Promise<{ uid: string; replicas: number } | undefined>;

export interface Expected {
  pods: number;
  desiredHealthy: number;
  /** Pods that nobody manages: how many of them there ought to be cannot be known. */
  unmanaged: string[];
}

export async function expectedPods(
  { spec = {} }: PodDisruptionBudget,
  pods: readonly Pod[],
  scaleOf: ScaleOf,
): Promise<Expected> {
  const { maxUnavailable, minAvailable } = spec;
  if (maxUnavailable !== undefined) {
    const { total, unmanaged } = await wantedTogether(pods, scaleOf);
    const away = scaledValue(maxUnavailable, total, true);
    return { pods: total, desiredHealthy: Math.max(total - away, 0), unmanaged };
  }
  if (typeof minAvailable === "number") {
    return { pods: pods.length, desiredHealthy: minAvailable, unmanaged: [] };
  }
  if (minAvailable === undefined) return { pods: 0, desiredHealthy: 0, unmanaged: [] };
  const { total, unmanaged } = await wantedTogether(pods, scaleOf);
  return { pods: total, desiredHealthy: scaledValue(minAvailable, total, true), unmanaged };
}

async function wantedTogether(
  pods: readonly Pod[],
  scaleOf: ScaleOf,
): Promise<{ total: number; unmanaged: string[] }> {
  const asked = new Set<string>();
  /** Several replica sets may be of one deployment, which counts once. */
  const wanted = new Map<string, number>();
  const unmanaged: string[] = [];
  for (const pod of pods) {
    const { name = "", namespace = "" } = pod.metadata;
    const owner = controllerOf(pod);
    if (!owner) {
      unmanaged.push(name);
      continue;
    }
    if (asked.has(owner.uid)) continue;
    asked.add(owner.uid);
    const found = await scaleOf(owner, namespace);
    if (!found) throw new Error(`found no controllers for pod ${JSON.stringify(name)}`);
    wanted.set(found.uid, found.replicas);
  }
  let total = 0;
  for (const replicas of wanted.values()) total += replicas;
  return { total, unmanaged };
}
