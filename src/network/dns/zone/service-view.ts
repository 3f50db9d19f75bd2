/** What DNS has to say of one Service. */
import type { Service } from "../../../api/core/services.ts";
import type { EndpointSlice } from "../../../api/discovery/endpoint-slice.ts";
import { addressBytes } from "./address.ts";

export interface Port {
  /** In lower case; "" where it has none. */
  name: string;
  /** In lower case. */
  protocol: string;
  port: number;
}

export interface Host {
  /** Of the endpoint, else made of its address; in lower case. */
  name: string;
  addresses: Addresses;
  ports: readonly Port[];
}

/** As records have them. */
export interface Addresses {
  v4: readonly Uint8Array[];
  v6: readonly Uint8Array[];
}

export interface ServiceView {
  /** What the Service's own name stands for: its cluster IPs, or its endpoints where it is headless. */
  addresses: Addresses;
  ports: readonly Port[];
  isHeadless: boolean;
  /** In lower case, without a dot at its end. Only of the type ExternalName. */
  externalName?: string;
  /** Endpoints by the name of their host. */
  hosts: ReadonlyMap<string, Host>;
}

const NONE = "None";

/** Undefined where the Service has no name yet: it has no address, or its external name is none. */
export function serviceView(service: Service, slices: readonly EndpointSlice[]): ServiceView | undefined {
  const {
    type,
    externalName,
    clusterIP,
    clusterIPs,
    ports = [],
    publishNotReadyAddresses,
  } = service.spec ?? {};
  const nothing = { addresses: { v4: [], v6: [] }, ports: [], isHeadless: false, hosts: new Map() };
  if (type === "ExternalName") {
    const target = externalName?.toLowerCase().replace(/\.$/, "") ?? "";
    // Upstream has no record for an address that stands where a name belongs.
    return target === "" || addressBytes(target) ? undefined : { ...nothing, externalName: target };
  }
  const given = clusterIPs?.length ? clusterIPs : clusterIP ? [clusterIP] : [];
  if (given.length === 0) return undefined;
  const hosts = hostsOf(slices, publishNotReadyAddresses === true);
  const isHeadless = given[0] === NONE;
  return {
    addresses: isHeadless
      ? together([...hosts.values()])
      : byFamily(given.flatMap((ip) => addressBytes(ip) ?? [])),
    ports: ports.map(({ name, protocol, port }) => portOf(name, protocol, port)),
    isHeadless,
    hosts,
  };
}

const portOf = (name: string | undefined, protocol: string | undefined, port: number): Port => ({
  name: name?.toLowerCase() ?? "",
  protocol: protocol?.toLowerCase() ?? "tcp",
  port,
});

function hostsOf(slices: readonly EndpointSlice[], evenNotReady: boolean): Map<string, Host> {
  const found = new Map<string, { addresses: Map<string, Uint8Array>; ports: Map<string, Port> }>();
  for (const { addressType, endpoints = [], ports = [] } of slices) {
    if (addressType === "FQDN") continue;
    const own = (ports ?? []).flatMap(({ name, protocol, port }) =>
      port === undefined ? [] : [portOf(name, protocol, port)],
    );
    for (const { addresses = [], conditions, hostname } of endpoints ?? []) {
      if (conditions?.ready === false && !evenNotReady) continue;
      for (const address of addresses) {
        const bytes = addressBytes(address);
        if (!bytes) continue;
        const name = hostNameOf(hostname, address);
        const host = found.get(name) ?? { addresses: new Map(), ports: new Map() };
        // A pod may be in two slices for a moment.
        host.addresses.set(address, bytes);
        for (const port of own) host.ports.set(`${port.protocol}/${port.name}/${port.port}`, port);
        found.set(name, host);
      }
    }
  }
  const hosts = new Map<string, Host>();
  for (const [name, { addresses, ports }] of found) {
    hosts.set(name, { name, addresses: byFamily([...addresses.values()]), ports: [...ports.values()] });
  }
  return hosts;
}

/** As upstream names endpoints without a hostname: 10-244-0-7. */
export function hostNameOf(hostname: string | undefined, address: string): string {
  return hostname ? hostname.toLowerCase() : address.toLowerCase().replace(/[.:]/g, "-");
}

function byFamily(all: readonly Uint8Array[]): Addresses {
  return { v4: all.filter(({ length }) => length === 4), v6: all.filter(({ length }) => length === 16) };
}

function together(hosts: readonly Host[]): Addresses {
  return {
    v4: hosts.flatMap(({ addresses }) => addresses.v4),
    v6: hosts.flatMap(({ addresses }) => addresses.v6),
  };
}
