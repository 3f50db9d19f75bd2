/**
 * What nodes said to pods that found no node, for their twins and for the next attempt: only nodes that have changed since
 * are asked again.
 */
import type { NodeInfo } from "../framework/node-info.ts";
import type { NodeFilter } from "../framework/plugin.ts";
import type { Rejection } from "../framework/rejection.ts";
import { twinKey } from "../framework/twins.ts";
import { type BesideAnswer, type BesideMemory, firstRejection } from "./trial.ts";

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

interface Beside extends BesideAnswer {
  generation: number;
  priority: number;
}

/** What each node said last to one kind of pod. */
export class Twins implements BesideMemory {
  readonly nodes: readonly NodeInfo[];
  /** Of each node at the same place of the list; as of the last `refresh`. */
  readonly rejections: readonly (Rejection | undefined)[];
  private readonly answers: (Rejection | undefined)[];
  /** Of each node when it was asked, or NEVER. */
  private readonly generations: Int32Array;
  private readonly besides: (Beside | undefined)[] = [];

  constructor(nodes: readonly NodeInfo[]) {
    this.nodes = nodes;
    this.generations = new Int32Array(nodes.length).fill(NEVER);
    this.answers = new Array<undefined>(nodes.length).fill(undefined);
    this.rejections = this.answers;
  }

  /** Asks the nodes that have changed since they were asked; `now` are the generations of all. */
  refresh(filters: readonly NodeFilter[], now: Int32Array): void {
    const { generations } = this;
    for (let at = 0; at < now.length; at++) {
      if (generations[at] === now[at]) continue;
      this.answers[at] = firstRejection(filters, this.nodes[at]!);
      generations[at] = now[at]!;
    }
  }

  /** What the node at this place, which does as it is, said with the pods beside that are to get it. */
  besideAt(at: number, priority: number): Beside | undefined {
    const known = this.besides[at];
    return known?.generation === this.generations[at] && known?.priority === priority ? known : undefined;
  }

  besideSaid(at: number, priority: number, rejection: Rejection | undefined): void {
    this.besides[at] = { generation: this.generations[at]!, priority, rejection };
  }
}

function keyOf(profile: string, filters: readonly NodeFilter[]): string | undefined {
  const key = twinKey(filters);
  return key === undefined ? undefined : `${profile}\n${key}`;
}
