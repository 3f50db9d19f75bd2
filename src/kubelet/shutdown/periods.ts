/** In which groups pods end before the machine is shut down, the least important first, and how long each group gets. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";

export interface ShutdownPeriod {
  /** Of pods from this priority to the next one. */
  priority: number;
  shutdownGracePeriodSeconds: number;
}

const DEFAULT_PRIORITY = 0;
const CRITICAL = 2_000_000_000;

/** `graceMs` in all, of which the last `criticalMs` are for critical pods. */
export function twoPeriods(graceMs: number, criticalMs: number): ShutdownPeriod[] {
  if (graceMs === 0) return [];
  const critical = Math.floor(criticalMs / 1000);
  const others = Math.floor((graceMs - criticalMs) / 1000);
  return [
    { priority: DEFAULT_PRIORITY, shutdownGracePeriodSeconds: others },
    { priority: CRITICAL, shutdownGracePeriodSeconds: critical },
  ];
}

export function wholeSeconds(periods: readonly ShutdownPeriod[]): number {
  return periods.reduce((sum, { shutdownGracePeriodSeconds }) => sum + shutdownGracePeriodSeconds, 0);
}

export interface ShutdownGroup {
  seconds: number;
  pods: readonly Pod[];
}

/** Pods below the lowest priority are of the first group. Groups without pods take no time. */
export function shutdownGroups(periods: readonly ShutdownPeriod[], pods: readonly Pod[]): ShutdownGroup[] {
  const sorted = periods.toSorted((a, b) => a.priority - b.priority);
  const groups = sorted.map(({ shutdownGracePeriodSeconds }) => ({
    seconds: shutdownGracePeriodSeconds,
    pods: [] as Pod[],
  }));
  for (const pod of pods) {
    const priority = pod.spec?.priority ?? 0;
    const at = sorted.findLastIndex((period) => period.priority <= priority);
    groups[Math.max(at, 0)]?.pods.push(pod);
  }
  return groups.filter((group) => group.pods.length > 0);
}
