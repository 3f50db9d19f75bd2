/**
 * The addresses of a service's pods: ports that the same pods have are one subset, so that a pod whose ports differ from
 * the others' is in several.
 */
import type { EndpointAddress, EndpointPort, EndpointSubset } from "../../api/core/endpoints.ts";
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
import { orderSubsets } from "./order-subsets.ts";

/** So many addresses at most are in one Endpoints object. */
const CAPACITY = 1000;

interface Member {
  address: EndpointAddress;
  ready: boolean;
}

export function makeSubsets(
  service: Service,
  pods: readonly Pod[],
): { subsets: EndpointSubset[]; cut: boolean } {
  const all = orderSubsets(groupedByMembers(membersOfPorts(service, pods)));
  const cut = truncate(all);
  const subsets = cut ? all.filter((subset) => subset.addresses ?? subset.notReadyAddresses) : all;
  return { subsets, cut };
}

/** `port` is absent where a headless service has none. */
interface Offer {
  port: EndpointPort | undefined;
  members: Member[];
  /** The places of the members among all pods: ports with the same pods have the same text. */
  key: string;
}

function membersOfPorts(service: Service, pods: readonly Pod[]): Iterable<Offer> {
  const { publishNotReadyAddresses = false, ports: servicePorts = [], clusterIP } = service.spec ?? {};
  const [family = "IPv4"] = familiesOf(service);
  const offers = new Map<string, Offer>();
  const offer = (id: string, port: EndpointPort | undefined, member: Member, place: number): void => {
    const known = offers.get(id) ?? { port, members: [], key: "" };
    offers.set(id, known);
    known.members.push(member);
    known.key += `${place},`;
  };
  for (const [place, pod] of pods.entries()) {
    if (!isPublished(pod, publishNotReadyAddresses)) continue;
    const [ip] = addressesOfFamily(pod, family);
    if (ip === undefined) continue;
    const hostname = hostnameOf(pod, service);
    const address: EndpointAddress = {
      ip,
      ...(hostname !== undefined && { hostname }),
      ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
      targetRef: targetReference(pod),
    };
    const member = { address, ready: publishNotReadyAddresses || isPodReady(pod) };
    if (servicePorts.length === 0) {
      // Only headless services may go without ports.
      if (clusterIP === "None") offer("", undefined, member, place);
      continue;
    }
    for (const port of portsOf(pod, service)) {
      const { name, port: number, protocol, appProtocol = "" } = port;
      offer(`${name}\n${number}\n${protocol}\n${appProtocol}`, withoutEmptyName(port), member, place);
    }
  }
  return offers.values();
}

function groupedByMembers(offers: Iterable<Offer>): EndpointSubset[] {
  const groups = new Map<string, { members: Member[]; ports: EndpointPort[] }>();
  for (const { port, members, key } of offers) {
    const group = groups.get(key) ?? { members, ports: [] };
    groups.set(key, group);
    if (port) group.ports.push(port);
  }
  return [...groups.values()].map(({ members, ports }) => {
    const ready = members.filter((member) => member.ready).map(({ address }) => address);
    const notReady = members.filter((member) => !member.ready).map(({ address }) => address);
    return {
      ...(ready.length > 0 && { addresses: ready }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady }),
      ...(ports.length > 0 && { ports }),
    };
  });
}

/**
 * Takes away what is beyond the capacity, from each subset in proportion to what it has: those that are not ready first,
 * and all of them before any that is ready.
 */
function truncate(subsets: EndpointSubset[]): boolean {
  const count = (of: "addresses" | "notReadyAddresses"): number =>
    subsets.reduce((sum, subset) => sum + (subset[of]?.length ?? 0), 0);
  const ready = count("addresses");
  const notReady = count("notReadyAddresses");
  if (ready + notReady <= CAPACITY) return false;
  const [cut, total, room] =
    ready > CAPACITY
      ? (["addresses", ready, CAPACITY] as const)
      : (["notReadyAddresses", notReady, CAPACITY - ready] as const);
  let left = room;
  for (const subset of subsets) {
    const addresses = subset[cut] ?? [];
    const kept = addresses.slice(0, Math.min(Math.ceil((addresses.length / total) * room), left));
    left -= kept.length;
    if (kept.length > 0) subset[cut] = kept;
    else delete subset[cut];
    if (cut === "addresses") delete subset.notReadyAddresses;
  }
  return true;
}

function withoutEmptyName({ name, ...rest }: PublishedPort): EndpointPort {
  return name === "" ? rest : { name, ...rest };
}
