/** From a Service and its endpoints to what the proxy's table holds for it. Pure. */
import { hash } from "node:crypto";
import { isHeadless, type Service, type ServicePort } from "../../api/core/service/types.ts";
import type { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import type { PortStatus } from "../../api/schema/core.v1.generated.ts";
import { PartsBuilder } from "../../host/nftables/parts-builder.ts";
import type { TableParts } from "../../host/nftables/table-state.ts";
import { contains, parseCIDR, parseIP } from "../../machinery/names/ip-address.ts";
import { canonicalIP, disjointCIDRs, FAMILIES, type Family, familyOf } from "../addresses.ts";
import { balance, balanceNodePort, ip, MARK_CHAIN, REJECT_CHAIN } from "./base-rules.ts";
import {
  type ChosenEndpoints,
  chooseEndpoints,
  isExternalLocal,
  isInternalLocal,
  type Place,
} from "./choose-endpoints.ts";
import { type Endpoint, endpointsOf, endpointText, portKey } from "./endpoints.ts";

export interface ProxyFacts extends Place {
  /** The node's own addresses. */
  nodeIPs: readonly string[];
  clusterCIDRs: Readonly<Record<Family, readonly string[]>>;
}

/** Where datagrams of a service come in, and where they may be going: flows that go elsewhere are stale. */
export interface DatagramFrontend {
  /** Undefined of a node port. */
  address: string | undefined;
  port: number;
  family: Family;
  endpoints: ReadonlySet<string>;
}

export interface ServicePlan {
  parts: TableParts;
  datagrams: readonly DatagramFrontend[];
  /** Of load balancers that ask the node whether it has endpoints. */
  health: { port: number; localEndpoints: number } | undefined;
  /** Ports whose policy is Local and that have endpoints, but none here. */
  noLocal: { internal: number; external: number };
  /** Whether a client on the loopback may use it: the kernel has to be told to route that. */
  fromLoopback: boolean;
}

export const PROXY_NAME = "service.kubernetes.io/service-proxy-name";
const AFFINITY_SECONDS = 10_800;
const CLIENTS = 65_535;
const LOOPBACK = "127.0.0.1";

/** Undefined for services that are no concern of a proxy, or of this one. */
export function planService(
  service: Service,
  slices: readonly EndpointSlice[],
  facts: ProxyFacts,
): ServicePlan | undefined {
  const { metadata, spec } = service;
  if (spec.type === "ExternalName" || isHeadless(spec) || !spec.clusterIP) return undefined;
  if (metadata.labels && Object.hasOwn(metadata.labels, PROXY_NAME)) return undefined;
  const endpoints = endpointsOf(slices, facts.nodeName);
  const parts = new PartsBuilder();
  const datagrams: DatagramFrontend[] = [];
  const noLocal = { internal: 0, external: 0 };
  let fromLoopback = false;
  const localAddresses = new Set<string>();
  for (const family of FAMILIES) {
    const clusterIP = canonical(spec.clusterIPs ?? [spec.clusterIP]).find((ip) => familyOf(ip) === family);
    if (clusterIP === undefined) continue;
    for (const port of spec.ports ?? []) {
      const all = endpoints.get(portKey(family, port.protocol ?? "TCP", port.name ?? "")) ?? [];
      for (const { address, local, ready } of all) if (local && ready) localAddresses.add(address);
      const chosen = chooseEndpoints(spec, all, facts);
      const rules = new PortRules(service, port, family, chosen, facts, parts, datagrams);
      rules.write(clusterIP);
      fromLoopback ||= rules.fromLoopback;
      if (!chosen.any || chosen.local.length > 0) continue;
      if (isInternalLocal(spec)) noLocal.internal++;
      if (isExternalLocal(spec)) noLocal.external++;
    }
  }
  const health =
    spec.type === "LoadBalancer" && isExternalLocal(spec) && spec.healthCheckNodePort
      ? { port: spec.healthCheckNodePort, localEndpoints: localAddresses.size }
      : undefined;
  return { parts, datagrams, health, noLocal, fromLoopback };
}

const canonical = (addresses: readonly string[]): string[] =>
  addresses.flatMap((address) => canonicalIP(address) ?? []);

const digest = (text: string): string => hash("sha256", text, "hex").slice(0, 16);

/** Writes one port of a service in one family. */
class PortRules {
  private readonly service: Service;
  private readonly port: ServicePort;
  private readonly family: Family;
  private readonly chosen: ChosenEndpoints;
  private readonly facts: ProxyFacts;
  private readonly parts: PartsBuilder;
  private readonly datagrams: DatagramFrontend[];
  private readonly protocol: string;
  /** What chains of this port's own are named by. */
  private readonly id: string;

  constructor(
    service: Service,
    port: ServicePort,
    family: Family,
    chosen: ChosenEndpoints,
    facts: ProxyFacts,
    parts: PartsBuilder,
    datagrams: DatagramFrontend[],
  ) {
    this.service = service;
    this.port = port;
    this.family = family;
    this.chosen = chosen;
    this.facts = facts;
    this.parts = parts;
    this.datagrams = datagrams;
    this.protocol = (port.protocol ?? "TCP").toLowerCase();
    const { namespace = "", name = "" } = service.metadata;
    this.id = `${family}-${digest(`${namespace}/${name}/${port.name ?? ""}/${this.protocol}/${port.port}`)}`;
  }

  write(clusterIP: string): void {
    const { service, port, family, chosen, parts } = this;
    const { spec } = service;
    parts.element(`cluster-ips${family}`, clusterIP);
    for (const endpoint of new Set([...chosen.cluster, ...chosen.local])) {
      if (endpoint.local) parts.element(`hairpin${family}`, `${endpoint.address} . ${endpoint.address}`);
    }
    const internal = isInternalLocal(spec) ? chosen.local : chosen.cluster;
    this.frontend(clusterIP, internal, this.sticks ? () => this.listChain(internal) : undefined, "lb");

    const external = isExternalLocal(spec) ? chosen.local : chosen.cluster;
    const own = this.sticks || isExternalLocal(spec) ? () => this.externalChain() : undefined;
    // Traffic of the policy Local must get in where pods of the cluster may still be led to endpoints elsewhere.
    const reachable = isExternalLocal(spec) ? [...new Set([...external, ...chosen.cluster])] : external;
    const balancers = this.loadBalancerIPs();
    if (this.isOnNode(balancers)) balancers.push(LOOPBACK);
    for (const address of [...this.ofFamily(canonical(spec.externalIPs ?? [])), ...balancers]) {
      this.frontend(address, external, own, "masq", reachable);
    }
    this.firewall();
    if (port.nodePort) this.nodePort(port.nodePort, external, own, reachable);
  }

  private get sticks(): boolean {
    return this.service.spec.sessionAffinity === "ClientIP";
  }

  private ofFamily(addresses: readonly string[]): string[] {
    return addresses.filter((address) => familyOf(address) === this.family);
  }

  /** Of IPv4: the kernel routes nothing from IPv6's loopback. */
  get fromLoopback(): boolean {
    return this.family === 4 && (Boolean(this.port.nodePort) || this.isOnNode(this.loadBalancerIPs()));
  }

  /** Where the node's own address is the load balancer's, so is its loopback. */
  private isOnNode(balancers: readonly string[]): boolean {
    return this.family === 4 && balancers.some((address) => this.facts.nodeIPs.includes(address));
  }

  /** Load balancers of the mode Proxy must be gone through, and what they do not say to serve is not theirs. */
  private loadBalancerIPs(): string[] {
    if (this.service.spec.type !== "LoadBalancer") return [];
    const ingress = this.service.status?.loadBalancer?.ingress ?? [];
    const serving = ingress.filter(({ ipMode, ports }) => ipMode !== "Proxy" && this.isAmong(ports));
    return this.ofFamily(canonical(serving.flatMap(({ ip }) => (ip ? [ip] : []))));
  }

  private isAmong(ports: readonly PortStatus[] = []): boolean {
    const { port, protocol = "TCP" } = this.port;
    return ports.length === 0 || ports.some((one) => one.port === port && one.protocol === protocol);
  }

  /** `own` makes the chain that replaces the shared ones, where the service is not an ordinary one. */
  private frontend(
    address: string,
    endpoints: readonly Endpoint[],
    own: (() => string) | undefined,
    shared: "lb" | "masq",
    reachable = endpoints,
  ): void {
    const { family, parts, protocol, port } = this;
    const key = `${address} . ${protocol} . ${port.port}`;
    this.datagram(address, port.port, reachable);
    if (endpoints.length === 0) parts.element(`no-endpoints${family}`, key, this.refusal());
    if (own) {
      if (reachable.length > 0) parts.element(`service-ips${family}`, key, `goto ${own()}`);
      return;
    }
    if (endpoints.length === 0) return;
    const chain = `${shared}${family}-${protocol}-${endpoints.length}`;
    const rule = balance(family, protocol, endpoints.length);
    parts.chain(chain, shared === "masq" ? [`jump ${MARK_CHAIN}`, rule] : [rule]);
    parts.element(`service-ips${family}`, key, `goto ${chain}`);
    for (const [i, endpoint] of endpoints.entries()) {
      const numbered = `${address} . ${port.port} . ${i}`;
      parts.element(`endpoints${family}-${protocol}`, numbered, endpointText(endpoint));
    }
  }

  private nodePort(
    nodePort: number,
    endpoints: readonly Endpoint[],
    own: (() => string) | undefined,
    reachable: readonly Endpoint[],
  ): void {
    const { family, parts, protocol } = this;
    const key = `${protocol} . ${nodePort}`;
    this.datagram(undefined, nodePort, reachable);
    if (endpoints.length === 0) parts.element(`no-endpoint-nodeports${family}`, key, this.refusal());
    if (own) {
      if (reachable.length > 0) parts.element(`nodeports${family}`, key, `goto ${own()}`);
      return;
    }
    if (endpoints.length === 0) return;
    const chain = `nodeport${family}-${protocol}-${endpoints.length}`;
    parts.chain(chain, [`jump ${MARK_CHAIN}`, balanceNodePort(family, protocol, endpoints.length)]);
    parts.element(`nodeports${family}`, key, `goto ${chain}`);
    for (const [i, endpoint] of endpoints.entries()) {
      const numbered = `${nodePort} . ${i}`;
      parts.element(`nodeport-endpoints${family}-${protocol}`, numbered, endpointText(endpoint));
    }
  }

  /** Nothing anywhere is refused; something elsewhere, where the policy is Local, is somebody else's to answer. */
  private refusal(): string {
    return this.chosen.any ? "drop" : `goto ${REJECT_CHAIN}`;
  }

  private datagram(address: string | undefined, port: number, endpoints: readonly Endpoint[]): void {
    if (this.protocol !== "udp") return;
    this.datagrams.push({
      address,
      port,
      family: this.family,
      endpoints: new Set(endpoints.map(endpointText)),
    });
  }

  /** Where traffic from outside enters a service that keeps clients at their endpoints, or to its own node. */
  private externalChain(): string {
    const { family, id, parts, chosen, facts, service } = this;
    const name = `external${id}`;
    if (parts.chains.has(name)) return name;
    const IP = ip(family);
    if (!isExternalLocal(service.spec)) {
      parts.chain(name, [`jump ${MARK_CHAIN}`, `goto ${this.listChain(chosen.cluster)}`]);
      return name;
    }
    const rules: string[] = [];
    if (chosen.cluster.length > 0) {
      // From inside the cluster an external address is one more name of the service.
      const everywhere = this.listChain(chosen.cluster);
      for (const cidr of facts.clusterCIDRs[family]) rules.push(`${IP} saddr ${cidr} goto ${everywhere}`);
      rules.push(`fib saddr type local jump ${MARK_CHAIN}`, `fib saddr type local goto ${everywhere}`);
    }
    if (chosen.local.length > 0) rules.push(`goto ${this.listChain(chosen.local)}`);
    parts.chain(name, rules);
    return name;
  }

  private listChain(endpoints: readonly Endpoint[]): string {
    const { id, parts, protocol, family, chosen } = this;
    const name = `${endpoints === chosen.local ? "local" : "service"}${id}`;
    if (parts.chains.has(name)) return name;
    if (endpoints.length === 0) {
      parts.chain(name, []);
    } else if (this.sticks) {
      const chains = endpoints.map((endpoint) => this.stickyChain(endpoint));
      parts.chain(name, [
        ...chains.map(({ chain, clients }) => `${ip(family)} saddr @${clients} goto ${chain}`),
        `numgen random mod ${chains.length} vmap { ${chains.map(({ chain }, i) => `${i} : goto ${chain}`).join(", ")} }`,
      ]);
    } else {
      const places = endpoints.map((endpoint, i) => `${i} : ${endpointText(endpoint)}`).join(", ");
      const number = `numgen random mod ${endpoints.length}`;
      parts.chain(name, [`meta l4proto ${protocol} dnat ${ip(family)} to ${number} map { ${places} }`]);
    }
    return name;
  }

  /** A chain that leads to one endpoint and remembers who was led there. */
  private stickyChain(endpoint: Endpoint): { chain: string; clients: string } {
    const { family, id, parts, protocol, service } = this;
    const seconds = service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS;
    const chain = `endpoint${id}-${digest(endpointText(endpoint))}`;
    // The timeout is in the name, as a set cannot be given another.
    const clients = `clients${id}-${digest(`${endpointText(endpoint)}/${seconds}`)}`;
    const address = family === 4 ? "ipv4_addr" : "ipv6_addr";
    parts.set(clients, `type ${address}; size ${CLIENTS}; flags dynamic,timeout; timeout ${seconds}s;`);
    const place = family === 4 ? endpoint.address : `[${endpoint.address}]`;
    parts.chain(chain, [
      `update @${clients} { ${ip(family)} saddr }`,
      `meta l4proto ${protocol} dnat ${ip(family)} to ${place}:${endpoint.port}`,
    ]);
    return { chain, clients };
  }

  private firewall(): void {
    const { service, family, parts, protocol, port, facts, id } = this;
    const ranges = this.ofFamily(disjointCIDRs(service.spec.loadBalancerSourceRanges ?? []));
    if (ranges.length === 0) return;
    const allowsNode = facts.nodeIPs.some((address) => {
      const node = parseIP(address);
      return node !== undefined && ranges.some((range) => contains(parseCIDR(range)!, node));
    });
    for (const address of this.loadBalancerIPs()) {
      const chain = `firewall${id}`;
      const IP = ip(family);
      const allowed = ranges.map((range) => `${IP} saddr ${range} accept`);
      // The node may have the load balancer's address on an interface, and then comes from it.
      const itself = allowsNode ? this.loadBalancerIPs().map((own) => `${IP} saddr ${own} accept`) : [];
      parts.chain(chain, [...allowed, ...itself, "drop"]);
      parts.element(`firewalls${family}`, `${address} . ${protocol} . ${port.port}`, `goto ${chain}`);
    }
  }
}
