/** Spreads pods of a kind over zones, hosts and other domains (upstream: plugins/podtopologyspread, KEP-895). */
import { Node } from "../../../api/core/node.ts";
import { Pod } from "../../../api/core/pods.ts";
import { type DomainCounts, DomainCountsCache, labelOf, TriedCounts } from "../../framework/domain-counts.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import { type Cycle, definePlugin, type NodeFilter, requeueWhen } from "../../framework/plugin.ts";
import {
  isOwnChange,
  podRelabelled,
  podThatCame,
  podThatLeft,
  sameLabels,
} from "../../framework/pod-changes.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { type Rejection, reject } from "../../framework/rejection.ts";
import { readSpreadArguments, type SpreadArguments } from "./arguments.ts";
import {
  type Action,
  type Constraint,
  compileConstraint,
  counts,
  Inclusion,
  ownConstraints,
} from "./constraints.ts";
import { type DefaultSelector, defaultSelector } from "./default-selector.ts";
import { HOSTNAME, spreadScore } from "./spread-score.ts";

const NAME = "PodTopologySpread";
const MISMATCH = "node(s) didn't match pod topology spread constraints";

interface Judged {
  topologyKey: string;
  maxSkew: number;
  minDomains: number;
  selfMatch: number;
  tried: TriedCounts;
  missing: Rejection;
  skewed: Rejection;
}

function judgedBy(constraint: Constraint, found: DomainCounts): Judged {
  const { topologyKey, maxSkew, minDomains, selfMatch, selector } = constraint;
  const missing = `${MISMATCH} (missing required label)`;
  return {
    topologyKey,
    maxSkew,
    minDomains,
    selfMatch: selfMatch ? 1 : 0,
    tried: new TriedCounts(found),
    missing: reject(NAME, "unresolvable", missing, () => `label the nodes with ${topologyKey}`),
    skewed: reject(
      NAME,
      "unschedulable",
      MISMATCH,
      () =>
        `make room in the domains of ${topologyKey} with the fewest pods of ${selector}, add nodes there, or raise maxSkew above ${maxSkew}`,
    ),
  };
}

class SpreadFilter implements NodeFilter {
  private readonly all: readonly Judged[];

  constructor(all: readonly Judged[]) {
    this.all = all;
  }

  filter(node: NodeInfo): Rejection | undefined {
    for (const { topologyKey, maxSkew, minDomains, selfMatch, tried, missing, skewed } of this.all) {
      const domain = labelOf(node, topologyKey);
      if (domain === undefined) return missing;
      const least = tried.domains < minDomains ? 0 : tried.least;
      if (tried.podsIn(domain) + selfMatch - least > maxSkew) return skewed;
    }
    return undefined;
  }

  clone(): SpreadFilter {
    return new SpreadFilter(this.all.map((each) => ({ ...each, tried: each.tried.clone() })));
  }

  addPod(info: PodInfo, node: NodeInfo): void {
    for (const { tried } of this.all) tried.change(info, node, 1);
  }

  removePod(info: PodInfo, node: NodeInfo): void {
    for (const { tried } of this.all) tried.change(info, node, -1);
  }
}

class PodTopologySpread {
  private readonly args: SpreadArguments;
  private readonly selectorFor: DefaultSelector;
  private readonly cache = new DomainCountsCache();

  constructor(args: SpreadArguments, selectorFor: DefaultSelector) {
    this.args = args;
    this.selectorFor = selectorFor;
  }

  constraints(pod: Pod, action: Action): readonly Constraint[] {
    if (pod.spec?.topologySpreadConstraints?.length) return ownConstraints(pod)[action];
    const given = this.args.defaultConstraints.filter(
      ({ whenUnsatisfiable }) => whenUnsatisfiable === action,
    );
    const selector = given.length > 0 ? this.selectorFor(pod) : undefined;
    return selector ? given.map((each) => compileConstraint(each, pod, selector)) : [];
  }

  filter(cycle: Cycle): NodeFilter | undefined {
    const { pod } = cycle;
    const constraints = this.constraints(pod, "DoNotSchedule");
    if (constraints.length === 0) return undefined;
    this.cache.sync(cycle);
    const inclusion = new Inclusion(
      pod,
      constraints.map(({ topologyKey }) => topologyKey),
    );
    const all = constraints.map((constraint) =>
      judgedBy(constraint, this.counts(pod, constraint, inclusion)),
    );
    return new SpreadFilter(all);
  }

  score(cycle: Cycle, nodes: readonly NodeInfo[]) {
    const { pod } = cycle;
    const constraints = this.constraints(pod, "ScheduleAnyway");
    if (constraints.length === 0) return undefined;
    this.cache.sync(cycle);
    const isStrict = !this.args.systemDefaulted || (pod.spec?.topologySpreadConstraints?.length ?? 0) > 0;
    const required = isStrict ? constraints.map(({ topologyKey }) => topologyKey) : [];
    const inclusion = new Inclusion(pod, required);
    const everywhere = new Inclusion(pod, []);
    return spreadScore(constraints, nodes, required, (constraint) => {
      // On a host its own pods count, whatever the node is like.
      if (constraint.topologyKey !== HOSTNAME) return this.counts(pod, constraint, inclusion);
      const own = { ...constraint, honorsAffinity: false, honorsTaints: false };
      return this.counts(pod, own, everywhere);
    });
  }

  private counts(pod: Pod, constraint: Constraint, inclusion: Inclusion): DomainCounts {
    const { selector, topologyKey } = constraint;
    const namespace = pod.metadata.namespace ?? "";
    const key = `${namespace}\n${selector}\n${inclusion.key(constraint)}`;
    return this.cache.of(key, topologyKey, () => ({
      isCounted: counts(namespace, selector),
      isEligible: inclusion.of(constraint),
    }));
  }
}

function hints(spread: PodTopologySpread) {
  return [
    requeueWhen(Pod, (change) => {
      const { waiting, now, was } = change;
      if (isOwnChange(change, waiting)) {
        return !was || !now || !sameLabels(was.metadata.labels, now.metadata.labels);
      }
      const moved = podThatLeft(change) ?? podThatCame(change) ?? podRelabelled(change);
      if (!moved || moved.metadata.namespace !== waiting.pod.metadata.namespace) return false;
      const constraints = spread.constraints(waiting.pod, "DoNotSchedule");
      const matches = ({ metadata }: Pod): boolean =>
        constraints.some(({ selector }) => selector.matches(metadata.labels));
      return matches(moved) || (was !== undefined && matches(was));
    }),
    requeueWhen(Node, ({ was, now, waiting }) => {
      const constraints = spread.constraints(waiting.pod, "DoNotSchedule");
      const has = (node: Node | undefined): boolean =>
        node !== undefined &&
        constraints.every(({ topologyKey }) => Object.hasOwn(node.metadata.labels ?? {}, topologyKey));
      if (!was || !now) return has(now ?? was);
      if (has(was) !== has(now)) return true;
      return (
        has(now) &&
        (!sameLabels(was.metadata.labels, now.metadata.labels) ||
          JSON.stringify(was.spec?.taints) !== JSON.stringify(now.spec?.taints))
      );
    }),
  ];
}

export const podTopologySpread = definePlugin<SpreadArguments>({
  name: NAME,
  weight: 2,
  arguments: readSpreadArguments,
  start({ informers }, args) {
    const spread = new PodTopologySpread(args, defaultSelector(informers));
    return {
      prepareFilter: (cycle) => spread.filter(cycle),
      prepareScore: (cycle, nodes) => spread.score(cycle, nodes),
      requeue: hints(spread),
    };
  },
});
