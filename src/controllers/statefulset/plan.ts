/**
 * What a StatefulSet does next, decided from what is there.
 *
 *   wanted ordinals, up   ──▶ ordinals beyond the range, down ──▶ pods of an old revision, down
 *   create, recreate,         claims to their owners, delete      delete, as many as may be away
 *   repair
 *
 * In order (OrderedReady), each pod waits for all before it to be available, and what waits ends the plan. In parallel,
 * nothing waits but for the phase before.
 */
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { hasPodEnded, isPodAvailable, isPodReady } from "../../api/core/pod/state.ts";
import type { StatefulSet } from "../../api/schema/apps.v1.generated.ts";
import type { Pod, PodTemplateSpec } from "../../api/schema/core.v1.generated.ts";
import { scaledValue } from "../../machinery/int-or-string/int-or-string.ts";
import { nextAvailable } from "../workloads/next-available.ts";
import { asPod, isStale, ownersAfter } from "./claim-owners.ts";
import { claimsOf, type NewPod, newPod, ordinalOf, ordinalRange, repaired, revisionOf } from "./identity.ts";

export interface Revision {
  name: string;
  template: PodTemplateSpec;
}

export interface Seen {
  set: StatefulSet;
  /** What pods below the partition are made from, and all others. */
  current: Revision;
  update: Revision;
  /** Those of the set. */
  pods: readonly Pod[];
  claim: (name: string) => PersistentVolumeClaim | undefined;
  now: number;
}

export type Step =
  /** With the claims that it lacks. */
  | { does: "create"; pod: NewPod; ordinal: number }
  | { does: "delete"; pod: Pod }
  /** Gives the pod its identity, storage and owners of claims back, whichever it lost. */
  | { does: "repair"; pod: Pod }
  /** Makes the claims that a pod waits for. */
  | { does: "claims"; pod: Pod };

export interface Plan {
  /** A phase begins when all steps of the one before are done. */
  phases: Step[][];
  /** Whether the steps of a phase may be taken side by side. */
  parallel: boolean;
  /** How many pods of the current revision the plan takes away for the update. */
  updating: number;
  /** When a pod becomes available by time alone; undefined: nothing changes without an event. */
  lookAgain?: number;
}

interface Slot {
  ordinal: number;
  pod?: Pod;
}

export function planSet(seen: Seen): Plan {
  const { set, pods } = seen;
  const parallel = set.spec?.podManagementPolicy === "Parallel";
  const plan: Plan = {
    phases: [],
    parallel,
    updating: 0,
    lookAgain: nextAvailable(seen.pods, seen.set.spec?.minReadySeconds, seen.now),
  };
  if (set.metadata.deletionTimestamp !== undefined) return plan;
  const { start, end } = ordinalRange(set);
  const slots: Slot[] = [];
  for (let ordinal = start; ordinal < end; ordinal++) slots.push({ ordinal });
  const condemned: Pod[] = [];
  for (const pod of pods) {
    const ordinal = ordinalOf(pod);
    if (ordinal >= start && ordinal < end) slots[ordinal - start]!.pod = pod;
    else if (ordinal >= 0) condemned.push(pod);
  }
  condemned.sort((a, b) => ordinalOf(b) - ordinalOf(a));
  if (!keepSlots(seen, slots, plan)) return plan;
  plan.phases.push(
    condemned.filter((pod) => hasWrongOwners(seen, pod)).map((pod) => ({ does: "repair", pod })),
  );
  if (!scaleDown(seen, condemned, plan)) return plan;
  if (set.spec?.updateStrategy?.type !== "OnDelete") rollingUpdate(seen, slots, plan);
  return plan;
}

/** Whether the plan goes on behind it. */
function keepSlots(seen: Seen, slots: readonly Slot[], plan: Plan): boolean {
  const steps: Step[] = [];
  plan.phases.push(steps);
  for (const slot of slots) {
    const isDone = keepSlot(seen, slot, steps);
    if (!isDone && !plan.parallel) return false;
  }
  return true;
}

/** Whether the pod of the slot is there and available, so that the next may follow. */
function keepSlot(seen: Seen, { ordinal, pod }: Slot, steps: Step[]): boolean {
  const { set } = seen;
  if (!pod) {
    if (hasStaleClaim(seen, ordinal)) return false;
    steps.push({ does: "create", pod: podAt(seen, ordinal), ordinal });
    return false;
  }
  const leaving = pod.metadata.deletionTimestamp !== undefined;
  if (hasPodEnded(pod)) {
    if (!leaving) steps.push({ does: "delete", pod });
    return false;
  }
  if (
    pod.status?.phase === "Pending" &&
    claimsOf(set, ordinal).some(({ metadata }) => isMissing(seen, metadata.name))
  ) {
    steps.push({ does: "claims", pod });
  }
  const isDone = !leaving && isAvailable(seen, pod);
  const inOrder = set.spec?.podManagementPolicy !== "Parallel";
  if (!isDone && inOrder) return false;
  if (repaired(set, pod) || hasWrongOwners(seen, pod)) steps.push({ does: "repair", pod });
  return isDone;
}

function isMissing({ claim }: Seen, name = ""): boolean {
  return claim(name) === undefined;
}

/** A claim that goes with an earlier pod of the name must be gone before the next pod takes one. */
function hasStaleClaim({ set, claim }: Seen, ordinal: number): boolean {
  const pod = asPod({ metadata: { name: `${set.metadata.name}-${ordinal}` } });
  return claimsOf(set, ordinal).some(({ metadata }) =>
    isStale(claim(metadata.name ?? "")?.metadata.ownerReferences, pod),
  );
}

function hasWrongOwners({ set, claim }: Seen, pod: Pod): boolean {
  const ordinal = ordinalOf(pod);
  const { start, end } = ordinalRange(set);
  return claimsOf(set, ordinal).some(({ metadata }) => {
    const found = claim(metadata.name ?? "");
    const isWanted = ordinal >= start && ordinal < end;
    return found && ownersAfter(found.metadata.ownerReferences, set, pod, isWanted) !== undefined;
  });
}

function podAt({ set, current, update }: Seen, ordinal: number): NewPod {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  const { start } = ordinalRange(set);
  const kept = rollingUpdate
    ? (rollingUpdate.partition ?? 0)
    : type === "RollingUpdate"
      ? (set.status?.currentReplicas ?? 0)
      : 0;
  const { template, name } = ordinal < start + kept ? current : update;
  return newPod(set, template, ordinal, name);
}

/** Whether the plan goes on behind it. */
function scaleDown(seen: Seen, condemned: readonly Pod[], plan: Plan): boolean {
  const steps: Step[] = [];
  plan.phases.push(steps);
  if (plan.parallel) {
    for (const pod of condemned) {
      if (pod.metadata.deletionTimestamp === undefined) steps.push({ does: "delete", pod });
    }
    return true;
  }
  const [pod] = condemned;
  if (!pod) return true;
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  // Here all that are wanted are available, so this one is the only reason to wait, and waiting does not help it.
  const firstUnavailable = condemned.findLast((each) => isUnavailable(seen, each));
  if (isAvailable(seen, pod) || pod === firstUnavailable) steps.push({ does: "delete", pod });
  return false;
}

/**
 * From the highest ordinal down. An old pod that serves nobody is no reason to wait: it goes too, so that a revision
 * that never worked can be mended.
 */
function rollingUpdate(seen: Seen, slots: readonly Slot[], plan: Plan): void {
  const { partition = 0, maxUnavailable } = seen.set.spec?.updateStrategy?.rollingUpdate ?? {};
  const downwards = slots.slice(partition).reverse();
  const pods =
    maxUnavailable === undefined
      ? updateNext(seen, downwards)
      : updateWithin(seen, downwards, slots, Math.max(scaledValue(maxUnavailable, slots.length, false), 1));
  plan.phases.push(pods.map((pod) => ({ does: "delete", pod })));
  plan.updating += pods.filter((pod) => revisionOf(pod) === seen.current.name).length;
}

/** One at a time: the next goes once those above are new and available. */
function updateNext(seen: Seen, downwards: readonly Slot[]): Pod[] {
  for (const { pod } of downwards) {
    if (pod && isToUpdate(seen, pod)) return [pod];
    if (!pod || isUnavailable(seen, pod)) return [];
  }
  return [];
}

/**
 * As many as may be away. What serves nobody goes first, wherever it is, as nobody misses it; of the others, so many that
 * all that are away are no more than that.
 */
function updateWithin(
  seen: Seen,
  downwards: readonly Slot[],
  slots: readonly Slot[],
  maxUnavailable: number,
): Pod[] {
  const away = slots.filter(({ pod }) => !pod || isUnavailable(seen, pod)).length;
  const old = downwards.flatMap(({ pod }) => (pod && isToUpdate(seen, pod) ? [pod] : []));
  const serving = old.filter((pod) => !isUnavailable(seen, pod));
  return [
    ...old.filter((pod) => isUnavailable(seen, pod)),
    ...serving.slice(0, Math.max(maxUnavailable - away, 0)),
  ];
}

function isToUpdate({ update }: Seen, pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && revisionOf(pod) !== update.name;
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === "Running" && isPodReady(pod);
}

function isAvailable({ set, now }: Seen, pod: Pod): boolean {
  return isRunningAndReady(pod) && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now);
}

function isUnavailable(seen: Seen, pod: Pod): boolean {
  return !isAvailable(seen, pod) || pod.metadata.deletionTimestamp !== undefined;
}
