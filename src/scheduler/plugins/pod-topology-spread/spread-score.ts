/** Prefers the domains with fewer pods of the same kind. */
import { type DomainCounts, labelOf } from "../../framework/domain-counts.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import { MAX_SCORE, type NodeScore } from "../../framework/plugin.ts";
import { type Constraint, lacksKey } from "./constraints.ts";

export const HOSTNAME = "kubernetes.io/hostname";

interface Weighted {
  topologyKey: string;
  counts: DomainCounts;
  weight: number;
  /** A higher skew allowed makes differences matter less. */
  base: number;
}

/** The more domains, the fewer pods in each: the logarithm makes up for it. */
function weightOf(domains: number): number {
  return Math.log(domains + 2);
}

function domainsAmong(nodes: readonly NodeInfo[], key: string, required: readonly string[]): number {
  if (key === HOSTNAME && required.length === 0) return nodes.length;
  const seen = new Set<string>();
  let count = 0;
  for (const node of nodes) {
    if (lacksKey(node, required)) continue;
    count++;
    const domain = labelOf(node, key);
    if (domain !== undefined) seen.add(domain);
  }
  return key === HOSTNAME ? count : seen.size;
}

/** `required`: nodes that lack one of these labels get nothing. */
export function spreadScore(
  constraints: readonly Constraint[],
  nodes: readonly NodeInfo[],
  required: readonly string[],
  countsOf: (constraint: Constraint) => DomainCounts,
): NodeScore {
  const all: Weighted[] = constraints.map((constraint) => ({
    topologyKey: constraint.topologyKey,
    counts: countsOf(constraint),
    weight: weightOf(domainsAmong(nodes, constraint.topologyKey, required)),
    base: constraint.maxSkew - 1,
  }));
  return {
    score(node) {
      if (lacksKey(node, required)) return 0;
      let sum = 0;
      for (const { topologyKey, counts, weight, base } of all) {
        const domain = labelOf(node, topologyKey);
        if (domain === undefined) continue;
        const pods = topologyKey === HOSTNAME ? counts.podsOn(node) : counts.podsIn(domain);
        sum += pods * weight + base;
      }
      return Math.round(sum);
    },
    normalize: (scores, scored) => normalize(scores, scored, required),
  };
}

/** The fewest pods become the highest score. */
function normalize(scores: Float64Array, nodes: readonly NodeInfo[], required: readonly string[]): void {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < scores.length; i++) {
    if (lacksKey(nodes[i]!, required)) continue;
    least = Math.min(least, scores[i]!);
    most = Math.max(most, scores[i]!);
  }
  for (let i = 0; i < scores.length; i++) {
    if (lacksKey(nodes[i]!, required)) scores[i] = 0;
    else if (most === 0) scores[i] = MAX_SCORE;
    else scores[i] = Math.trunc((MAX_SCORE * (most + least - scores[i]!)) / most);
  }
}
