/** The addresses of a service's pods, those with the same ports together. */
import type { EndpointAddress, EndpointSubset } from "../../api/core/endpoints.ts";
import { isPodReady } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { Service } from "../../api/core/services.ts";
import {
  addressesOfFamily,
  familiesOf,
  hostnameOf,
  isPublished,
  type PublishedPort,
  portsOf,
  targetReference,
} from "../services/published-pod.ts";

/** So many addresses at most are in one Endpoints object. */
const CAPACITY = 1000;

export function makeSubsets(
  service: Service,
  pods: readonly Pod[],
): { subsets: EndpointSubset[]; cut: boolean } {
  const { publishNotReadyAddresses = false, ports: servicePorts = [], clusterIP } = service.spec ?? {};
  const [family = "IPv4"] = familiesOf(service);
  const groups = new Map<
    string,
    { ports: PublishedPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }
  >();
  for (const pod of pods) {
    if (!isPublished(pod, publishNotReadyAddresses)) continue;
    const [ip] = addressesOfFamily(pod, family);
    if (ip === undefined) continue;
    const ports = portsOf(pod, service);
    // Only headless services may go without ports.
    if (ports.length === 0 && (servicePorts.length > 0 || clusterIP !== "None")) continue;
    const hostname = hostnameOf(pod, service);
    const address: EndpointAddress = {
      ip,
      ...(hostname !== undefined && { hostname }),
      ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
      targetRef: targetReference(pod),
    };
    const sorted = ports.toSorted((a, b) => compare(a.name, b.name) || a.port - b.port);
    const key = JSON.stringify(sorted);
    const group = groups.get(key) ?? { ports: sorted, ready: [], notReady: [] };
    groups.set(key, group);
    if (publishNotReadyAddresses || isPodReady(pod)) group.ready.push(address);
    else group.notReady.push(address);
  }
  const all = [...groups.values()].sort((a, b) => compare(JSON.stringify(a.ports), JSON.stringify(b.ports)));
  let room = CAPACITY;
  let cut = false;
  const take = (addresses: EndpointAddress[]): EndpointAddress[] => {
    const taken = addresses.sort((a, b) => compare(a.ip, b.ip)).slice(0, room);
    if (taken.length < addresses.length) cut = true;
    room -= taken.length;
    return taken;
  };
  // Those that are ready come first where not all fit.
  for (const group of all) group.ready = take(group.ready);
  for (const group of all) group.notReady = take(group.notReady);
  const subsets = all
    .filter(({ ready, notReady }) => ready.length + notReady.length > 0)
    .map(({ ports, ready, notReady }) => ({
      ...(ready.length > 0 && { addresses: ready }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady }),
      ...(ports.length > 0 && { ports: ports.map(withoutEmptyName) }),
    }));
  return { subsets, cut };
}

function withoutEmptyName({ name, ...rest }: PublishedPort): Omit<PublishedPort, "name"> & { name?: string } {
  return name === "" ? rest : { name, ...rest };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
