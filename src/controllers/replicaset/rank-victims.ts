/** Which pods go first where there are too many: those whose loss costs least. */
import { isPodReady, podCondition } from "../../api/core/pod/state.ts";
import { DELETION_COST } from "../../api/core/pod/validate-annotations.ts";
import type { Pod } from "../../api/core/pods.ts";

interface Ranked {
  pod: Pod;
  assigned: boolean;
  phase: number;
  ready: boolean;
  cost: number;
  /** Pods of the same workload on the same node. */
  neighbours: number;
  /** Milliseconds since 1970; NaN where it is not known. */
  readySince: number;
  restarts: number;
  sidecarRestarts: number;
  created: number;
}

/** The `count` pods that go first. `related` are those that share the workload's purpose, `pods` among them. */
export function victims(pods: readonly Pod[], related: readonly Pod[], count: number, now: number): Pod[] {
  if (count >= pods.length) return [...pods];
  const onNode = new Map<string, number>();
  for (const { spec } of related) {
    const node = spec?.nodeName ?? "";
    onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  return pods
    .map((pod) => rank(pod, onNode))
    .sort((a, b) => compare(a, b, now))
    .slice(0, count)
    .map(({ pod }) => pod);
}

function rank(pod: Pod, onNode: ReadonlyMap<string, number>): Ranked {
  const { metadata, spec, status } = pod;
  const node = spec?.nodeName ?? "";
  const sidecars = new Set(
    spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  return {
    pod,
    assigned: node !== "",
    phase: phaseRank(status?.phase),
    ready: isPodReady(pod),
    cost: deletionCost(metadata.annotations),
    neighbours: onNode.get(node) ?? 0,
    readySince: Date.parse(podCondition(pod, "Ready")?.lastTransitionTime ?? ""),
    restarts: most(status?.containerStatuses),
    sidecarRestarts: most(status?.initContainerStatuses?.filter(({ name }) => sidecars.has(name))),
    created: Date.parse(metadata.creationTimestamp ?? ""),
  };
}

function phaseRank(phase = ""): number {
  if (phase === "Running") return 2;
  return phase === "Unknown" ? 1 : 0;
}

function deletionCost(annotations: Readonly<Record<string, string>> = {}): number {
  // Validation lets only whole numbers of 32 bits through.
  return (Object.hasOwn(annotations, DELETION_COST) && Number(annotations[DELETION_COST])) || 0;
}

function most(statuses: readonly { restartCount?: number }[] = []): number {
  let most = 0;
  for (const { restartCount = 0 } of statuses) most = Math.max(most, restartCount);
  return most;
}

/** Negative where `a` goes first. */
function compare(a: Ranked, b: Ranked, now: number): number {
  const plain =
    Number(a.assigned) - Number(b.assigned) ||
    a.phase - b.phase ||
    Number(a.ready) - Number(b.ready) ||
    a.cost - b.cost ||
    b.neighbours - a.neighbours;
  if (plain !== 0) return plain;
  return (
    (a.ready && b.ready ? compareAges(a, b, a.readySince, b.readySince, now) : 0) ||
    b.restarts - a.restarts ||
    b.sidecarRestarts - a.sidecarRestarts ||
    compareAges(a, b, a.created, b.created, now)
  );
}

/**
 * The younger goes first, but ages are told apart by their order of magnitude only: otherwise the pods of the last
 * rollout's last node would always be those that go. What is of one magnitude goes in the random order of uids.
 */
function compareAges(a: Ranked, b: Ranked, since: number, other: number, now: number): number {
  if (Number.isNaN(since) || Number.isNaN(other))
    return Number(Number.isNaN(other)) - Number(Number.isNaN(since));
  if (since === other) return 0;
  const [uid = "", otherUID = ""] = [a.pod.metadata.uid, b.pod.metadata.uid];
  return magnitude(now - since) - magnitude(now - other) || (uid < otherUID ? -1 : 1);
}

function magnitude(ms: number): number {
  return ms > 0 ? Math.floor(Math.log2(ms * 1e6)) : -1;
}
