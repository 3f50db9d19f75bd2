/**
 * How many pods of a kind are in each domain of a topology (each zone, each host): counted once over all nodes, then kept
 * up to date node by node, and shared by all pods that ask the same, such as those of one workload.
 */
import { RecentlyUsed } from "../../client/events/recently-used.ts";
import type { NodeInfo } from "./node-info.ts";
import { NodeLog, NodeSum } from "./node-log.ts";
import type { Cycle } from "./plugin.ts";
import { type PodGroup, PodGroups } from "./pod-groups.ts";
import type { PodInfo } from "./pod-info.ts";

/** What is counted. */
export interface Counted {
  topologyKey: string;
  /** By its namespace, its labels and whether it is on its way out, and by nothing else. */
  isCounted(info: PodInfo): boolean;
  /** Only nodes that this holds for count at all, with their domains. */
  isEligible?(node: NodeInfo): boolean;
}

interface Share {
  domain: string;
  pods: number;
}

interface Domain {
  pods: number;
  nodes: number;
}

/** The value of a label; its own, whatever the name. */
export function labelOf({ node: { metadata } }: NodeInfo, key: string): string | undefined {
  const { labels } = metadata;
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

export class DomainCounts extends NodeSum<Share> {
  readonly counted: Counted;
  readonly domains = new Map<string, Domain>();
  /** How many domains have so many pods. */
  readonly histogram = new Map<number, number>();
  /** Pods in all domains. */
  total = 0;

  private readonly groups: PodGroups;
  private readonly matching = new WeakMap<PodGroup, boolean>();
  /** While all nodes are counted: pods by slot. */
  private bySlot: Int32Array | undefined;

  constructor(log: NodeLog, groups: PodGroups, counted: Counted) {
    super(log);
    this.groups = groups;
    this.counted = counted;
  }

  podsIn(domain: string): number {
    return this.domains.get(domain)?.pods ?? 0;
  }

  /** Pods on the node itself. */
  podsOn(node: NodeInfo): number {
    return this.givenBy(node)?.pods ?? 0;
  }

  /** The domain to which the node's pods count; undefined: none. */
  domainOf(node: NodeInfo): string | undefined {
    const { topologyKey, isEligible } = this.counted;
    const domain = labelOf(node, topologyKey);
    return domain === undefined || (isEligible && !isEligible(node)) ? undefined : domain;
  }

  protected of(node: NodeInfo, was: Share | undefined, slot: number): Share | undefined {
    const domain = this.domainOf(node);
    if (domain === undefined) return undefined;
    const pods = this.bySlot ? this.bySlot[slot]! : this.countOn(slot);
    return was?.domain === domain && was.pods === pods ? was : { domain, pods };
  }

  protected override recounting(slots: number): void {
    const bySlot = new Int32Array(slots);
    for (const group of this.groups.all) {
      if (!this.isCounted(group)) continue;
      for (const [slot, count] of group.slots) bySlot[slot]! += count;
    }
    this.bySlot = bySlot;
  }

  protected override recounted(): void {
    this.bySlot = undefined;
  }

  private countOn(slot: number): number {
    let pods = 0;
    for (const [group, count] of this.groups.on(slot) ?? []) if (this.isCounted(group)) pods += count;
    return pods;
  }

  private isCounted(group: PodGroup): boolean {
    let is = this.matching.get(group);
    if (is === undefined) {
      is = this.counted.isCounted(group.sample);
      this.matching.set(group, is);
    }
    return is;
  }

  protected add({ domain, pods }: Share): void {
    const known = this.domains.get(domain);
    this.move(known?.pods, (known?.pods ?? 0) + pods);
    if (known) {
      known.pods += pods;
      known.nodes++;
    } else this.domains.set(domain, { pods, nodes: 1 });
    this.total += pods;
  }

  protected subtract({ domain, pods }: Share): void {
    const known = this.domains.get(domain)!;
    known.nodes--;
    this.move(known.pods, known.nodes > 0 ? known.pods - pods : undefined);
    known.pods -= pods;
    if (known.nodes === 0) this.domains.delete(domain);
    this.total -= pods;
  }

  private move(from: number | undefined, to: number | undefined): void {
    moveIn(this.histogram, from, to);
  }
}

/** A domain goes from one height of a histogram to another. */
function moveIn(histogram: Map<number, number>, from: number | undefined, to: number | undefined): void {
  if (from === to) return;
  if (from !== undefined) {
    const left = histogram.get(from)! - 1;
    if (left > 0) histogram.set(from, left);
    else histogram.delete(from);
  }
  if (to !== undefined) histogram.set(to, (histogram.get(to) ?? 0) + 1);
}

/** The counts as they would be if pods came or went. */
export class TriedCounts {
  readonly counts: DomainCounts;
  /** By domain. */
  private readonly changes: Map<string, number>;
  private fewest: number | undefined;

  constructor(counts: DomainCounts, changes: ReadonlyMap<string, number> = new Map()) {
    this.counts = counts;
    this.changes = new Map(changes);
  }

  clone(): TriedCounts {
    return new TriedCounts(this.counts, this.changes);
  }

  podsIn(domain: string): number {
    const pods = this.counts.podsIn(domain);
    return this.changes.size === 0 ? pods : pods + (this.changes.get(domain) ?? 0);
  }

  get total(): number {
    let { total } = this.counts;
    for (const change of this.changes.values()) total += change;
    return total;
  }

  get domains(): number {
    return this.counts.domains.size;
  }

  /** Pods in the domain with the fewest; 0 where there is no domain. */
  get least(): number {
    this.fewest ??= this.findFewest();
    return this.fewest;
  }

  /** A pod came (1) or went (-1). */
  change(info: PodInfo, node: NodeInfo, by: 1 | -1): void {
    if (!this.counts.counted.isCounted(info)) return;
    const domain = this.counts.domainOf(node);
    if (domain === undefined) return;
    this.changes.set(domain, (this.changes.get(domain) ?? 0) + by);
    this.fewest = undefined;
  }

  private findFewest(): number {
    let histogram: ReadonlyMap<number, number> = this.counts.histogram;
    if (this.changes.size > 0) {
      const changed = new Map(histogram);
      for (const [domain, change] of this.changes) {
        const pods = this.counts.podsIn(domain);
        moveIn(changed, pods, pods + change);
      }
      histogram = changed;
    }
    let least = Number.POSITIVE_INFINITY;
    for (const pods of histogram.keys()) least = Math.min(least, pods);
    return least === Number.POSITIVE_INFINITY ? 0 : least;
  }
}

/** Counts that were used of late; those of other workloads are made anew when they are asked for again. */
const MOST_KEPT = 128;

export class DomainCountsCache {
  readonly log = new NodeLog();
  private readonly groups = new PodGroups(this.log);
  private readonly kept = new RecentlyUsed<DomainCounts>(MOST_KEPT);
  private cycle: Cycle | undefined;

  /** To be called before `of` in each extension point: the nodes do not change within a cycle. */
  sync(cycle: Cycle): void {
    if (this.cycle === cycle) return;
    this.log.sync(cycle.nodes.list);
    this.cycle = cycle;
  }

  /** `key` says all that `counted` depends on, but for the topology key. */
  of(key: string, topologyKey: string, counted: () => Omit<Counted, "topologyKey">): DomainCounts {
    const whole = `${topologyKey}\n${key}`;
    let counts = this.kept.get(whole);
    if (!counts) {
      counts = new DomainCounts(this.log, this.groups, { ...counted(), topologyKey });
      this.kept.set(whole, counts);
    }
    this.groups.refresh();
    counts.refresh();
    return counts;
  }
}
