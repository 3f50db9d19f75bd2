/** Judges nodes by required pod affinity and anti-affinity: the incoming pod's own, and that of the pods there are. */
import { labelOf, type TriedCounts } from "../../framework/domain-counts.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { NodeFilter } from "../../framework/plugin.ts";
import type { AffinityTerm, PodInfo } from "../../framework/pod-info.ts";
import { type Rejection, reject } from "../../framework/rejection.ts";
import type { ExistingTerm } from "./existing-terms.ts";
import { type NamespaceLabels, termMatches } from "./terms.ts";

export const NAME = "InterPodAffinity";

const NO_AFFINITY = reject(
  NAME,
  "unresolvable",
  "node(s) didn't match pod affinity rules",
  () => "start a pod that the required pod affinity means, or change the pod's affinity",
);
const OWN_ANTI_AFFINITY = reject(
  NAME,
  "unschedulable",
  "node(s) didn't match pod anti-affinity rules",
  () => "add nodes in other domains, or end the pods that the pod's anti-affinity means",
);
const EXISTING_ANTI_AFFINITY = reject(
  NAME,
  "unschedulable",
  "node(s) didn't satisfy existing pods anti-affinity rules",
  () => "add nodes in other domains, or end the pods whose anti-affinity means this pod",
);

/** A term of the incoming pod and where the pods that it means are. */
export interface OwnTerm {
  topologyKey: string;
  tried: TriedCounts;
}

/** Pods whose required anti-affinity means the incoming pod, by topology key. */
export class Refusals {
  private readonly info: PodInfo;
  private readonly labelsOf: NamespaceLabels;
  private readonly existing = new Map<string, ExistingTerm[]>();
  /** What tries changed: by topology key and domain. */
  private readonly changes = new Map<string, Map<string, number>>();

  constructor(info: PodInfo, labelsOf: NamespaceLabels, terms: Iterable<ExistingTerm>) {
    this.info = info;
    this.labelsOf = labelsOf;
    for (const existing of terms) {
      const { topologyKey } = existing.term;
      const peers = this.existing.get(topologyKey);
      if (peers) peers.push(existing);
      else this.existing.set(topologyKey, [existing]);
    }
  }

  get isEmpty(): boolean {
    return this.existing.size === 0;
  }

  clone(): Refusals {
    const copy = new Refusals(this.info, this.labelsOf, [...this.existing.values()].flat());
    for (const [key, changes] of this.changes) copy.changes.set(key, new Map(changes));
    return copy;
  }

  change({ requiredAntiAffinity }: PodInfo, node: NodeInfo, by: 1 | -1): void {
    for (const term of requiredAntiAffinity) {
      const domain = labelOf(node, term.topologyKey);
      if (domain === undefined || !termMatches(term, this.info, this.labelsOf)) continue;
      const changes = this.changes.get(term.topologyKey) ?? new Map<string, number>();
      changes.set(domain, (changes.get(domain) ?? 0) + by);
      this.changes.set(term.topologyKey, changes);
    }
  }

  refuse(node: NodeInfo): boolean {
    for (const [key, terms] of this.existing) if (this.count(node, key, terms) > 0) return true;
    for (const key of this.changes.keys()) {
      if (!this.existing.has(key) && this.count(node, key, []) > 0) return true;
    }
    return false;
  }

  private count(node: NodeInfo, key: string, terms: readonly ExistingTerm[]): number {
    const domain = labelOf(node, key);
    if (domain === undefined) return 0;
    let pods = this.changes.size === 0 ? 0 : (this.changes.get(key)?.get(domain) ?? 0);
    for (const { domains } of terms) pods += domains.get(domain) ?? 0;
    return pods;
  }
}

export class AffinityFilter implements NodeFilter {
  private readonly affinity: readonly OwnTerm[];
  private readonly antiAffinity: readonly OwnTerm[];
  private readonly refusals: Refusals;
  /** The pod is one of those that its own affinity means: the first of a group may go anywhere. */
  private readonly isFirst: boolean;

  constructor(
    affinity: readonly OwnTerm[],
    antiAffinity: readonly OwnTerm[],
    refusals: Refusals,
    isFirst: boolean,
  ) {
    this.affinity = affinity;
    this.antiAffinity = antiAffinity;
    this.refusals = refusals;
    this.isFirst = isFirst;
  }

  filter(node: NodeInfo): Rejection | undefined {
    if (!this.isNearFriends(node)) return NO_AFFINITY;
    for (const { topologyKey, tried } of this.antiAffinity) {
      const domain = labelOf(node, topologyKey);
      if (domain !== undefined && tried.podsIn(domain) > 0) return OWN_ANTI_AFFINITY;
    }
    return this.refusals.refuse(node) ? EXISTING_ANTI_AFFINITY : undefined;
  }

  clone(): AffinityFilter {
    const cloned = (terms: readonly OwnTerm[]): OwnTerm[] =>
      terms.map(({ topologyKey, tried }) => ({ topologyKey, tried: tried.clone() }));
    return new AffinityFilter(
      cloned(this.affinity),
      cloned(this.antiAffinity),
      this.refusals.clone(),
      this.isFirst,
    );
  }

  addPod(info: PodInfo, node: NodeInfo): void {
    this.change(info, node, 1);
  }

  removePod(info: PodInfo, node: NodeInfo): void {
    this.change(info, node, -1);
  }

  private change(info: PodInfo, node: NodeInfo, by: 1 | -1): void {
    for (const { tried } of this.affinity) tried.change(info, node, by);
    for (const { tried } of this.antiAffinity) tried.change(info, node, by);
    this.refusals.change(info, node, by);
  }

  private isNearFriends(node: NodeInfo): boolean {
    let isNear = true;
    for (const { topologyKey, tried } of this.affinity) {
      const domain = labelOf(node, topologyKey);
      if (domain === undefined) return false;
      if (tried.podsIn(domain) === 0) isNear = false;
    }
    return isNear || (this.isFirst && this.affinity.every(({ tried }) => tried.total === 0));
  }
}

/** Whether every term means the pod; of no terms, false. */
export function meansAll(terms: readonly AffinityTerm[], info: PodInfo, labelsOf: NamespaceLabels): boolean {
  return terms.length > 0 && terms.every((term) => termMatches(term, info, labelsOf));
}
