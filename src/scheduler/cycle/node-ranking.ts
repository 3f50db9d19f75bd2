/** Scores the nodes that would do and takes the best; among equals, any with the same chance. */
import type { Random } from "../../base/random.ts";
import type { NodeInfo } from "../framework/node-info.ts";
import type { Cycle, NodeScore } from "../framework/plugin.ts";
import type { Profile } from "../framework/profile.ts";

/** A node with its weighted score by each plugin. */
export interface RankedNode {
  node: string;
  total: number;
  byPlugin: Readonly<Record<string, number>>;
}

/** Nodes whose scores are told of, the chosen one first. */
const TOLD = 3;

export class NodeRanking {
  private readonly random: Random;
  /** Reused by every ranking: one for the sums, and one for each plugin that scores. */
  private readonly totals = new Scores();
  private readonly columns: Scores[] = [];
  private readonly names: string[] = [];
  private scored = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** `nodes` are more than one; `extra` adds to the sums what is scored elsewhere (extenders). */
  best(cycle: Cycle, profile: Profile, nodes: readonly NodeInfo[], extra?: Float64Array): NodeInfo {
    const totals = this.totals.zeros(nodes.length);
    this.scored = 0;
    for (const { name, weight, plugin } of profile.scores) {
      const score = plugin.prepareScore!(cycle, nodes);
      if (!score) continue;
      this.columns[this.scored] ??= new Scores();
      this.names[this.scored] = name;
      const column = this.columns[this.scored++]!.zeros(nodes.length);
      fill(column, score, nodes);
      for (let i = 0; i < column.length; i++) {
        column[i]! *= weight;
        totals[i]! += column[i]!;
      }
    }
    if (extra) for (let i = 0; i < extra.length; i++) totals[i]! += extra[i]!;
    return nodes[this.indexOfBest(totals)]!;
  }

  /** The chosen node and the next best of the last ranking. */
  top(nodes: readonly NodeInfo[], chosen: NodeInfo): RankedNode[] {
    const totals = this.totals.values;
    const best: number[] = [];
    for (let i = 0; i < totals.length; i++) {
      if (nodes[i] === chosen) continue;
      if (best.length === TOLD - 1 && totals[best.at(-1)!]! >= totals[i]!) continue;
      best.push(i);
      best.sort((a, b) => totals[b]! - totals[a]!);
      best.length = Math.min(best.length, TOLD - 1);
    }
    return [nodes.indexOf(chosen), ...best].map((i) => this.ranked(nodes[i]!.name, i));
  }

  private ranked(node: string, i: number): RankedNode {
    const byPlugin: Record<string, number> = {};
    for (let column = 0; column < this.scored; column++) {
      byPlugin[this.names[column]!] = this.columns[column]!.values[i]!;
    }
    return { node, total: this.totals.values[i]!, byPlugin };
  }

  private indexOfBest(totals: Float64Array): number {
    let best = 0;
    let equals = 1;
    for (let i = 1; i < totals.length; i++) {
      if (totals[i]! > totals[best]!) {
        best = i;
        equals = 1;
      } else if (totals[i] === totals[best]) {
        equals++;
        if (this.random() * equals < 1) best = i;
      }
    }
    return best;
  }
}

function fill(column: Float64Array, score: NodeScore, nodes: readonly NodeInfo[]): void {
  for (let i = 0; i < column.length; i++) column[i] = score.score(nodes[i]!);
  score.normalize?.(column, nodes);
}

/** A column of scores that grows with the largest ranking. */
class Scores {
  private room = new Float64Array(128);
  values = this.room.subarray(0, 0);

  zeros(length: number): Float64Array {
    if (this.room.length < length) this.room = new Float64Array(length * 2);
    if (this.values.length !== length) this.values = this.room.subarray(0, length);
    return this.values.fill(0);
  }
}
