/** Another node, as tunnels see it. */
import { createHash } from "node:crypto";
import type { Node } from "../../api/core/node.ts";
import type { Entries } from "../../host/links/entries.ts";
import { formatCIDR, formatIP, parseCIDR, parseIP } from "../../machinery/names/ip-address.ts";

/** By this annotation a node says where its end of tunnels is; those that do not are no peers. */
export const PUBLIC_IP = "network.kybern.dev/public-ip";

export interface Peer {
  /** Networks of its pods. */
  podCIDRs: readonly PodCIDR[];
  publicIP: string;
  mac: string;
}

export interface PodCIDR {
  family: 4 | 6;
  cidr: string;
  /** The network's own address, which no pod gets: that of the node's end of tunnels. */
  address: string;
}

/** Undefined for what is none, or does not print as it is read: it must not get into a batch of commands. */
export function podCIDR(text: string): PodCIDR | undefined {
  const parsed = parseCIDR(text);
  if (!parsed || parsed.address.mapped) return undefined;
  const cidr = formatCIDR(parsed);
  const { family } = parsed.address;
  return { family, cidr, address: cidr.slice(0, cidr.indexOf("/")) };
}

export function podCIDRsOf({ spec }: Node): PodCIDR[] {
  const texts = spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : []);
  return texts.flatMap((text) => podCIDR(text) ?? []);
}

/** Undefined while the node has not said enough, or says what cannot be. `family` is that of tunnels. */
export function peerOf(node: Node, family: 4 | 6): Peer | undefined {
  const ip = parseIP(node.metadata.annotations?.[PUBLIC_IP]);
  const podCIDRs = podCIDRsOf(node);
  if (!ip || ip.mapped || ip.family !== family || podCIDRs.length === 0) return undefined;
  return { podCIDRs, publicIP: formatIP(ip), mac: macOf(node.metadata.name ?? "") };
}

/**
 * The MAC address of a node's end of tunnels, of those that nobody sells. It follows from the name, so that no node can
 * claim that of another.
 */
export function macOf(nodeName: string): string {
  const bytes = createHash("sha256").update(`vtep ${nodeName}`).digest().subarray(0, 6);
  bytes[0] = (bytes[0]! & 0xfc) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** What leads to all peers. Where two claim the same network, the later one in the order of `peers` has it. */
export function entriesOf(peers: Iterable<Peer>): Entries {
  const routes = new Map<string, string>();
  const neighbours = new Map<string, string>();
  const forwarding = new Map<string, string>();
  for (const { podCIDRs, publicIP, mac } of peers) {
    forwarding.set(mac, publicIP);
    for (const { cidr, address } of podCIDRs) {
      routes.set(cidr, address);
      neighbours.set(address, mac);
    }
  }
  return { routes, neighbours, forwarding };
}
