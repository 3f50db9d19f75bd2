/** Brings pods near to pods that they want to be near to, and apart from those that they do not. */
import { Namespace } from "../../../api/core/namespace.ts";
import { Node } from "../../../api/core/node.ts";
import { Pod } from "../../../api/core/pods.ts";
import type { Informers } from "../../../client/informer/informers.ts";
import { type Given, readArguments } from "../../framework/arguments.ts";
import { type DomainCounts, DomainCountsCache, labelOf, TriedCounts } from "../../framework/domain-counts.ts";
import {
  type Cycle,
  definePlugin,
  MAX_SCORE,
  type NodeFilter,
  type NodeScore,
  requeueWhen,
} from "../../framework/plugin.ts";
import {
  isOwnChange,
  podRelabelled,
  podThatCame,
  podThatLeft,
  sameLabels,
} from "../../framework/pod-changes.ts";
import { type AffinityTerm, PodInfo } from "../../framework/pod-info.ts";
import { AffinityFilter, meansAll, NAME, type OwnTerm, Refusals } from "./affinity-filter.ts";
import { ExistingTerms } from "./existing-terms.ts";
import { type NamespaceLabels, namespaceMatches, termKey, termMatches } from "./terms.ts";

interface Arguments {
  hardWeight: number;
  ignorePreferred: boolean;
}

function readAffinityArguments(given: Given | undefined): Arguments {
  return readArguments(given, (from) => ({
    hardWeight: from.number("hardPodAffinityWeight", 1, 0, 100),
    ignorePreferred: from.flag("ignorePreferredTermsOfExistingPods", false),
  }));
}

/** Pods in a domain are worth `weight` each. */
interface Attraction {
  topologyKey: string;
  weight: number;
  podsIn(domain: string): number;
}

class InterPodAffinity {
  readonly labelsOf: NamespaceLabels;
  private readonly namespaces: () => readonly Namespace[];
  private readonly args: Arguments;
  private readonly cache = new DomainCountsCache();
  private readonly existing = new ExistingTerms(this.cache.log);

  constructor(informers: Informers, args: Arguments) {
    const { lister } = informers.of(Namespace);
    this.labelsOf = (name) => lister.get("", name)?.metadata.labels;
    this.namespaces = () => lister.list();
    this.args = args;
  }

  filter(cycle: Cycle): NodeFilter | undefined {
    const { info } = cycle;
    const { requiredAffinity, requiredAntiAffinity } = info;
    if (requiredAffinity.length === 0 && requiredAntiAffinity.length === 0) {
      if (!hasAny(cycle.nodes.withRequiredAntiAffinity)) return undefined;
    }
    const refusals = this.refusals(cycle);
    if (requiredAffinity.length === 0 && requiredAntiAffinity.length === 0 && refusals.isEmpty) {
      return undefined;
    }
    const affinity = requiredAffinity.map(({ topologyKey }) => this.own(requiredAffinity, topologyKey));
    const antiAffinity = requiredAntiAffinity.map((term) => this.own([term], term.topologyKey));
    const isFirst = requiredAffinity.length === 0 || meansAll(requiredAffinity, info, this.labelsOf);
    return new AffinityFilter(affinity, antiAffinity, refusals, isFirst);
  }

  score(cycle: Cycle): NodeScore | undefined {
    const { info, nodes } = cycle;
    const { preferredAffinity, preferredAntiAffinity } = info;
    const hasOwn = preferredAffinity.length > 0 || preferredAntiAffinity.length > 0;
    if (!hasOwn && (this.args.ignorePreferred || !hasAny(nodes.withAffinity))) return undefined;
    this.cache.sync(cycle);
    const attractions: Attraction[] = [...this.ofExisting(info)];
    const own = (term: AffinityTerm, weight: number): void => {
      const counts = this.counts([term], term.topologyKey);
      if (counts.total === 0) return;
      attractions.push({ topologyKey: term.topologyKey, weight, podsIn: (domain) => counts.podsIn(domain) });
    };
    for (const term of preferredAffinity) own(term, term.weight);
    for (const term of preferredAntiAffinity) own(term, -term.weight);
    if (attractions.length === 0) return undefined;
    return {
      score(node) {
        let sum = 0;
        for (const { topologyKey, weight, podsIn } of attractions) {
          const domain = labelOf(node, topologyKey);
          if (domain !== undefined) sum += weight * podsIn(domain);
        }
        return sum;
      },
      normalize,
    };
  }

  private refusals(cycle: Cycle): Refusals {
    this.cache.sync(cycle);
    this.existing.refresh();
    const { info } = cycle;
    const refusing = this.existing
      .matching(info, this.labelsOf)
      .filter(({ kind }) => kind === "required anti-affinity");
    return new Refusals(info, this.labelsOf, refusing);
  }

  private *ofExisting(info: PodInfo): Iterable<Attraction> {
    this.existing.refresh();
    for (const { kind, term, domains, weight } of this.existing.matching(info, this.labelsOf)) {
      const each = kind === "required affinity" ? this.args.hardWeight : weight;
      if (kind === "required anti-affinity" || each === 0) continue;
      const { topologyKey } = term;
      yield { topologyKey, weight: each, podsIn: (domain) => domains.get(domain) ?? 0 };
    }
  }

  private own(terms: readonly AffinityTerm[], topologyKey: string): OwnTerm {
    return { topologyKey, tried: new TriedCounts(this.counts(terms, topologyKey)) };
  }

  /** Of pods that all the terms mean. The namespaces that they select are those of this moment. */
  private counts(terms: readonly AffinityTerm[], topologyKey: string): DomainCounts {
    const resolved = terms.map((term) => this.resolved(term));
    const key = resolved.map(termKey).join("\n\n");
    return this.cache.of(key, topologyKey, () => {
      const [first] = resolved;
      if (resolved.length === 1) return { isCounted: (info) => termMatches(first!, info, this.labelsOf) };
      return { isCounted: (info) => resolved.every((term) => termMatches(term, info, this.labelsOf)) };
    });
  }

  private resolved(term: AffinityTerm): AffinityTerm {
    const { namespaceSelector } = term;
    if (!namespaceSelector || namespaceSelector.everything) return term;
    const namespaces = new Set(term.namespaces);
    for (const { metadata } of this.namespaces()) {
      if (namespaceSelector.matches(metadata.labels)) namespaces.add(metadata.name ?? "");
    }
    return { ...term, namespaces, namespaceSelector: undefined };
  }
}

function hasAny(nodes: Iterable<unknown>): boolean {
  for (const _ of nodes) return true;
  return false;
}

/** The lowest becomes 0, the highest 100. */
function normalize(scores: Float64Array): void {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (score < least) least = score;
    if (score > most) most = score;
  }
  const range = most - least;
  for (let i = 0; i < scores.length; i++) {
    scores[i] = range > 0 ? Math.trunc((MAX_SCORE * (scores[i]! - least)) / range) : 0;
  }
}

function hints({ labelsOf }: InterPodAffinity) {
  const refuses = (pod: Pod, { requiredAntiAffinity }: PodInfo): boolean =>
    requiredAntiAffinity.some((term) => termMatches(term, new PodInfo(pod), labelsOf));
  const attracts = (pod: Pod, { requiredAffinity }: PodInfo): boolean =>
    requiredAffinity.length > 0 && meansAll(requiredAffinity, new PodInfo(pod), labelsOf);
  return [
    requeueWhen(Pod, (change) => {
      const { waiting, was, now } = change;
      if (isOwnChange(change, waiting)) {
        return !was || !now || !sameLabels(was.metadata.labels, now.metadata.labels);
      }
      const left = podThatLeft(change);
      if (left) return refuses(left, waiting) || refuses(waiting.pod, new PodInfo(left));
      const came = podThatCame(change);
      if (came) return attracts(came, waiting);
      const changed = podRelabelled(change);
      if (!changed || !was) return false;
      if (attracts(changed, waiting) && !attracts(was, waiting)) return true;
      return refuses(was, waiting) && !refuses(changed, waiting);
    }),
    // Another domain may be free of those that refuse the pod, or hold those that attract it.
    requeueWhen(
      Node,
      ({ was, now }) => now !== undefined && (!was || !sameLabels(was.metadata.labels, now.metadata.labels)),
    ),
    requeueWhen(Namespace, ({ was, now, waiting }) => {
      if (!was || !now || sameLabels(was.metadata.labels, now.metadata.labels)) return false;
      const { name = "" } = now.metadata;
      const matches = (term: AffinityTerm, { metadata }: Namespace): boolean =>
        namespaceMatches(term, name, () => metadata.labels);
      // The labels of the pod's own namespace count for the terms of others.
      if (waiting.pod.metadata.namespace === name) return true;
      return [...waiting.requiredAffinity, ...waiting.requiredAntiAffinity].some(
        (term) => matches(term, was) !== matches(term, now),
      );
    }),
  ];
}

export const interPodAffinity = definePlugin<Arguments>({
  name: NAME,
  weight: 2,
  arguments: readAffinityArguments,
  start({ informers }, args) {
    const plugin = new InterPodAffinity(informers, args);
    return {
      prepareFilter: (cycle) => plugin.filter(cycle),
      prepareScore: (cycle) => plugin.score(cycle),
      requeue: hints(plugin),
    };
  },
});
