/** Who may ask: pods and nodes. An open resolver would be used to flood others. */
import type { Node } from "../../api/core/node.ts";
import type { Informer } from "../../client/informer/informer.ts";
import { contains, parseCIDR, parseIP } from "../../machinery/names/ip-address.ts";

export interface Clients {
  mayAsk(client: string, server: string): boolean;
  stop(): void;
}

/** As many answers are remembered; then all are forgotten. */
const MOST = 10_000;

export function watchClients(
  nodes: Informer<Node>,
  own: readonly string[],
  clusterCIDRs: readonly string[],
): Clients {
  const networks = clusterCIDRs.map(parseCIDR).filter((network) => network !== undefined);
  const ofNodes = new Map<string, readonly string[]>();
  let addresses = new Set(own);
  const known = new Map<string, boolean>();
  const stop = nodes.subscribe(({ key, now }) => {
    const said = (now?.status?.addresses ?? []).map(({ address }) => address);
    if (JSON.stringify(said) === JSON.stringify(ofNodes.get(key) ?? [])) return;
    if (now) ofNodes.set(key, said);
    else ofNodes.delete(key);
    addresses = new Set([...own, ...[...ofNodes.values()].flat()]);
    known.clear();
  });
  const decide = (client: string): boolean => {
    if (addresses.has(client)) return true;
    const ip = parseIP(client);
    return ip !== undefined && networks.some((network) => contains(network, ip));
  };
  return {
    mayAsk(client, server) {
      // A program of this node, or somebody who pretends to be one and would answer himself.
      if (client === server) return true;
      let may = known.get(client);
      if (may === undefined) {
        may = decide(client);
        if (known.size >= MOST) known.clear();
        known.set(client, may);
      }
      return may;
    },
    stop,
  };
}
