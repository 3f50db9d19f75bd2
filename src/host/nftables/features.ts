/** Whether this kernel and this nft can do what our tables need. */
import { type Nft, NftError } from "./nft.ts";

/**
 * Everything that is not to be found in old ones: NAT in tables of family inet, data of several parts, numbers at random
 * in keys, sets that packets write to, and what a packet's address is to the node. Tried out, nothing is changed.
 */
const NEEDED = `add table inet kybern-trial
add map inet kybern-trial places { typeof ip daddr . tcp dport . numgen random mod 2 : ip daddr . tcp dport; }
add map inet kybern-trial services { type ipv6_addr . inet_proto . inet_service : verdict; }
add set inet kybern-trial clients { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 10800s; }
add set inet kybern-trial blocks { type ipv4_addr; flags interval; auto-merge; }
add chain inet kybern-trial prerouting { type nat hook prerouting priority -100; }
add chain inet kybern-trial postrouting { type nat hook postrouting priority 100; }
add chain inet kybern-trial forward { type filter hook forward priority 0; }
add chain inet kybern-trial balance
add rule inet kybern-trial balance dnat ip to ip daddr . tcp dport . numgen random mod 2 map @places
add rule inet kybern-trial balance update @clients { ip saddr } meta l4proto tcp dnat ip to 192.0.2.1:80
add rule inet kybern-trial prerouting ip6 daddr . meta l4proto . th dport vmap @services
add rule inet kybern-trial prerouting fib daddr type local ip daddr @blocks jump balance
add rule inet kybern-trial postrouting meta mark & 0x4000 != 0 masquerade fully-random
add rule inet kybern-trial forward ct state new reject
`;

/** What stands in the way of the node's network, in words for the administrator; undefined where nothing does. */
export async function missingFromNftables(nft: Nft): Promise<string | undefined> {
  try {
    await nft.check(NEEDED);
    return undefined;
  } catch (error) {
    if (error instanceof NftError) return `nftables cannot do what is needed here: ${error.message}`;
    return `the program nft cannot be run: ${error instanceof Error ? error.message : String(error)}`;
  }
}
