/**
 * The cloud of a cluster that has no addresses but its nodes': LoadBalancer Services get those, each its own ports of them.
 * What is given out stands in the status of the Services, with the ports, so it is known again after a restart, and the
 * proxies lead nothing else there: a Service that asks for more has to wait for the answer.
 */
import type { Node } from "../../api/core/node.ts";
import type { Service } from "../../api/core/services.ts";
import type { LoadBalancerStatus } from "../../api/schema/core.v1.generated.ts";
import { parseIP } from "../../machinery/names/ip-address.ts";
import type { CloudProvider, LoadBalancers } from "../runtime/cloud-provider.ts";

export interface NodePlaces {
  /** Those of the nodes' own programs, as `tcp/22`. */
  reserved: ReadonlySet<string>;
  /** Whether a program listens there on a node that can be asked. */
  isTaken(protocol: string, port: number): Promise<boolean>;
}

interface Place {
  /** As `tcp/80`. */
  key: string;
  port: number;
  protocol: string;
}

interface Holder {
  uid: string;
  name: string;
}

export function nodeCloud(places: NodePlaces): CloudProvider {
  return { name: "nodes", loadBalancers: new NodeLoadBalancers(places) };
}

class NodeLoadBalancers implements LoadBalancers {
  private readonly places: NodePlaces;
  private readonly holders = new Map<string, Holder>();
  private readonly uids = new Map<string, string>();

  constructor(places: NodePlaces) {
    this.places = places;
  }

  observe(key: string, service: Service | undefined): void {
    const before = this.uids.get(key);
    if (before !== undefined && before !== service?.metadata.uid) {
      this.release(before);
      this.uids.delete(key);
    }
    if (!service) return;
    const holder = { uid: service.metadata.uid ?? "", name: key };
    this.uids.set(key, holder.uid);
    for (const place of shownPlaces(service)) if (!this.holders.has(place)) this.holders.set(place, holder);
  }

  async ensure(service: Service, nodes: readonly Node[]): Promise<LoadBalancerStatus> {
    const wanted = placesOf(service);
    for (const place of wanted) await this.check(place, service);
    const { uid = "", namespace, name } = service.metadata;
    const keys = new Set(wanted.map(({ key }) => key));
    const status = statusOf(service, nodes, wanted);
    const { loadBalancerIP } = service.spec;
    if (loadBalancerIP && !status.ingress)
      throw new Error(`no node has the load balancer IP ${loadBalancerIP}`);
    this.release(uid, keys);
    for (const key of keys) this.holders.set(key, { uid, name: `${namespace}/${name}` });
    return status;
  }

  async update(service: Service, nodes: readonly Node[]): Promise<LoadBalancerStatus> {
    const { uid } = service.metadata;
    const own = placesOf(service).filter(({ key }) => this.holders.get(key)?.uid === uid);
    return statusOf(service, nodes, own);
  }

  async remove({ metadata }: Service): Promise<void> {
    this.release(metadata.uid ?? "");
  }

  /** Throws where the Service cannot have it. */
  private async check({ key, port, protocol }: Place, { metadata }: Service): Promise<void> {
    const what = `port ${port}/${protocol} of the nodes`;
    const holder = this.holders.get(key);
    if (holder?.uid === metadata.uid) return;
    if (holder) throw new Error(`${what} is that of the load balancer of ${holder.name}`);
    if (this.places.reserved.has(key)) throw new Error(`${what} is kept for the nodes themselves`);
    const taken = await this.places.isTaken(protocol.toLowerCase(), port);
    const meanwhile = this.holders.get(key);
    if (meanwhile) throw new Error(`${what} is that of the load balancer of ${meanwhile.name}`);
    if (taken) throw new Error(`${what} is taken by a program that listens there`);
  }

  private release(uid: string, except?: ReadonlySet<string>): void {
    for (const [key, holder] of this.holders) {
      if (holder.uid === uid && !except?.has(key)) this.holders.delete(key);
    }
  }
}

function placesOf({ spec }: Service): Place[] {
  return (spec.ports ?? []).map(({ port, protocol = "TCP" }) => ({
    key: `${protocol.toLowerCase()}/${port}`,
    port,
    protocol,
  }));
}

function shownPlaces({ status }: Service): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ports = [] }) =>
    ports.map(({ port, protocol }) => `${protocol.toLowerCase()}/${port}`),
  );
}

function statusOf(service: Service, nodes: readonly Node[], places: readonly Place[]): LoadBalancerStatus {
  const { ipFamilies = ["IPv4"], loadBalancerIP = "" } = service.spec;
  const addresses = ipFamilies
    .flatMap((family) => addressesOf(nodes, family === "IPv6" ? 6 : 4))
    .filter((address) => loadBalancerIP === "" || address === loadBalancerIP);
  if (addresses.length === 0 || places.length === 0) return {};
  const ports = places.map(({ port, protocol }) => ({ port, protocol }));
  return { ingress: addresses.map((ip) => ({ ip, ipMode: "VIP", ports })) };
}

/** In an order of their own: nodes are listed in any. */
function addressesOf(nodes: readonly Node[], family: 4 | 6): string[] {
  const found = nodes.flatMap(({ status }) => {
    const ofFamily = (status?.addresses ?? []).filter(({ address }) => parseIP(address)?.family === family);
    const external = ofFamily.filter(({ type }) => type === "ExternalIP");
    const internal = ofFamily.filter(({ type }) => type === "InternalIP");
    return (external.length > 0 ? external : internal).map(({ address }) => address);
  });
  return [...new Set(found)].sort();
}
