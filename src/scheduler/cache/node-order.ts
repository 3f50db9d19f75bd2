/**
 * The nodes in the order in which they are tried: one of each zone in turn, so that a search that stops early has seen
 * all zones alike. Changes only mark the order as old; it is made anew when it is next asked for.
 */
import type { NodeInfo } from "../framework/node-info.ts";

const ZONE = "topology.kubernetes.io/zone";
const REGION = "topology.kubernetes.io/region";

export class NodeOrder {
  private readonly zones = new Map<string, Set<NodeInfo>>();
  private readonly zoneOf = new Map<NodeInfo, string>();
  private made: NodeInfo[] | undefined = [];
  private board = new Int32Array(0);

  /** Also where its labels may have changed. */
  enter(node: NodeInfo): void {
    const zone = zoneKey(node);
    const was = this.zoneOf.get(node);
    if (was === zone) return;
    if (was !== undefined) this.leave(node);
    this.zoneOf.set(node, zone);
    const peers = this.zones.get(zone);
    if (peers) peers.add(node);
    else this.zones.set(zone, new Set([node]));
    this.made = undefined;
  }

  leave(node: NodeInfo): void {
    const zone = this.zoneOf.get(node);
    if (zone === undefined) return;
    this.zoneOf.delete(node);
    const peers = this.zones.get(zone);
    peers?.delete(node);
    if (peers?.size === 0) this.zones.delete(zone);
    this.made = undefined;
  }

  get list(): readonly NodeInfo[] {
    this.made ??= this.make();
    return this.made;
  }

  /** Of the nodes of the list. */
  get generations(): Int32Array {
    this.made ??= this.make();
    return this.board;
  }

  private make(): NodeInfo[] {
    const made = interleaved([...this.zones.values()]);
    const board = new Int32Array(made.length);
    for (let i = 0; i < made.length; i++) made[i]!.tellAt(board, i);
    this.board = board;
    return made;
  }
}

function zoneKey({ node: { metadata } }: NodeInfo): string {
  const { labels } = metadata;
  return labels ? `${labels[REGION] ?? ""}\n${labels[ZONE] ?? ""}` : "\n";
}

function interleaved(zones: readonly Set<NodeInfo>[]): NodeInfo[] {
  if (zones.length === 1) return [...zones[0]!];
  const list: NodeInfo[] = [];
  let left = zones.map((zone) => zone.values());
  while (left.length > 0) {
    left = left.filter((nodes) => {
      const { done, value } = nodes.next();
      if (!done) list.push(value);
      return !done;
    });
  }
  return list;
}
