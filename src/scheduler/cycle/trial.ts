/** Tries what would be if pods came to nodes or left them. */

import type { NodeInfo } from "../framework/node-info.ts";
import type { Cycle, NodeFilter, Trial } from "../framework/plugin.ts";
import type { PodInfo } from "../framework/pod-info.ts";
import type { Rejection } from "../framework/rejection.ts";
import type { Nominator } from "../queue/nominator.ts";

function firstRejection(filters: readonly NodeFilter[], node: NodeInfo): Rejection | undefined {
  for (const filter of filters) {
    const rejection = filter.filter(node);
    if (rejection) return rejection;
  }
  return undefined;
}

export function cloned(filters: readonly NodeFilter[]): NodeFilter[] {
  return filters.map((filter) => filter.clone?.() ?? filter);
}

/**
 * Judges nodes twice where pods of at least the same priority are nominated: as if they were there already, since their
 * room is theirs, and as it is, since they may never come and the pod must not depend on them (affinity).
 */
export class NominatedTrial {
  private readonly cycle: Cycle;
  private readonly filters: readonly NodeFilter[];
  private readonly nominator: Nominator;

  constructor(cycle: Cycle, filters: readonly NodeFilter[], nominator: Nominator) {
    this.cycle = cycle;
    this.filters = filters;
    this.nominator = nominator;
  }

  filter(node: NodeInfo): Rejection | undefined {
    const { info } = this.cycle;
    const nominated = this.nominator.on(node.name, info.priority, info.uid);
    if (nominated.length > 0) {
      const rejection = firstRejection(...withPods(this.filters, node, nominated));
      if (rejection) return rejection;
    }
    return firstRejection(this.filters, node);
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

  constructor(cycle: Cycle, filters: readonly NodeFilter[], nominator: Nominator) {
    this.cycle = cycle;
    this.prepared = filters;
    this.nominator = nominator;
  }

  filter(filters: readonly NodeFilter[], node: NodeInfo): Rejection | undefined {
    const { info } = this.cycle;
    const nominated = this.nominator
      .on(node.name, info.priority, info.uid)
      .filter(({ key }) => !node.pods.has(key));
    if (nominated.length > 0) {
      const rejection = firstRejection(...withPods(filters, node, nominated));
      if (rejection) return rejection;
    }
    return firstRejection(filters, node);
  }

  filters(): NodeFilter[] {
    return cloned(this.prepared);
  }

  nominated(node: string, priority: number): readonly PodInfo[] {
    return this.nominator.on(node, priority, this.cycle.info.uid);
  }
}
