/**
 * Looks for nodes that take a pod, from where the last search ended, until enough are found. Keeps its arrays from one
 * pod to the next: a search makes nothing per node.
 */

import type { NodeInfo } from "../framework/node-info.ts";
import type { Cycle, NodeFilter } from "../framework/plugin.ts";
import type { Profile } from "../framework/profile.ts";
import { type Rejection, reject, type SearchRejections } from "../framework/rejection.ts";
import type { Nominator } from "../queue/nominator.ts";
import { AlignedRejections } from "./aligned-rejections.ts";
import { RememberedRejections } from "./remembered-rejections.ts";
import { firstRejection, NominatedTrial } from "./trial.ts";

const FEWEST_NODES = 100;
const LEAST_PERCENTAGE = 5;

/** How many nodes to find among `nodes` (upstream: numFeasibleNodesToFind). */
export function nodesToFind(nodes: number, percentage: number | undefined): number {
  if (nodes < FEWEST_NODES) return nodes;
  const share = percentage || Math.max(50 - Math.trunc(nodes / 125), LEAST_PERCENTAGE);
  return share >= 100 ? nodes : Math.max(Math.trunc((nodes * share) / 100), FEWEST_NODES);
}

export interface Prepared {
  profile: string;
  filters: readonly NodeFilter[];
  /** The nodes to look at, in order. */
  nodes: readonly NodeInfo[];
  /** Why every node outside `nodes` does not do. */
  outside?: Rejection;
}

export class NodeSearch {
  /** The nodes that do, as long as `count` says. Overwritten by the next search. */
  readonly found: NodeInfo[] = [];
  count = 0;
  /** Nodes that were asked. */
  asked = 0;
  /** Of the node at the same place of the list that was searched. */
  private readonly refusals: (Rejection | undefined)[] = [];
  private readonly remembered = new RememberedRejections();
  private next = 0;
  private readonly nominator: Nominator;

  constructor(nominator: Nominator) {
    this.nominator = nominator;
  }

  /** Finds up to `want` nodes, those which keep the room of nominated pods free. */
  run(cycle: Cycle, { profile, filters, nodes }: Prepared, want: number): void {
    this.count = 0;
    this.asked = 0;
    const total = nodes.length;
    this.refusals.length = total;
    if (total === 0) return;
    const isWhole = nodes === cycle.nodes.list;
    const twins = isWhole ? this.remembered.of(profile, filters, nodes) : undefined;
    twins?.refresh(filters, cycle.nodes.generations);
    const trial = this.nominator.size > 0 ? new NominatedTrial(cycle, filters, this.nominator) : undefined;
    let at = this.next % total;
    for (; this.asked < total && this.count < want; this.asked++) {
      const node = nodes[at]!;
      const rejection =
        (twins ? twins.rejections[at] : firstRejection(filters, node)) ??
        trial?.filterBesideNominated(node, twins, at);
      this.refusals[at] = rejection;
      if (!rejection) this.found[this.count++] = node;
      if (++at === total) at = 0;
    }
    if (isWhole && this.count === 0) this.remembered.failed(profile, filters, nodes);
    this.next = (this.next + this.asked) % Math.max(cycle.nodes.list.length, 1);
  }

  /** One node alone, such as the one that the pod is nominated to. */
  fits(cycle: Cycle, filters: readonly NodeFilter[], node: NodeInfo): boolean {
    return new NominatedTrial(cycle, filters, this.nominator).filter(node) === undefined;
  }

  /** Every node of the cycle with why it does not do, after a search that has asked all; `more` says so of some. */
  rejections(
    { nodes: { list } }: Cycle,
    { nodes, outside }: Prepared,
    more?: ReadonlyMap<NodeInfo, Rejection>,
  ): SearchRejections {
    if (!outside && !more) return new AlignedRejections(list, this.refusals.slice());
    const all = new Map<NodeInfo, Rejection | undefined>();
    for (let i = 0; i < nodes.length; i++) all.set(nodes[i]!, more?.get(nodes[i]!) ?? this.refusals[i]);
    return new AlignedRejections(
      list,
      list.map((node) => all.get(node) ?? outside),
    );
  }
}

/** Asks every plugin once; a Rejection where the pod fits nowhere. */
export function prepare(cycle: Cycle, profile: Profile): Prepared | Rejection {
  const filters: NodeFilter[] = [];
  let only: ReadonlySet<string> | undefined;
  const narrowing: string[] = [];
  for (const { name, plugin } of profile.filters) {
    const prepared = plugin.prepareFilter!(cycle);
    if (!prepared) continue;
    if ("code" in prepared) return prepared;
    filters.push(prepared);
    if (!prepared.only) continue;
    const { only: asked } = prepared;
    only = only ? only.intersection(asked) : asked;
    narrowing.push(name);
    if (only.size === 0) return reject(name, "unresolvable", noneLeft(narrowing));
  }
  if (!only) return { profile: profile.name, filters, nodes: cycle.nodes.list };
  const nodes: NodeInfo[] = [];
  for (const name of only) {
    const node = cycle.nodes.get(name);
    if (node) nodes.push(node);
  }
  const why = `node(s) didn't satisfy plugin(s) [${narrowing.sort().join(" ")}]`;
  const outside = reject(narrowing[0]!, "unresolvable", why, () => adviceFor(only));
  return { profile: profile.name, filters, nodes, outside };
}

const MOST_NAMED = 5;

function adviceFor(names: ReadonlySet<string>): string {
  const some = [...names].slice(0, MOST_NAMED).join(", ");
  const all = names.size > MOST_NAMED ? `${some} and others` : some;
  return `the pod asks by name for ${all}: see to it that it fits there, or let it ask for other nodes`;
}

function noneLeft(plugins: readonly string[]): string {
  const names = [...plugins].sort();
  return names.length === 1
    ? `node(s) didn't satisfy plugin ${names[0]}`
    : `node(s) didn't satisfy plugin(s) [${names.join(" ")}] simultaneously`;
}
