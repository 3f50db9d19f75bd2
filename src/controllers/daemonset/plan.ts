/**
 * What a DaemonSet does next, decided from its pods node by node.
 *
 *   manage: a pod where one is wanted, none where none is, one (or, while surging, two) a node
 *   update: only once there is nothing to manage, old pods give way within maxUnavailable or maxSurge
 */

import type { Node } from "../../api/core/node.ts";
import { isPodAvailable, isPodReady } from "../../api/core/pod/state.ts";
import type { DaemonSet } from "../../api/schema/apps.v1.generated.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { scaledValue } from "../../machinery/int-or-string/int-or-string.ts";
import { nextAvailable } from "../workloads/next-available.ts";
import { hashOfPod, targetNode } from "./daemon-pod.ts";
import type { Judge } from "./node-verdict.ts";

export interface Seen {
  set: DaemonSet;
  /** The label of pods that are up to date. */
  hash: string;
  nodes: readonly Node[];
  judge: Judge;
  pods: readonly Pod[];
  now: number;
  /** Milliseconds that a pod that ended on the node must wait for its deletion; 0 lets it go now. */
  backoff: (node: string) => number;
}

export interface Plan {
  /** Nodes that get a pod. */
  create: string[];
  delete: Pod[];
  /** Those of the deleted that ended by themselves. */
  ended: { pod: Pod; node: string }[];
  /** When something changes by time alone. */
  lookAgain?: number;
}

/** Non-deleted pods of a node: at most one up to date and one old, or "many". */
type Pair = { updated?: Pod; old?: Pod } | "many";

export type PodsByNode = ReadonlyMap<string, readonly Pod[]>;

export function podsByNode(pods: readonly Pod[]): PodsByNode {
  const byNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    const { phase } = pod.status ?? {};
    const leaving = pod.metadata.deletionTimestamp !== undefined;
    if (leaving && (phase === "Succeeded" || phase === "Failed")) continue;
    const node = targetNode(pod);
    if (node === undefined) continue;
    const there = byNode.get(node);
    if (there) there.push(pod);
    else byNode.set(node, [pod]);
  }
  for (const there of byNode.values()) if (there.length > 1) there.sort(byPlaceAndAge);
  return byNode;
}

/** Those that have a node first, then the older. */
function byPlaceAndAge(a: Pod, b: Pod): number {
  const placed = Number(Boolean(b.spec?.nodeName)) - Number(Boolean(a.spec?.nodeName));
  if (placed !== 0) return placed;
  return (
    compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
    compare(a.metadata.name, b.metadata.name)
  );
}

function compare(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function planDaemons(seen: Seen, byNode: PodsByNode = podsByNode(seen.pods)): Plan {
  const plan: Plan = { create: [], delete: [], ended: [] };
  const known = new Set<string>();
  for (const node of seen.nodes) {
    known.add(node.metadata.name!);
    manageNode(seen, node, byNode.get(node.metadata.name!), plan);
  }
  for (const [node, pods] of byNode) {
    // What is on a node that is gone is the garbage collector's; what only waits for it waits for ever.
    if (!known.has(node)) for (const pod of pods) if (!pod.spec?.nodeName) plan.delete.push(pod);
  }
  const isManaged = plan.create.length === 0 && plan.delete.length === 0;
  if (isManaged && seen.set.spec?.updateStrategy?.type !== "OnDelete") rollingUpdate(seen, byNode, plan);
  plan.lookAgain = earliest(
    plan.lookAgain,
    nextAvailable(seen.pods, seen.set.spec?.minReadySeconds, seen.now),
  );
  return plan;
}

function manageNode(seen: Seen, node: Node, pods: readonly Pod[] | undefined, plan: Plan): void {
  const name = node.metadata.name!;
  const verdict = seen.judge(node);
  if (!pods) {
    if (verdict === "run") plan.create.push(name);
    return;
  }
  if (verdict === "leave") {
    for (const pod of pods) if (!isLeaving(pod)) plan.delete.push(pod);
    return;
  }
  const running: Pod[] = [];
  for (const pod of pods) {
    if (isLeaving(pod)) continue;
    const { phase } = pod.status ?? {};
    if (phase !== "Failed" && phase !== "Succeeded") running.push(pod);
    else endPod(seen, name, pod, plan);
  }
  if (surgeOf(seen.set, 1) === 0) {
    plan.delete.push(...running.slice(1));
    return;
  }
  if (running.length === 0 && verdict === "run") plan.create.push(name);
  if (running.length > 1) prunePair(seen, running, plan);
}

function endPod({ backoff, now }: Seen, node: string, pod: Pod, plan: Plan): void {
  const wait = backoff(node);
  if (wait > 0) {
    plan.lookAgain = earliest(plan.lookAgain, now + wait);
    return;
  }
  plan.ended.push({ pod, node });
  plan.delete.push(pod);
}

/** While surging, a node has an old pod that is ready and one that is not yet available to follow it; no others. */
function prunePair({ set, hash, now }: Seen, running: readonly Pod[], plan: Plan): void {
  let updated: Pod | undefined;
  let old: Pod | undefined;
  for (const pod of running) {
    if (hashOfPod(pod) === hash) {
      if (updated) plan.delete.push(pod);
      else updated = pod;
    } else if (old) plan.delete.push(pod);
    else old = pod;
  }
  if (!updated || !old) return;
  if (!isPodReady(old) || isPodAvailable(updated, set.spec?.minReadySeconds ?? 0, now)) plan.delete.push(old);
}

function rollingUpdate(seen: Seen, byNode: PodsByNode, plan: Plan): void {
  const wanted = new Set<string>();
  for (const node of seen.nodes) if (seen.judge(node) === "run") wanted.add(node.metadata.name!);
  const surge = surgeOf(seen.set, wanted.size);
  const given = seen.set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
  let away = given === undefined ? 1 : scaledValue(given, wanted.size, true);
  if (wanted.size > 0 && away === 0 && surge === 0) away = 1;
  if (surge === 0) replaceWithin(seen, byNode, wanted, away, plan);
  else surgeWithin(seen, byNode, wanted, surge, plan);
}

function replaceWithin(
  { set, hash, now }: Seen,
  byNode: PodsByNode,
  wanted: ReadonlySet<string>,
  maxUnavailable: number,
  plan: Plan,
): void {
  const seconds = set.spec?.minReadySeconds ?? 0;
  let unavailable = 0;
  for (const node of wanted) if (!byNode.has(node)) unavailable++;
  const candidates: Pod[] = [];
  for (const pods of byNode.values()) {
    const pair = pairOf(pods, hash);
    if (pair === "many" || (pair.updated === undefined) === (pair.old === undefined)) unavailable++;
    else if (pair.updated) {
      if (!isPodAvailable(pair.updated, seconds, now)) unavailable++;
    } else if (isPodAvailable(pair.old!, seconds, now)) candidates.push(pair.old!);
    else {
      // It serves nobody as it is: nothing is lost by replacing it.
      plan.delete.push(pair.old!);
      unavailable++;
    }
  }
  plan.delete.push(...candidates.slice(0, Math.max(maxUnavailable - unavailable, 0)));
}

function surgeWithin(
  { set, hash, now }: Seen,
  byNode: PodsByNode,
  wanted: ReadonlySet<string>,
  maxSurge: number,
  plan: Plan,
): void {
  const seconds = set.spec?.minReadySeconds ?? 0;
  let surging = 0;
  let available = 0;
  const candidates: string[] = [];
  const strays: Pod[] = [];
  for (const [node, pods] of byNode) {
    const pair = pairOf(pods, hash);
    if (pair === "many") {
      surging++;
      continue;
    }
    const { updated, old } = pair;
    const serving = old ?? updated;
    const serves = serving !== undefined && isPodAvailable(serving, seconds, now);
    if (serves) available++;
    if (!old) continue;
    if (updated) {
      if (isPodAvailable(updated, seconds, now)) plan.delete.push(old);
      else surging++;
    } else if (wanted.has(node)) {
      if (serves) candidates.push(node);
      else plan.create.push(node);
    } else if (serves) strays.push(old);
    else plan.delete.push(old);
  }
  // Pods on nodes that are wanted no more go only as others take their place.
  plan.delete.push(...strays.slice(0, Math.max(available - wanted.size, 0)));
  plan.create.push(...candidates.slice(0, Math.max(maxSurge - surging, 0)));
}

function pairOf(pods: readonly Pod[], hash: string): Pair {
  const pair: { updated?: Pod; old?: Pod } = {};
  for (const pod of pods) {
    if (isLeaving(pod)) continue;
    const as = hashOfPod(pod) === hash ? "updated" : "old";
    if (pair[as]) return "many";
    pair[as] = pod;
  }
  return pair;
}

function surgeOf({ spec }: DaemonSet, nodes: number): number {
  if (spec?.updateStrategy?.type !== "RollingUpdate") return 0;
  return scaledValue(spec.updateStrategy.rollingUpdate?.maxSurge ?? 0, nodes, true);
}

function isLeaving({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

export function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
