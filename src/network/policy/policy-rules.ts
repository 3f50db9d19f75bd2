/** From a NetworkPolicy to the chains that let through what it allows, and the groups of pods that they speak of. Pure. */
import type { NetworkPolicy } from "../../api/networking/network-policy.ts";
import type { NetworkPolicyPeer, NetworkPolicyPort } from "../../api/schema/networking.v1.generated.ts";
import { PartsBuilder } from "../../host/nftables/parts-builder.ts";
import { disjointCIDRs, FAMILIES, type Family, familyOf } from "../addresses.ts";
import { digest, type PodGroup, podGroup } from "./pod-group.ts";

/** The addresses of a group of pods, or where they have a port of a name. */
export interface GroupUse {
  group: PodGroup;
  /** Undefined: their addresses. */
  port: { name: string; protocol: string } | undefined;
}

export interface PolicyPlan {
  /** The pods that the policy is about. */
  subject: PodGroup;
  ingress: boolean;
  egress: boolean;
  parts: PartsBuilder;
  /** By the names of their sets, less the family. */
  uses: ReadonlyMap<string, GroupUse>;
}

export type Direction = "ingress" | "egress";

export const policyChain = (direction: Direction, id: string): string => `allowed-${direction}-${id}`;

export function planPolicy(policy: NetworkPolicy): PolicyPlan {
  const { namespace = "", name = "" } = policy.metadata;
  const { podSelector, policyTypes, ingress, egress } = policy.spec ?? {};
  const types = policyTypes ?? (egress?.length ? ["Ingress", "Egress"] : ["Ingress"]);
  const subject = podGroup({ namespace, podSelector });
  const writer = new RuleWriter(namespace, subject);
  const id = digest(`${namespace}/${name}`);
  const has = { ingress: types.includes("Ingress"), egress: types.includes("Egress") };
  if (has.ingress) {
    const rules = (ingress ?? []).flatMap(({ from, ports }) =>
      writer.rules("ingress", from ?? [], ports ?? []),
    );
    writer.parts.chain(policyChain("ingress", id), rules);
  }
  if (has.egress) {
    const rules = (egress ?? []).flatMap(({ to, ports }) => writer.rules("egress", to ?? [], ports ?? []));
    writer.parts.chain(policyChain("egress", id), rules);
  }
  return { subject, ...has, parts: writer.parts, uses: writer.uses };
}

const IP = { 4: "ip", 6: "ip6" } as const;
const ADDRESS = { 4: "ipv4_addr", 6: "ipv6_addr" } as const;

/** A peer's match, and whom a named port is looked for at. */
interface PeerMatch {
  text: string;
  /** Undefined: both. */
  family: Family | undefined;
  group: PodGroup | undefined;
}

class RuleWriter {
  readonly parts = new PartsBuilder();
  readonly uses = new Map<string, GroupUse>();
  private readonly namespace: string;
  private readonly subject: PodGroup;

  constructor(namespace: string, subject: PodGroup) {
    this.namespace = namespace;
    this.subject = subject;
  }

  rules(
    direction: Direction,
    peers: readonly NetworkPolicyPeer[],
    ports: readonly NetworkPolicyPort[],
  ): string[] {
    const anyone: PeerMatch = { text: "", family: undefined, group: undefined };
    const matches = peers.length === 0 ? [anyone] : peers.flatMap((peer) => this.peer(direction, peer));
    const numbers = numbered(ports);
    const named = ports.filter(({ port }) => typeof port === "string");
    return matches.flatMap((match) => [
      ...(ports.length === 0 ? [joined(match.text, "accept")] : []),
      ...numbers.map((text) => joined(match.text, text, "accept")),
      ...named.flatMap((port) => this.namedPort(direction, match, port)),
    ]);
  }

  private peer(
    direction: Direction,
    { ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer,
  ): PeerMatch[] {
    const end = direction === "ingress" ? "saddr" : "daddr";
    if (ipBlock) {
      const [cidr] = disjointCIDRs([ipBlock.cidr]);
      if (cidr === undefined) return [];
      const family = familyOf(cidr);
      const block = cidr.endsWith("/0") ? `meta nfproto ipv${family}` : `${IP[family]} ${end} ${cidr}`;
      const except = disjointCIDRs(ipBlock.except ?? []).map((other) => `${IP[family]} ${end} != ${other}`);
      return [{ text: joined(block, ...except), family, group: undefined }];
    }
    const group = podGroup({ namespace: this.namespace, namespaceSelector, podSelector });
    return FAMILIES.map((family) => {
      const set = this.use({ group, port: undefined }, family);
      return { text: `${IP[family]} ${end} @${set}`, family, group };
    });
  }

  /** The port of a name is that of whoever is reached: the policy's own pods, or the peers. */
  private namedPort(
    direction: Direction,
    peer: PeerMatch,
    { port, protocol = "TCP" }: NetworkPolicyPort,
  ): string[] {
    const group = direction === "ingress" ? this.subject : (peer.group ?? podGroup({}));
    const families = peer.family === undefined ? FAMILIES : [peer.family];
    return families.map((family) => {
      const set = this.use({ group, port: { name: String(port), protocol: protocol.toLowerCase() } }, family);
      return joined(peer.text, `${IP[family]} daddr . meta l4proto . th dport @${set}`, "accept");
    });
  }

  private use(use: GroupUse, family: Family): string {
    const { group, port } = use;
    const name = port ? `ports-${digest(`${group.id} ${port.protocol} ${port.name}`)}` : `pods-${group.id}`;
    this.uses.set(name, use);
    // Pods put their addresses of both families in.
    for (const each of FAMILIES) {
      const type = port ? `${ADDRESS[each]} . inet_proto . inet_service` : ADDRESS[each];
      this.parts.set(`${name}-${each}`, `type ${type};`);
    }
    return `${name}-${family}`;
  }
}

const joined = (...texts: readonly string[]): string => texts.filter((text) => text !== "").join(" ");

/** Matches of ports by number: one for each protocol. */
function numbered(ports: readonly NetworkPolicyPort[]): string[] {
  const texts: string[] = [];
  for (const protocol of ["TCP", "UDP", "SCTP"]) {
    const own = ports.filter(
      (port) => (port.protocol ?? "TCP") === protocol && typeof port.port !== "string",
    );
    if (own.length === 0) continue;
    const name = protocol.toLowerCase();
    if (own.some(({ port }) => port === undefined)) texts.push(`meta l4proto ${name}`);
    else {
      const ranges = merged(own.map(({ port, endPort }) => [Number(port), endPort ?? Number(port)]));
      const list = ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`));
      texts.push(`${name} dport { ${list.join(", ")} }`);
    }
  }
  return texts;
}

/** nft takes no ranges that overlap. */
function merged(ranges: readonly (readonly [number, number])[]): [number, number][] {
  const result: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}
