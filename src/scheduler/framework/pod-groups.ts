/**
 * Pods that no selector can tell apart (of one namespace, with the same labels) and the nodes they are on: a selector is
 * asked once for each group, however many pods there are.
 */
import type { NodeInfo } from "./node-info.ts";
import { NodeSum } from "./node-log.ts";
import type { PodInfo } from "./pod-info.ts";

export interface PodGroup {
  readonly key: string;
  /** One of them; its namespace, labels and whether it is on its way out are those of all. */
  readonly sample: PodInfo;
  /** How many are on each node, by the node's slot. */
  readonly slots: Map<number, number>;
}

function keyOf({ pod: { metadata } }: PodInfo): string {
  const { namespace, labels, deletionTimestamp } = metadata;
  const pairs = labels ? Object.keys(labels).sort() : [];
  const isLeaving = deletionTimestamp === undefined ? "" : "leaving";
  return `${namespace}\n${isLeaving}\n${pairs.map((name) => `${name}=${labels?.[name]}`).join("\n")}`;
}

export class PodGroups extends NodeSum<ReadonlyMap<PodGroup, number>> {
  /** Those with any pod on a node. */
  readonly all = new Set<PodGroup>();
  private readonly byKey = new Map<string, PodGroup>();
  /** What a PodInfo is read off does not change. */
  private readonly ofPods = new WeakMap<PodInfo, PodGroup>();

  on(slot: number): ReadonlyMap<PodGroup, number> | undefined {
    return this.givenAt(slot);
  }

  protected of(node: NodeInfo): ReadonlyMap<PodGroup, number> | undefined {
    if (node.pods.size === 0) return undefined;
    const counts = new Map<PodGroup, number>();
    for (const info of node.pods.values()) {
      const group = this.groupOf(info);
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    return counts;
  }

  protected add(counts: ReadonlyMap<PodGroup, number>, slot: number): void {
    for (const [group, count] of counts) {
      if (group.slots.size === 0) this.all.add(group);
      group.slots.set(slot, count);
    }
  }

  protected subtract(counts: ReadonlyMap<PodGroup, number>, slot: number): void {
    for (const group of counts.keys()) {
      group.slots.delete(slot);
      if (group.slots.size > 0) continue;
      this.all.delete(group);
      if (this.byKey.get(group.key) === group) this.byKey.delete(group.key);
    }
  }

  private groupOf(info: PodInfo): PodGroup {
    let group = this.ofPods.get(info);
    if (group) return group;
    const key = keyOf(info);
    group = this.byKey.get(key) ?? { key, sample: info, slots: new Map() };
    this.byKey.set(key, group);
    this.ofPods.set(info, group);
    return group;
  }
}
