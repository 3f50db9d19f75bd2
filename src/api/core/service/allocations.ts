/**
 * Which service addresses and node ports are taken, kept in memory from what the server stores. One per running
 * server. A number is free when no stored object has it and no request in progress holds it; taking it is synchronous,
 * so two requests of one server never get the same. Between servers the IPAddress object, whose name is the address,
 * is the lock: whoever creates it has it.
 */

import type { ClusterSettings, ObjectReader, Ports } from "../../ports.ts";
import type { Resource } from "../../resource.ts";
import type { IPAddress, ServiceCIDR } from "../../schema/networking.v1.generated.ts";
import { bandOf, type IPRange, ipRange } from "./ip-range.ts";
import { pickFree } from "./pick-free.ts";
import type { Service } from "./types.ts";

export interface Allocations {
  /** Those of the settings, and those that ServiceCIDRs add. */
  readonly ranges: readonly IPRange[];
  isTakenIP(ip: string): boolean;
  /** Takes a given address; false where it is taken. */
  holdIP(ip: string): boolean;
  /** Takes a free address of the family; undefined where there is none. */
  holdFreeIP(range: IPRange, below: (limit: number) => number): string | undefined;
  dropIP(ip: string): void;
  holdPort(port: number): boolean;
  holdFreePort(below: (limit: number) => number): number | undefined;
  dropPort(port: number): void;
}

export type AllocatedAddress = IPAddress;

export type AddedRange = ServiceCIDR;

export interface ServiceKinds {
  services: Resource<Service>;
  addresses: Resource<AllocatedAddress>;
  ranges: Resource<AddedRange>;
}

const running = new WeakMap<ObjectReader, Allocations>();

/** The allocations of the server that `ports` belong to; made at first use. */
export function allocationsOf(ports: Pick<Ports, "reader" | "settings">, kinds: ServiceKinds): Allocations {
  let found = running.get(ports.reader);
  if (!found) {
    found = observeAllocations(ports.reader, ports.settings, kinds);
    running.set(ports.reader, found);
  }
  return found;
}

function observeAllocations(
  reader: ObjectReader,
  settings: ClusterSettings,
  kinds: ServiceKinds,
): Allocations {
  const ips = new Counter<string>();
  const portsUsed = new Counter<number>();
  const heldIPs = new Set<string>();
  const heldPorts = new Set<number>();
  reader.observe(kinds.services, (now, was) => {
    for (const ip of addressesOf(now)) ips.add(ip);
    for (const ip of addressesOf(was)) ips.remove(ip);
    for (const port of nodePortsOf(now)) portsUsed.add(port);
    for (const port of nodePortsOf(was)) portsUsed.remove(port);
  });
  reader.observe(kinds.addresses, (now, was) => {
    if (now?.metadata.name) ips.add(now.metadata.name);
    if (was?.metadata.name) ips.remove(was.metadata.name);
  });
  const ranges = observeRanges(reader, settings, kinds.ranges);
  const { from, to } = settings.nodePortRange;
  const count = to - from + 1;
  const band = bandOf(count, 16, 128, 32);
  const isTakenIP = (ip: string) => ips.has(ip) || heldIPs.has(ip);
  const isTakenPort = (port: number) => portsUsed.has(port) || heldPorts.has(port);
  return {
    get ranges() {
      return ranges();
    },
    isTakenIP,
    holdIP(ip) {
      if (isTakenIP(ip)) return false;
      heldIPs.add(ip);
      return true;
    },
    holdFreeIP(range, below) {
      const index = pickFree(range.size, range.staticBand, below, (i) => isTakenIP(range.addressAt(i)));
      if (index === undefined) return undefined;
      const ip = range.addressAt(index);
      heldIPs.add(ip);
      return ip;
    },
    dropIP: (ip) => void heldIPs.delete(ip),
    holdPort(port) {
      if (isTakenPort(port)) return false;
      heldPorts.add(port);
      return true;
    },
    holdFreePort(below) {
      const index = pickFree(count, band, below, (i) => isTakenPort(from + i));
      if (index === undefined) return undefined;
      heldPorts.add(from + index);
      return from + index;
    },
    dropPort: (port) => void heldPorts.delete(port),
  };
}

function observeRanges(
  reader: ObjectReader,
  { serviceCIDRs }: ClusterSettings,
  kind: Resource<AddedRange>,
): () => readonly IPRange[] {
  const own = serviceCIDRs.map(ipRange);
  const added = new Map<string, readonly string[]>();
  let all: readonly IPRange[] = own;
  reader.observe(kind, (now, was) => {
    const { name = "" } = (now ?? was)!.metadata;
    if (now && isUsable(now)) added.set(name, now.spec?.cidrs ?? []);
    else if (!added.delete(name)) return;
    const more = new Set([...added.values()].flat());
    for (const { cidr } of own) more.delete(cidr);
    all = [...own, ...[...more].map(ipRange)];
  });
  return () => all;
}

/** Without a word from its controller it is: there may be none that runs. */
function isUsable({ metadata, status }: AddedRange): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return metadata.deletionTimestamp === undefined && ready?.status !== "False";
}

export function addressesOf(service: Service | undefined): string[] {
  const { clusterIP, clusterIPs } = service?.spec ?? {};
  const all = clusterIPs?.length ? clusterIPs : clusterIP ? [clusterIP] : [];
  return all.filter((ip) => ip !== "None");
}

/** Each once, though several protocols may share a port. */
export function nodePortsOf(service: Service | undefined): Set<number> {
  const ports = new Set<number>();
  for (const { nodePort } of service?.spec.ports ?? []) if (nodePort) ports.add(nodePort);
  if (service?.spec.healthCheckNodePort) ports.add(service.spec.healthCheckNodePort);
  return ports;
}

/** How many stored objects have a value: an address is named by its service and by its IPAddress. */
class Counter<K> {
  readonly #counts = new Map<K, number>();

  add(key: K): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  remove(key: K): void {
    const left = (this.#counts.get(key) ?? 0) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }

  has(key: K): boolean {
    return this.#counts.has(key);
  }
}
