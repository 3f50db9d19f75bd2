/** The places that a service's port leads to, as its EndpointSlices tell. */
import type { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import type { Endpoint as EndpointType } from "../../api/schema/discovery.v1.generated.ts";
import { canonicalIP, type Family } from "../addresses.ts";

export interface Endpoint {
  address: string;
  port: number;
  /** On this node. */
  local: boolean;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  /** Zones and nodes that should use it; undefined where nobody says. */
  zones: readonly string[] | undefined;
  nodes: readonly string[] | undefined;
}

export const endpointText = ({ address, port }: Pick<Endpoint, "address" | "port">): string =>
  `${address} . ${port}`;

export const portKey = (family: Family, protocol: string, name: string): string =>
  `${family}/${protocol}/${name}`;

const ADDRESS_TYPES: Readonly<Record<string, Family>> = { IPv4: 4, IPv6: 6 };

/** By `portKey`; each list sorted, each place once. */
export function endpointsOf(
  slices: readonly EndpointSlice[],
  nodeName: string,
): ReadonlyMap<string, readonly Endpoint[]> {
  const found = new Map<string, Map<string, Endpoint>>();
  // A place may be in two slices while it moves between them. The newer slice by name has it, whatever came first.
  const ordered = [...slices].sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  for (const { addressType, ports, endpoints } of ordered) {
    const family = Object.hasOwn(ADDRESS_TYPES, addressType) ? ADDRESS_TYPES[addressType] : undefined;
    if (family === undefined) continue;
    for (const { name = "", protocol = "TCP", port } of ports ?? []) {
      if (port === undefined) continue;
      const key = portKey(family, protocol, name);
      const list = found.get(key) ?? new Map<string, Endpoint>();
      found.set(key, list);
      for (const said of endpoints ?? []) {
        const endpoint = read(said, port, nodeName);
        if (endpoint) list.set(endpointText(endpoint), endpoint);
      }
    }
  }
  return new Map([...found].map(([key, list]) => [key, sorted(list)]));
}

function read(said: EndpointType, port: number, nodeName: string): Endpoint | undefined {
  // All addresses of an endpoint are one place: consumers are to use the first.
  const address = canonicalIP(said.addresses[0]);
  if (address === undefined) return undefined;
  const { ready = true, serving = ready, terminating = false } = said.conditions ?? {};
  const zones = said.hints?.forZones?.map(({ name }) => name);
  const nodes = said.hints?.forNodes?.map(({ name }) => name);
  return {
    address,
    port,
    local: said.nodeName === nodeName,
    ready,
    serving,
    terminating,
    zones: zones?.length ? zones : undefined,
    nodes: nodes?.length ? nodes : undefined,
  };
}

function sorted(list: ReadonlyMap<string, Endpoint>): Endpoint[] {
  return [...list.keys()].sort().map((key) => list.get(key)!);
}
