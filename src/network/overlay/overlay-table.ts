/** The nftables table of a node's pod network: masquerading, and who may send into tunnels. */
import type { TableParts } from "../../host/nftables/table-state.ts";
import type { PodCIDR } from "./peer.ts";

export interface OverlayTable {
  podCIDRs: readonly PodCIDR[];
  clusterCIDRs: readonly PodCIDR[];
  vni: number;
  port: number;
  tunnelFamily: 4 | 6;
}

const MULTICAST = { 4: "224.0.0.0/4", 6: "ff00::/8" } as const;
const PEERS = "peers";

/**
 * VXLAN believes whoever sends to its port, so packets of our network are taken from the other nodes alone. The VNI is in
 * the 24 bits behind the UDP header (8 bytes) and VXLAN's flags (4 bytes): other networks may share the port.
 */
export function overlayRules({ podCIDRs, clusterCIDRs, vni, port, tunnelFamily }: OverlayTable): TableParts {
  const masquerades = podCIDRs.flatMap(({ family, cidr }) => {
    const inside = clusterCIDRs.filter((network) => network.family === family).map((network) => network.cidr);
    const ip = family === 4 ? "ip" : "ip6";
    const excepted = [...new Set([...inside, cidr, MULTICAST[family]])];
    return [
      ...excepted.map((network) => `${ip} saddr ${cidr} ${ip} daddr ${network} accept`),
      `${ip} saddr ${cidr} masquerade fully-random`,
    ];
  });
  const saddr = `${tunnelFamily === 4 ? "ip" : "ip6"} saddr`;
  const guard = `udp dport ${port} @th,96,24 ${vni} ${saddr} != @${PEERS} drop`;
  return {
    sets: new Map([
      [PEERS, { kind: "set", definition: `type ${tunnelFamily === 4 ? "ipv4_addr" : "ipv6_addr"};` }],
    ]),
    chains: new Map([
      ["postrouting", { hook: "type nat hook postrouting priority 100;", rules: masquerades }],
      ["input", { hook: "type filter hook input priority -10;", rules: [guard] }],
    ]),
  };
}

export function overlayPeers(addresses: Iterable<string>): TableParts {
  return { elements: new Map([[PEERS, new Map([...addresses].map((address) => [address, ""]))]]) };
}
