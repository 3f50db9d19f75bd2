/**
 * What was found for a node is remembered until the node or its pods change: when many like pods must preempt, such as
 * those of one workload, all but the first look at few nodes anew.
 */
import type { NodeInfo } from "../../framework/node-info.ts";
import type { Cycle, Trial } from "../../framework/plugin.ts";
import { twinKey } from "../../framework/twins.ts";
import { type Budget, type Candidate, selectVictims } from "./victims.ts";

interface Remembered {
  key: string;
  generation: number;
  found: Candidate | readonly string[];
}

export class RememberedVictims {
  private readonly nodes = new Map<NodeInfo, Remembered>();
  private list: readonly NodeInfo[] = [];
  private last = "";

  /** How to look at nodes for the pod of this cycle. */
  finder(cycle: Cycle, trial: Trial, budgets: readonly Budget[]): (node: NodeInfo) => Remembered["found"] {
    const { info } = cycle;
    const twins = budgets.length > 0 ? undefined : twinKey(trial.filters());
    if (twins === undefined) return (node) => selectVictims(cycle, trial, node, budgets);
    const key = this.known(`${info.priority}\n${twins}`);
    const { list } = cycle.nodes;
    // What is known of nodes that went is not to stay.
    if (list !== this.list) this.nodes.clear();
    this.list = list;
    return (node) => {
      // To the pod that is to get the node the others that are to get it are not the same as to its twins.
      if (node.name === trial.own) return selectVictims(cycle, trial, node, budgets);
      const { generation } = node;
      const known = this.nodes.get(node);
      if (known && known.generation === generation && known.key === key) return known.found;
      const found = selectVictims(cycle, trial, node, budgets);
      this.nodes.set(node, { key, generation, found });
      return found;
    };
  }

  /** The same text as before where it is equal, so that comparing it costs nothing. */
  private known(key: string): string {
    if (key !== this.last) this.last = key;
    return this.last;
  }
}
