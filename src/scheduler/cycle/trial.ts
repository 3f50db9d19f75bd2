/** Tries what would be if pods came to nodes or left them. */

import type { NodeInfo } from "../framework/node-info.ts";
import type { Cycle, NodeFilter, Trial } from "../framework/plugin.ts";
import type { PodInfo } from "../framework/pod-info.ts";
import type { Rejection } from "../framework/rejection.ts";
import type { Nominator } from "../queue/nominator.ts";

/** By the first of `filters` that says no. */
export function firstRejection(filters: readonly NodeFilter[], node: NodeInfo): Rejection | undefined {
  for (let i = 0; i < filters.length; i++) {
    const rejection = filters[i]!.filter(node);
    if (rejection) return rejection;
  }
  return undefined;
}

export function cloned(filters: readonly NodeFilter[]): NodeFilter[] {
  return filters.map((filter) => filter.clone?.() ?? filter);
}

/** What nodes said to twins of the pod, by their places in the list, none of which was to get the node itself. */
export interface BesideMemory {
  /** Undefined where it is to be asked. */
  besideAt(at: number, priority: number): Readonly<BesideAnswer> | undefined;
  besideSaid(at: number, priority: number, rejection: Rejection | undefined): void;
}

export interface BesideAnswer {
  rejection: Rejection | undefined;
}

/**
 * Judges nodes twice where pods of at least the same priority are nominated: as it is, since they may never come and the
 * pod must not depend on them (affinity), and as if they were there already, since their room is theirs. The first costs
 * little and settles most.
 */
export class NominatedTrial {
  private readonly cycle: Cycle;
  private readonly filters: readonly NodeFilter[];
  private readonly nominator: Nominator;
  /** The node that the pod itself is to get. */
  private readonly own: string | undefined;

  constructor(cycle: Cycle, filters: readonly NodeFilter[], nominator: Nominator) {
    this.cycle = cycle;
    this.filters = filters;
    this.nominator = nominator;
    this.own = nominator.node(cycle.info.uid);
  }

  filter(node: NodeInfo): Rejection | undefined {
    return firstRejection(this.filters, node) ?? this.filterBesideNominated(node);
  }

  /** The second look alone, at a node that would do as it is. */
  filterBesideNominated(node: NodeInfo, twins?: BesideMemory, at = 0): Rejection | undefined {
    if (!twins || this.own === node.name) return this.askBeside(node);
    const { priority } = this.cycle.info;
    const known = twins.besideAt(at, priority);
    if (known) return known.rejection;
    const rejection = this.askBeside(node);
    twins.besideSaid(at, priority, rejection);
    return rejection;
  }

  private askBeside(node: NodeInfo): Rejection | undefined {
    const { info } = this.cycle;
    const nominated = this.nominator.on(node.name, info.priority, info.uid);
    return nominated.length === 0 ? undefined : firstRejection(...withPods(this.filters, node, nominated));
  }
}

function withPods(
  filters: readonly NodeFilter[],
  node: NodeInfo,
  pods: readonly PodInfo[],
): [NodeFilter[], NodeInfo] {
  const copies = cloned(filters);
  const copy = node.clone();
  for (const pod of pods) {
    copy.addPod(pod);
    for (const filter of copies) filter.addPod?.(pod, copy);
  }
  return [copies, copy];
}

/** What postFilter plugins are given. */
export class PostFilterTrial implements Trial {
  private readonly cycle: Cycle;
  private readonly prepared: readonly NodeFilter[];
  private readonly nominator: Nominator;
  readonly own: string | undefined;

  constructor(cycle: Cycle, filters: readonly NodeFilter[], nominator: Nominator) {
    this.cycle = cycle;
    this.prepared = filters;
    this.nominator = nominator;
    this.own = nominator.node(cycle.info.uid);
  }

  filter(filters: readonly NodeFilter[], node: NodeInfo): Rejection | undefined {
    const rejection = firstRejection(filters, node);
    if (rejection) return rejection;
    const { info } = this.cycle;
    const nominated = this.nominator
      .on(node.name, info.priority, info.uid)
      .filter(({ key }) => !node.pods.has(key));
    return nominated.length === 0 ? undefined : firstRejection(...withPods(filters, node, nominated));
  }

  filters(): NodeFilter[] {
    return cloned(this.prepared);
  }

  nominated(node: string, priority: number): readonly PodInfo[] {
    return this.nominator.on(node, priority, this.cycle.info.uid);
  }
}
