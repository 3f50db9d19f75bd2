/**
 * What the table of the proxy always holds: hooks, and the maps and sets that services put their elements in.
 *
 *   prerouting, output (nat) ─▶ services ─┬▶ service-ips  (address . protocol . port) ─┬▶ lb4-N: one of N endpoints
 *                                         └▶ nodeports    (protocol . port)            └▶ chains of the service's own
 *   postrouting (nat) ─▶ masquerade what is marked, and pods that reach themselves
 *   prerouting, output (filter, before nat) ─▶ firewall: source ranges of load balancers
 *   input, forward, output (filter) ─▶ services without endpoints, ports and cluster IPs that nobody has
 *
 * An ordinary service is elements alone, no chain: see docs/decisions/2026-11-21-services-as-elements.md.
 */
import { PartsBuilder } from "../../host/nftables/parts-builder.ts";
import type { TableParts } from "../../host/nftables/table-state.ts";
import type { Family } from "../addresses.ts";

export const MARK_CHAIN = "mark-for-masquerade";
export const REJECT_CHAIN = "reject-it";
/** Upstream's masqueradeBit 14. */
const MASQUERADE = "0x4000";
const PRE_DNAT = -110;

export const ip = (family: Family): string => (family === 4 ? "ip" : "ip6");

/** nft takes the protocol of a place from the map that it is in, so that each protocol has maps of its own. */
export const PROTOCOLS = ["tcp", "udp", "sctp"] as const;

/** The rule that leads to one of so many endpoints. The keys of its map are those of the service and a number. */
export const balance = (family: Family, protocol: string, count: number): string =>
  `dnat ${ip(family)} to ${ip(family)} daddr . ${protocol} dport . numgen random mod ${count} map @endpoints${family}-${protocol}`;

export const balanceNodePort = (family: Family, protocol: string, count: number): string =>
  `dnat ${ip(family)} to ${protocol} dport . numgen random mod ${count} map @nodeport-endpoints${family}-${protocol}`;

export function baseRules(clusterCIDRs: Readonly<Record<Family, readonly string[]>>): TableParts {
  const parts = new PartsBuilder();
  for (const family of [4, 6] as const) familyRules(parts, family, clusterCIDRs[family]);
  const both = (rule: string): string[] => [4, 6].map((family) => rule.replaceAll("%", String(family)));
  parts.chain(MARK_CHAIN, [`meta mark set meta mark or ${MASQUERADE}`]);
  // A reset is heard at once; what ICMP says is limited in rate, and lost on a socket that is just being used.
  parts.chain(REJECT_CHAIN, ["meta l4proto tcp reject with tcp reset", "reject"]);
  parts.chain("prerouting", both("jump services%"), "type nat hook prerouting priority -100;");
  parts.chain("output", both("jump services%"), "type nat hook output priority -100;");
  parts.chain(
    "postrouting",
    [
      `meta mark & ${MASQUERADE} != 0 meta mark set meta mark xor ${MASQUERADE} masquerade fully-random`,
      'oifname != "lo" ip saddr . ip daddr @hairpin4 masquerade fully-random',
      'oifname != "lo" ip6 saddr . ip6 daddr @hairpin6 masquerade fully-random',
    ],
    "type nat hook postrouting priority 100;",
  );
  // Packets of connections that were let through are most of all, and go no further.
  const ofNew = (...chains: string[]): string[] => [
    "ct state != new accept",
    ...chains.flatMap((chain) => both(`jump ${chain}`)),
  ];
  parts.chain(
    "firewall-prerouting",
    // Where a host port or a node port needs route_localnet, neighbours must not reach what listens on the loopback.
    ['iifname != "lo" ip daddr 127.0.0.0/8 drop', ...ofNew("firewall%")],
    `type filter hook prerouting priority ${PRE_DNAT};`,
  );
  parts.chain("firewall-output", ofNew("firewall%"), `type filter hook output priority ${PRE_DNAT};`);
  const checks = { input: ["no-nodeport%", "no-service%"], forward: ["no-service%", "no-port%"] };
  parts.chain("filter-input", ofNew(...checks.input), "type filter hook input priority 0;");
  parts.chain("filter-forward", ofNew(...checks.forward), "type filter hook forward priority 0;");
  parts.chain("filter-output", ofNew(...checks.forward), "type filter hook output priority 0;");
  return parts;
}

function familyRules(parts: PartsBuilder, family: Family, clusterCIDRs: readonly string[]): void {
  const IP = ip(family);
  const address = family === 4 ? "ipv4_addr" : "ipv6_addr";
  const service = `${address} . inet_proto . inet_service`;
  parts.map(`service-ips${family}`, `type ${service} : verdict;`);
  parts.map(`nodeports${family}`, "type inet_proto . inet_service : verdict;");
  parts.map(`no-endpoints${family}`, `type ${service} : verdict;`);
  parts.map(`no-endpoint-nodeports${family}`, "type inet_proto . inet_service : verdict;");
  parts.map(`firewalls${family}`, `type ${service} : verdict;`);
  for (const protocol of PROTOCOLS) {
    const number = "numgen random mod 2";
    const place = `${IP} daddr . ${protocol} dport`;
    parts.map(`endpoints${family}-${protocol}`, `typeof ${place} . ${number} : ${place};`);
    parts.map(`nodeport-endpoints${family}-${protocol}`, `typeof ${protocol} dport . ${number} : ${place};`);
  }
  parts.map(`host-ports${family}`, `type inet_proto . inet_service : ${address} . inet_service;`);
  parts.map(`host-port-ips${family}`, `type ${service} : ${address} . inet_service;`);
  parts.set(`cluster-ips${family}`, `type ${address};`);
  parts.set(`service-cidrs${family}`, `type ${address}; flags interval;`);
  parts.set(`nodeport-ips${family}`, `type ${address}; flags interval;`);
  parts.set(`hairpin${family}`, `type ${address} . ${address};`);

  const packet = `${IP} daddr . meta l4proto . th dport`;
  const loopback = family === 4 ? "127.0.0.0/8" : "::1";
  const toNode = `fib daddr type local ${IP} daddr != ${loopback} ${IP} daddr @nodeport-ips${family}`;
  const foreign = clusterCIDRs.length > 0 ? `${IP} saddr != { ${clusterCIDRs.join(", ")} }` : undefined;
  parts.chain(`services${family}`, [
    ...(foreign ? [`${IP} daddr @cluster-ips${family} ${foreign} jump ${MARK_CHAIN}`] : []),
    `${packet} vmap @service-ips${family}`,
    `${toNode} meta l4proto . th dport vmap @nodeports${family}`,
    // As upstream's default mode; the kernel routes nothing from IPv6's loopback.
    ...(family === 4 ? [`ip daddr ${loopback} meta l4proto . th dport vmap @nodeports4`] : []),
    ...hostPortRules(family),
  ]);
  parts.chain(`firewall${family}`, [`${packet} vmap @firewalls${family}`]);
  parts.chain(`no-service${family}`, [`${packet} vmap @no-endpoints${family}`]);
  parts.chain(`no-nodeport${family}`, [
    `${toNode} meta l4proto . th dport vmap @no-endpoint-nodeports${family}`,
  ]);
  parts.chain(`no-port${family}`, [
    `${IP} daddr @cluster-ips${family} goto ${REJECT_CHAIN}`,
    `${IP} daddr @service-cidrs${family} drop`,
  ]);
}

/** What comes from the loopback must be masqueraded: pods could not answer it. */
function hostPortRules(family: Family): string[] {
  const IP = ip(family);
  const loopback = family === 4 ? "127.0.0.0/8" : "::1";
  return [
    `${IP} saddr ${loopback} ${IP} daddr . meta l4proto . th dport @host-port-ips${family} jump ${MARK_CHAIN}`,
    `dnat ${IP} to ${IP} daddr . meta l4proto . th dport map @host-port-ips${family}`,
    `fib daddr type local ${IP} saddr ${loopback} meta l4proto . th dport @host-ports${family} jump ${MARK_CHAIN}`,
    `fib daddr type local dnat ${IP} to meta l4proto . th dport map @host-ports${family}`,
  ];
}
