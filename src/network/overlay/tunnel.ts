/** This node's end of the tunnels: one VXLAN link. */
import type { RunCommand } from "../../host/command.ts";
import { applyBatch, type Link, linkOfAddress, readLink } from "../../host/links/links.ts";
import type { Sysctls } from "../../host/links/sysctls.ts";
import type { PodCIDR } from "./peer.ts";

export interface Tunnel {
  link: string;
  mac: string;
  /** The address of this node that the others send to. */
  local: string;
  podCIDRs: readonly PodCIDR[];
  vni: number;
  port: number;
}

/** What a tunnel puts around packets: the outer addresses, UDP, VXLAN and the inner Ethernet header. */
const OVERHEAD = { 4: 50, 6: 70 } as const;

export function tunnelMTU(mtu: number, family: 4 | 6): number {
  return mtu - OVERHEAD[family];
}

/** The commands of `ip` that make the link what it should be; one that cannot be changed into it is made anew. */
export function tunnelCommands(tunnel: Tunnel, there: Link | undefined, over: Link, mtu: number): string[] {
  const { link, mac, local, podCIDRs, vni, port } = tunnel;
  const vxlan = { vni, local, over: over.name, port, learning: false };
  const commands: string[] = [];
  const isSame = there?.vxlan !== undefined && JSON.stringify(there.vxlan) === JSON.stringify(vxlan);
  if (there && !isSame) commands.push(`link del dev ${link}`);
  const kept = isSame ? there : undefined;
  // The MAC is given from the beginning, or udev would change it a moment later.
  if (!kept) {
    commands.push(
      `link add ${link} address ${mac} mtu ${mtu} type vxlan id ${vni} local ${local} dev ${over.name} ` +
        `dstport ${port} nolearning`,
      `link set dev ${link} addrgenmode none`,
    );
  } else {
    if (kept.mac !== mac) commands.push(`link set dev ${link} address ${mac}`);
    if (kept.mtu !== mtu) commands.push(`link set dev ${link} mtu ${mtu}`);
  }
  const wanted = podCIDRs.map(({ family, address }) => `${address}/${family === 4 ? 32 : 128}`);
  const has = kept?.addresses ?? [];
  for (const address of has)
    if (!wanted.includes(address)) commands.push(`address del ${address} dev ${link}`);
  for (const address of wanted) {
    if (has.includes(address)) continue;
    commands.push(`address add ${address} dev ${link}${address.includes(":") ? " nodad" : ""}`);
  }
  if (!kept?.isUp) commands.push(`link set dev ${link} up`);
  return commands;
}

/** Returns the MTU of pods' links. Throws where no link has the node's address, or the kernel cannot make the link. */
export async function ensureTunnel(run: RunCommand, sysctls: Sysctls, tunnel: Tunnel): Promise<number> {
  const { link, local } = tunnel;
  const [over, there] = await Promise.all([linkOfAddress(run, local), readLink(run, link)]);
  if (!over) throw new Error(`no link of this machine has the node's address ${local}`);
  const mtu = tunnelMTU(over.mtu, local.includes(":") ? 6 : 4);
  await applyBatch(run, "ip", tunnelCommands(tunnel, there, over, mtu));
  // Nobody there announces routers (CVE-2020-10749).
  if ((await sysctls.read(["net", "ipv6", "conf", link, "accept_ra"])) !== undefined) {
    await sysctls.set(["net", "ipv6", "conf", link, "accept_ra"], "0");
  }
  return mtu;
}
