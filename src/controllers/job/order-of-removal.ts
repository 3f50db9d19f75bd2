/** Which pods to remove first: those of which the least work is lost. */
import { podCondition } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/core/pods.ts";

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

export function inOrderOfRemoval(pods: readonly Pod[]): Pod[] {
  return pods.toSorted(compare);
}

function compare(a: Pod, b: Pod): number {
  return (
    Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName)) ||
    (PHASES[a.status?.phase ?? ""] ?? 0) - (PHASES[b.status?.phase ?? ""] ?? 0) ||
    readiness(a) - readiness(b) ||
    readySince(b) - readySince(a) ||
    restarts(b) - restarts(a) ||
    timeOf(b.metadata.creationTimestamp) - timeOf(a.metadata.creationTimestamp)
  );
}

function readiness(pod: Pod): number {
  return podCondition(pod, "Ready")?.status === "True" ? 1 : 0;
}

function readySince(pod: Pod): number {
  const ready = podCondition(pod, "Ready");
  return ready?.status === "True" ? timeOf(ready.lastTransitionTime) : 0;
}

function restarts({ status }: Pod): number {
  return (status?.containerStatuses ?? []).reduce(
    (most, { restartCount }) => Math.max(most, restartCount),
    0,
  );
}

function timeOf(time: string | undefined): number {
  return time === undefined ? 0 : Date.parse(time);
}
