/** The nftables table of a node's pod network: masquerading, and who may send into tunnels. */

import type { RunCommand } from "../../host/command.ts";
import type { PodCIDR } from "./peer.ts";

export interface OverlayTable {
  name: string;
  podCIDRs: readonly PodCIDR[];
  clusterCIDRs: readonly PodCIDR[];
  vni: number;
  port: number;
  tunnelFamily: 4 | 6;
}

const MULTICAST = { 4: "224.0.0.0/4", 6: "ff00::/8" } as const;

/**
 * A batch that makes the table, or makes it anew in one step.
 *
 * VXLAN believes whoever sends to its port, so packets of our network are taken from the other nodes alone. The VNI is in
 * the 24 bits behind the UDP header (8 bytes) and VXLAN's flags (4 bytes): other networks may share the port.
 */
export function overlayTable(table: OverlayTable, peers: Iterable<string>): string {
  const { name, podCIDRs, clusterCIDRs, vni, port, tunnelFamily } = table;
  const masquerades = podCIDRs.map(({ family, cidr }) => {
    const inside = clusterCIDRs.filter((network) => network.family === family).map((network) => network.cidr);
    const ip = family === 4 ? "ip" : "ip6";
    const excepted = [...new Set([...inside, cidr, MULTICAST[family]])];
    return [
      ...excepted.map((network) => `    ${ip} saddr ${cidr} ${ip} daddr ${network} accept`),
      `    ${ip} saddr ${cidr} masquerade fully-random`,
    ].join("\n");
  });
  const saddr = `${tunnelFamily === 4 ? "ip" : "ip6"} saddr`;
  return `table inet ${name}
delete table inet ${name}
table inet ${name} {
  set peers {
    type ${tunnelFamily === 4 ? "ipv4_addr" : "ipv6_addr"}
${elements([...peers])}  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
${masquerades.join("\n")}
  }
  chain input {
    type filter hook input priority filter - 10; policy accept;
    udp dport ${port} @th,96,24 ${vni} ${saddr} != @peers drop
  }
}
`;
}

function elements(peers: readonly string[]): string {
  return peers.length === 0 ? "" : `    elements = { ${peers.join(", ")} }\n`;
}

/** What makes the set of one into that of the other; empty where they are the same. */
export function peersChange(table: string, there: ReadonlySet<string>, wanted: ReadonlySet<string>): string {
  const [gone, fresh] = [[...there.difference(wanted)], [...wanted.difference(there)]];
  const change = (verb: string, peers: readonly string[]): string =>
    peers.length === 0 ? "" : `${verb} element inet ${table} peers { ${peers.join(", ")} }\n`;
  return change("delete", gone) + change("add", fresh);
}

export async function removeOverlayTable(run: RunCommand, name: string): Promise<void> {
  // Naming it first makes deleting succeed where there is none.
  await run("nft", ["-f", "-"], { input: `table inet ${name}\ndelete table inet ${name}\n` });
}
