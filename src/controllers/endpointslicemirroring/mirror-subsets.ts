/** The endpoints of an Endpoints object that its user wrote, as slices hold them. */
import type { EndpointAddress, Endpoints } from "../../api/core/endpoints.ts";
import type { Endpoint } from "../../api/schema/discovery.v1.generated.ts";
import { isValidIPv4Address, isValidIPv6Address } from "../../machinery/names/ip.ts";
import type { IPFamily } from "../services/published-pod.ts";
import { type PortGroup, portKey } from "../services/slices/pack-slices.ts";

/** So many addresses of a subset at most are mirrored. */
export const MOST_ADDRESSES = 1000;

export interface Mirrored {
  groups: Record<IPFamily, PortGroup[]>;
  /** Addresses left out because they are too many, or are none. */
  tooMany: number;
  invalid: number;
}

export function mirrorSubsets({ subsets = [] }: Endpoints): Mirrored {
  const mirrored: Mirrored = { groups: { IPv4: [], IPv6: [] }, tooMany: 0, invalid: 0 };
  const byKey = new Map<string, { ports: PortGroup["ports"]; endpoints: Map<string, Endpoint> }>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ];
    mirrored.tooMany += Math.max(0, all.length - MOST_ADDRESSES);
    const slicePorts = ports.map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol !== undefined && { appProtocol }),
    }));
    for (const { address, ready } of all.slice(0, MOST_ADDRESSES)) {
      const family = familyOf(address.ip);
      if (!family) {
        mirrored.invalid++;
        continue;
      }
      const key = `${family} ${portKey(slicePorts)}`;
      let group = byKey.get(key);
      if (!group) {
        group = { ports: slicePorts, endpoints: new Map() };
        byKey.set(key, group);
      }
      group.endpoints.set(address.ip, endpointOf(address, ready));
    }
  }
  for (const [key, { ports, endpoints }] of byKey) {
    const family = key.slice(0, "IPv4".length) as IPFamily;
    mirrored.groups[family].push({ ports, endpoints: [...endpoints.values()] });
  }
  return mirrored;
}

function familyOf(address: string): IPFamily | undefined {
  if (isValidIPv4Address(address).length === 0) return "IPv4";
  return isValidIPv6Address(address).length === 0 ? "IPv6" : undefined;
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(targetRef && { targetRef }),
  };
}
