/**
 * What nodes said to pods that found no node, for their twins and for the next attempt: only nodes that have changed since
 * are asked again.
 */
import type { NodeInfo } from "../framework/node-info.ts";
import type { NodeFilter } from "../framework/plugin.ts";
import type { PodInfo } from "../framework/pod-info.ts";
import type { Rejection } from "../framework/rejection.ts";
import { areSamePods, twinKey } from "../framework/twins.ts";
import { firstRejection } from "./trial.ts";

/** Kinds of pods that are remembered, those that failed last. */
const MOST = 8;
const NEVER = -1;

export class RememberedRejections {
  /** By profile and twin key, the first the one that failed longest ago. */
  private readonly twins = new Map<string, Twins>();

  /** What is known for the pod of these filters on `nodes`, the whole list; undefined: nothing yet. */
  of(profile: string, filters: readonly NodeFilter[], nodes: readonly NodeInfo[]): Twins | undefined {
    if (this.twins.size === 0) return undefined;
    const key = keyOf(profile, filters);
    const known = key === undefined ? undefined : this.twins.get(key);
    if (known?.nodes === nodes) return known;
    if (known) this.twins.delete(key!);
    return undefined;
  }

  /** The pod found no node. */
  failed(profile: string, filters: readonly NodeFilter[], nodes: readonly NodeInfo[]): void {
    const key = keyOf(profile, filters);
    if (key === undefined) return;
    const known = this.twins.get(key);
    this.twins.delete(key);
    this.twins.set(key, known?.nodes === nodes ? known : new Twins(nodes));
    if (this.twins.size > MOST) this.twins.delete(this.twins.keys().next().value as string);
  }
}

interface Beside {
  generation: number;
  nominated: readonly PodInfo[];
  rejection: Rejection | undefined;
}

/** What each node said last to one kind of pod. */
export class Twins {
  readonly nodes: readonly NodeInfo[];
  /** Of each node when it was asked, or NEVER. */
  private readonly generations: Int32Array;
  private readonly rejections: (Rejection | undefined)[];
  private readonly besides: (Beside | undefined)[] = [];

  constructor(nodes: readonly NodeInfo[]) {
    this.nodes = nodes;
    this.generations = new Int32Array(nodes.length).fill(NEVER);
    this.rejections = new Array<undefined>(nodes.length).fill(undefined);
  }

  /** What the node at this place said that does as it is, with `nominated` pods beside; `ask` where that does not hold. */
  beside(at: number, nominated: readonly PodInfo[], ask: () => Rejection | undefined): Rejection | undefined {
    const { generation } = this.nodes[at]!;
    let known = this.besides[at];
    if (!known || known.generation !== generation || !areSamePods(known.nominated, nominated)) {
      known = { generation, nominated, rejection: ask() };
      this.besides[at] = known;
    }
    return known.rejection;
  }

  /** Asks the node at this place of the list, unless what it said still holds. */
  filter(filters: readonly NodeFilter[], at: number): Rejection | undefined {
    const node = this.nodes[at]!;
    if (this.generations[at] !== node.generation) {
      this.rejections[at] = firstRejection(filters, node);
      this.generations[at] = node.generation;
    }
    return this.rejections[at];
  }
}

function keyOf(profile: string, filters: readonly NodeFilter[]): string | undefined {
  const key = twinKey(filters);
  return key === undefined ? undefined : `${profile}\n${key}`;
}
