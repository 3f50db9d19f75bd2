/**
 * The terms of pod affinity that pods on nodes have: like ones, such as those of one workload, are one, with the domains
 * in which such pods are. An incoming pod is compared with the terms instead of with the pods.
 */
import { labelOf } from "../../framework/domain-counts.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import { NodeSum } from "../../framework/node-log.ts";
import type { AffinityTerm, PodInfo } from "../../framework/pod-info.ts";
import { type NamespaceLabels, namespaceMatches, termKey } from "./terms.ts";

export type TermKind = "required anti-affinity" | "required affinity" | "preferred";

export interface ExistingTerm {
  kind: TermKind;
  /** Of preferred ones; of anti-affinity negative. */
  weight: number;
  term: AffinityTerm;
  /** Pods that have the term, by the domains they are in. */
  domains: Map<string, number>;
  key: string;
}

interface Share {
  existing: ExistingTerm;
  domain: string;
}

const SWEEP = 1000;

export class ExistingTerms extends NodeSum<readonly Share[]> {
  /** Terms that some pod on a node has: by the namespaces they name, or apart where they select namespaces. */
  private readonly named = new Map<string, Set<ExistingTerm>>();
  private readonly selecting = new Set<ExistingTerm>();
  private readonly byKey = new Map<string, ExistingTerm>();
  private nextSweep = SWEEP;
  /** Of each pod, found once. */
  private readonly ofPods = new WeakMap<PodInfo, readonly ExistingTerm[]>();

  /** Those that mean the pod. */
  *matching(info: PodInfo, labelsOf: NamespaceLabels): Generator<ExistingTerm> {
    const { namespace = "", labels } = info.pod.metadata;
    for (const existing of this.named.get(namespace) ?? []) {
      if (existing.term.selector.matches(labels)) yield existing;
    }
    for (const existing of this.selecting) {
      const { term } = existing;
      if (term.selector.matches(labels) && namespaceMatches(term, namespace, labelsOf)) yield existing;
    }
  }

  protected of(node: NodeInfo): readonly Share[] | undefined {
    if (node.podsWithAffinity.size === 0) return undefined;
    const shares: Share[] = [];
    for (const info of node.podsWithAffinity) {
      for (const existing of this.termsOf(info)) {
        const domain = labelOf(node, existing.term.topologyKey);
        if (domain !== undefined) shares.push({ existing, domain });
      }
    }
    return shares;
  }

  protected add(shares: readonly Share[]): void {
    for (const { existing, domain } of shares) {
      if (existing.domains.size === 0) this.enter(existing);
      existing.domains.set(domain, (existing.domains.get(domain) ?? 0) + 1);
    }
  }

  protected subtract(shares: readonly Share[]): void {
    for (const { existing, domain } of shares) {
      const left = existing.domains.get(domain)! - 1;
      if (left > 0) existing.domains.set(domain, left);
      else existing.domains.delete(domain);
      if (existing.domains.size === 0) this.leave(existing);
    }
  }

  private termsOf(info: PodInfo): readonly ExistingTerm[] {
    let terms = this.ofPods.get(info);
    if (!terms) {
      terms = [
        ...info.requiredAntiAffinity.map((term) => this.existing("required anti-affinity", term, 0)),
        ...info.requiredAffinity.map((term) => this.existing("required affinity", term, 0)),
        ...info.preferredAffinity.map((term) => this.existing("preferred", term, term.weight)),
        ...info.preferredAntiAffinity.map((term) => this.existing("preferred", term, -term.weight)),
      ];
      this.ofPods.set(info, terms);
    }
    return terms;
  }

  private existing(kind: TermKind, term: AffinityTerm, weight: number): ExistingTerm {
    const key = `${kind}\n${weight}\n${term.topologyKey}\n${termKey(term)}`;
    const known = this.byKey.get(key);
    if (known) return known;
    if (this.byKey.size >= this.nextSweep) this.sweep();
    const made = { kind, weight, term, domains: new Map(), key };
    this.byKey.set(key, made);
    return made;
  }

  /** Terms of pods on nodes without the label are in no domain, and so never leave one. */
  private sweep(): void {
    for (const [key, { domains }] of this.byKey) if (domains.size === 0) this.byKey.delete(key);
    this.nextSweep = 2 * this.byKey.size + SWEEP;
  }

  private enter(existing: ExistingTerm): void {
    if (!this.byKey.has(existing.key)) this.byKey.set(existing.key, existing);
    if (existing.term.namespaceSelector) {
      this.selecting.add(existing);
      return;
    }
    for (const namespace of existing.term.namespaces) {
      const peers = this.named.get(namespace);
      if (peers) peers.add(existing);
      else this.named.set(namespace, new Set([existing]));
    }
  }

  private leave(existing: ExistingTerm): void {
    if (this.byKey.get(existing.key) === existing) this.byKey.delete(existing.key);
    this.selecting.delete(existing);
    for (const namespace of existing.term.namespaces) {
      const peers = this.named.get(namespace);
      peers?.delete(existing);
      if (peers?.size === 0) this.named.delete(namespace);
    }
  }
}
