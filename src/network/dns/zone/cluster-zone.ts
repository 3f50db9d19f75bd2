/**
 * The names of the cluster, by the Kubernetes DNS specification 1.1:
 * https://github.com/kubernetes/dns/blob/master/docs/specification.md
 *
 * What the specification leaves open is as in CoreDNS with kubeadm's configuration.
 */
import { RCODES, TYPES } from "../message/constants.ts";
import { type DNSRecord, nameRecord, soaRecord, srvRecord, txtRecord } from "../message/record.ts";
import { addressOfPodName, addressOfPointer } from "./address.ts";
import type { ClusterObjects } from "./cluster-objects.ts";
import type { Addresses, Host, Port, ServiceView } from "./service-view.ts";

export interface ZoneAnswer {
  rcode: number;
  answers: readonly DNSRecord[];
  additional: readonly DNSRecord[];
  /** What the name is another name of: whoever asks for addresses wants those of this one. */
  alias?: string;
}

export interface ClusterZoneOptions {
  /** `cluster.local` */
  domain: string;
  objects: ClusterObjects;
  /** Where DNS itself is, as in records. */
  servers: Addresses;
  /** Seconds since 1970 of the last change, or so. */
  serial: () => number;
}

/** Seconds, as kubeadm configures CoreDNS. */
const TTL = 30;
/** Seconds for which it may be kept that something is not there: a Service may come the next moment. */
const NEGATIVE_TTL = 5;
const VERSION = "1.1.0";

const NOTHING: ZoneAnswer = { rcode: RCODES.NOERROR, answers: [], additional: [] };
const NO_NAME: ZoneAnswer = { rcode: RCODES.NXDOMAIN, answers: [], additional: [] };
const found = (answers: readonly DNSRecord[], additional: readonly DNSRecord[] = []): ZoneAnswer => ({
  rcode: RCODES.NOERROR,
  answers,
  additional,
});

export class ClusterZone {
  readonly domain: string;
  private readonly suffix: string;
  private readonly options: ClusterZoneOptions;
  private written: { serial: number; record: DNSRecord } | undefined;

  constructor(options: ClusterZoneOptions) {
    this.domain = options.domain.toLowerCase();
    this.suffix = `.${this.domain}`;
    this.options = options;
  }

  /** Whether the name is below the domain of the cluster: nobody else is asked for it. */
  owns(name: string): boolean {
    return name.endsWith(this.suffix) || name === this.domain;
  }

  /** Of a name that the zone owns. */
  answer(name: string, type: number): ZoneAnswer {
    if (name === this.domain) return this.apex(type);
    const labels = name.slice(0, -this.suffix.length).split(".");
    const last = labels.pop();
    if (last === "svc") return this.belowServices(labels, type);
    if (last === "pod") return this.belowPods(labels, type);
    if (last === "dns-version" && labels.length === 0) {
      return type === TYPES.TXT ? found([txtRecord(TTL, VERSION)]) : NOTHING;
    }
    if (last !== "dns") return NO_NAME;
    if (labels.length === 0) return NOTHING;
    return labels.length === 1 && labels[0] === "ns" ? addressesAnswer(this.options.servers, type) : NO_NAME;
  }

  /** Names of addresses; undefined where none of the cluster has the address, and somebody else may know it. */
  pointers(name: string, type: number): ZoneAnswer | undefined {
    const address = addressOfPointer(name);
    const names = address === undefined ? [] : this.options.objects.namesOf(address);
    if (names.length === 0) return undefined;
    if (type !== TYPES.PTR) return NOTHING;
    return found(names.map((own) => nameRecord("PTR", TTL, `${own}.svc${this.suffix}`)));
  }

  /** What goes with an answer that has no records. */
  authority(): DNSRecord {
    const serial = this.options.serial() >>> 0;
    if (this.written?.serial !== serial) this.written = { serial, record: this.writeAuthority(serial) };
    return this.written.record;
  }

  private writeAuthority(serial: number): DNSRecord {
    return soaRecord(NEGATIVE_TTL, {
      name: this.domain,
      server: `ns.dns${this.suffix}`,
      mailbox: `hostmaster${this.suffix}`,
      serial,
      refresh: 7200,
      retry: 1800,
      expire: 86400,
      minimum: NEGATIVE_TTL,
    });
  }

  private apex(type: number): ZoneAnswer {
    if (type === TYPES.SOA) return found([this.authority()]);
    if (type !== TYPES.NS) return NOTHING;
    const server = `ns.dns${this.suffix}`;
    return found([nameRecord("NS", TTL, server)], namedAddresses(server, this.options.servers));
  }

  private belowPods([label = "", namespace, more]: string[], type: number): ZoneAnswer {
    if (more !== undefined) return NO_NAME;
    if (namespace === undefined) return label === "" ? NOTHING : this.namespaceOnly(label);
    const address = addressOfPodName(label);
    if (!address || !this.options.objects.hasNamespace(namespace)) return NO_NAME;
    const isV4 = address.length === 4;
    return addressesAnswer({ v4: isV4 ? [address] : [], v6: isV4 ? [] : [address] }, type);
  }

  /** What is above names that may exist exists too. */
  private namespaceOnly(namespace: string): ZoneAnswer {
    return this.options.objects.hasNamespace(namespace) ? NOTHING : NO_NAME;
  }

  private belowServices(labels: string[], type: number): ZoneAnswer {
    if (labels.length === 0) return NOTHING;
    if (labels.length === 1) return this.namespaceOnly(labels[0]!);
    if (labels.length > 4) return NO_NAME;
    const namespace = labels.pop()!;
    const service = labels.pop()!;
    const view = this.options.objects.service(namespace, service);
    if (!view) return NO_NAME;
    const name = `${service}.${namespace}.svc${this.suffix}`;
    if (view.externalName !== undefined) return labels.length === 0 ? external(view.externalName) : NO_NAME;
    if (labels.length === 0) return this.serviceItself(view, name, type);
    if (labels.length === 1) return this.belowService(view, name, labels[0]!, type);
    const [port, protocol] = labels as [string, string];
    if (!port.startsWith("_") || !protocol.startsWith("_")) return NO_NAME;
    const is = (own: Port): boolean => own.name === port.slice(1) && own.protocol === protocol.slice(1);
    const records = port === "_" ? [] : srvRecords(view, name, is);
    if (records.length === 0) return NO_NAME;
    return type === TYPES.SRV ? withTargets(records) : NOTHING;
  }

  private serviceItself(view: ServiceView, name: string, type: number): ZoneAnswer {
    // The specification wants a headless Service without ready endpoints to have no name.
    if (view.isHeadless && view.hosts.size === 0) return NO_NAME;
    if (type === TYPES.SRV) return withTargets(srvRecords(view, name, () => true));
    return addressesAnswer(view.addresses, type);
  }

  private belowService(view: ServiceView, name: string, label: string, type: number): ZoneAnswer {
    const host = view.hosts.get(label);
    if (host) {
      const own = { ...view, isHeadless: true, hosts: new Map([[label, host]]) };
      if (type === TYPES.SRV) return withTargets(srvRecords(own, name, () => true));
      return addressesAnswer(host.addresses, type);
    }
    if (!label.startsWith("_")) return NO_NAME;
    const is = (own: Port): boolean => own.name !== "" && `_${own.protocol}` === label;
    return srvRecords(view, name, is).length > 0 ? NOTHING : NO_NAME;
  }
}

function external(target: string): ZoneAnswer {
  return { ...found([nameRecord("CNAME", TTL, target)]), alias: target };
}

function addressesAnswer({ v4, v6 }: Addresses, type: number): ZoneAnswer {
  const data = type === TYPES.A ? v4 : type === TYPES.AAAA ? v6 : [];
  return data.length === 0 ? NOTHING : found(data.map((bytes) => ({ type, ttl: TTL, data: bytes })));
}

function namedAddresses(name: string, { v4, v6 }: Addresses): DNSRecord[] {
  return [
    ...v4.map((data) => ({ name, type: TYPES.A, ttl: TTL, data })),
    ...v6.map((data) => ({ name, type: TYPES.AAAA, ttl: TTL, data })),
  ];
}

interface Target {
  record: DNSRecord;
  name: string;
  addresses: Addresses;
}

/** Of a headless Service one for each host and port, of others one for each port. */
function srvRecords(view: ServiceView, name: string, is: (port: Port) => boolean): Target[] {
  const target = (host: string, addresses: Addresses, port: number, weight: number): Target => ({
    record: srvRecord(TTL, { priority: 0, weight, port, target: host }),
    name: host,
    addresses,
  });
  if (!view.isHeadless) {
    const ports = view.ports.filter(is);
    return ports.map(({ port }) => target(name, view.addresses, port, weightOf(ports.length)));
  }
  const matching: { host: Host; port: Port }[] = [];
  for (const host of view.hosts.values()) {
    for (const port of host.ports) if (is(port)) matching.push({ host, port });
  }
  return matching.map(({ host, port }) =>
    target(`${host.name}.${name}`, host.addresses, port.port, weightOf(matching.length)),
  );
}

const weightOf = (count: number): number => Math.max(Math.floor(100 / count), 1);

function withTargets(targets: readonly Target[]): ZoneAnswer {
  const told = new Map<string, Addresses>();
  for (const { name, addresses } of targets) told.set(name, addresses);
  return found(
    targets.map(({ record }) => record),
    [...told].flatMap(([name, addresses]) => namedAddresses(name, addresses)),
  );
}
