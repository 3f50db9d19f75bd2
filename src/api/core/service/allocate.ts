/** Reserves a Service's cluster IPs and node ports before it is written, and gives back what it no longer has. */
import { type FieldError, invalid, invalidValue } from "../../../machinery/field/field-error.ts";
import { FieldPath } from "../../../machinery/field/path.ts";
import { contains, parseCIDR, parseIP } from "../../../machinery/names/ip-address.ts";
import { internalError, StatusError } from "../../../machinery/status/status-error.ts";
import type { Ports } from "../../ports.ts";
import type { RequestContext, Reservation } from "../../resource.ts";
import {
  type Allocations,
  addressesOf,
  allocationsOf,
  nodePortsOf,
  type ServiceKinds,
} from "./allocations.ts";
import type { IPRange } from "./ip-range.ts";
import {
  familyOf,
  isHeadless,
  needsClusterIP,
  needsHealthCheckNodePort,
  needsNodePort,
  type Service,
} from "./types.ts";

const ALLOCATED_IP = "provided IP is already allocated";
const ALLOCATED_PORT = "provided port is already allocated";
const OTHER_NETWORK = "the provided network does not match the current range";
const FULL = "range is full";

const LABELS = {
  family: "ipaddress.kubernetes.io/ip-family",
  managedBy: "ipaddress.kubernetes.io/managed-by",
} as const;
const MANAGER = "ipallocator.k8s.io";

/** What one request took so far. */
interface Taken {
  ips: string[];
  /** Those of `ips` whose IPAddress was created. */
  locked: string[];
  ports: number[];
}

export async function allocateForService(
  service: Service,
  old: Service | undefined,
  context: RequestContext,
  kinds: ServiceKinds,
): Promise<Reservation> {
  const allocations = allocationsOf(context.ports, kinds);
  const taken: Taken = { ips: [], locked: [], ports: [] };
  const letGo = () => {
    for (const ip of taken.ips) allocations.dropIP(ip);
    for (const port of taken.ports) allocations.dropPort(port);
  };
  const rollback = async () => {
    letGo();
    for (const ip of taken.locked) await unlock(context.ports, kinds, ip);
  };
  try {
    if (needsClusterIP(service.spec) && !isHeadless(service.spec)) {
      await takeIPs(service, old, taken, { allocations, kinds }, context);
    }
    takePorts(service, old, taken, allocations, context);
  } catch (error) {
    await rollback();
    throw error;
  }
  return {
    rollback,
    async commit() {
      // The stored object holds them from now on.
      letGo();
      if (!old || context.dryRun) return;
      const kept = new Set(addressesOf(service));
      for (const ip of addressesOf(old)) if (!kept.has(ip)) await unlock(context.ports, kinds, ip);
    },
  };
}

/** After the Service is gone. */
export async function releaseService(service: Service, ports: Ports, kinds: ServiceKinds): Promise<void> {
  for (const ip of addressesOf(service)) await unlock(ports, kinds, ip);
}

async function takeIPs(
  service: Service,
  old: Service | undefined,
  taken: Taken,
  { allocations, kinds }: { allocations: Allocations; kinds: ServiceKinds },
  context: RequestContext,
): Promise<void> {
  const { spec } = service;
  const mine = new Set(addressesOf(old));
  const ips = [...(spec.clusterIPs ?? [])];
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    const asked = ips[i];
    if (asked !== undefined && mine.has(asked)) continue;
    ips[i] = asked ? askedIP(asked, service, allocations) : freeIP(family, service, allocations, context);
    taken.ips.push(ips[i]);
    if (context.dryRun) continue;
    await lock(service, ips[i], context.ports, kinds);
    taken.locked.push(ips[i]);
  }
  spec.clusterIPs = ips;
  if (ips[0]) spec.clusterIP = ips[0];
}

function askedIP(ip: string, service: Service, allocations: Allocations): string {
  if (!allocations.ranges.some((range) => range.contains(ip))) {
    throw refusedIP(service, ip, whyNotInRange(ip, allocations.ranges));
  }
  if (!allocations.holdIP(ip)) throw refusedIP(service, ip, ALLOCATED_IP);
  return ip;
}

/** The first and the last address of a network are none of its range. */
function whyNotInRange(ip: string, ranges: readonly IPRange[]): string {
  const address = parseIP(ip);
  const around = ranges.find(({ cidr }) => address && contains(parseCIDR(cidr)!, address));
  if (!around) return OTHER_NETWORK;
  return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${around.cidr}`;
}

function freeIP(
  family: string,
  service: Service,
  allocations: Allocations,
  { ports }: RequestContext,
): string {
  for (const range of allocations.ranges) {
    if (range.family !== family) continue;
    const ip = allocations.holdFreeIP(range, (limit) => ports.random.below(limit));
    if (ip) return ip;
  }
  throw internalError(`failed to allocate a serviceIP for ${service.metadata.name ?? ""}: ${FULL}`);
}

function refusedIP(service: Service, ip: string, why: string): StatusError {
  const path = FieldPath.root("spec", "clusterIPs");
  const text = `failed to allocate IP ${ip}: ${why}`;
  return refused(service, [invalidValue(path, service.spec.clusterIPs, text)]);
}

function refused(service: Service, errors: FieldError[]): StatusError {
  return invalid({ group: "", kind: "Service" }, service.metadata.name ?? "", errors);
}

/** Creates the IPAddress; another server that took the address first makes this fail. */
async function lock(service: Service, ip: string, ports: Ports, { addresses }: ServiceKinds): Promise<void> {
  const { name = "", namespace = "" } = service.metadata;
  try {
    await ports.writer.create(addresses, {
      apiVersion: "networking.k8s.io/v1",
      kind: "IPAddress",
      metadata: { name: ip, labels: { [LABELS.family]: familyOf(ip), [LABELS.managedBy]: MANAGER } },
      spec: { parentRef: { group: "", resource: "services", namespace, name } },
    });
  } catch (error) {
    const lost = error instanceof StatusError && error.reason === "AlreadyExists";
    throw lost ? refusedIP(service, ip, ALLOCATED_IP) : error;
  }
}

async function unlock(ports: Ports, { addresses }: ServiceKinds, ip: string): Promise<void> {
  try {
    await ports.writer.delete(addresses, "", ip);
  } catch (error) {
    if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
  }
}

function takePorts(
  service: Service,
  old: Service | undefined,
  taken: Taken,
  allocations: Allocations,
  { ports }: RequestContext,
): void {
  const { spec } = service;
  const { from, to } = ports.settings.nodePortRange;
  // A port may serve TCP and UDP of one service: what is this service's own is not taken again.
  const mine = nodePortsOf(old);
  const hold = (port: number): string | undefined => {
    if (mine.has(port)) return undefined;
    if (port < from || port > to) {
      return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
    }
    if (!allocations.holdPort(port)) return ALLOCATED_PORT;
    taken.ports.push(port);
    mine.add(port);
    return undefined;
  };
  const holdFree = () => {
    const port = allocations.holdFreePort((limit) => ports.random.below(limit));
    if (port === undefined) throw internalError(`failed to allocate a nodePort: ${FULL}`);
    taken.ports.push(port);
    mine.add(port);
    return port;
  };
  const byNumber = new Map<number, number>();
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort) continue;
    const wrong = hold(port.nodePort);
    const path = FieldPath.root("spec", "ports").index(i).child("nodePort");
    if (wrong) throw refused(service, [invalidValue(path, port.nodePort, wrong)]);
    byNumber.set(port.port, port.nodePort);
  }
  if (needsNodePort(spec)) {
    for (const port of spec.ports ?? []) {
      port.nodePort ||= byNumber.get(port.port) ?? holdFree();
      byNumber.set(port.port, port.nodePort);
    }
  }
  if (!needsHealthCheckNodePort(spec)) return;
  if (!spec.healthCheckNodePort) spec.healthCheckNodePort = holdFree();
  else {
    const wrong = hold(spec.healthCheckNodePort);
    const what = `failed to allocate requested HealthCheck NodePort ${spec.healthCheckNodePort}`;
    if (wrong) throw internalError(`${what}: ${wrong}`);
  }
}

export interface RepairReport {
  /** Addresses of services whose IPAddress was missing and is there now. */
  locked: string[];
  /** IPAddress objects of this allocator whose service is gone or has another address; deleted. */
  released: string[];
  /** Values that two services have: only a person can tell which must move. */
  conflicts: string[];
}

/** Makes IPAddress objects and Services agree; for the start of a server, before it takes requests. */
export async function repairServiceAllocations(ports: Ports, kinds: ServiceKinds): Promise<RepairReport> {
  const report: RepairReport = { locked: [], released: [], conflicts: [] };
  const owners = new Map<string, Service>();
  const nodePorts = new Map<number, Service>();
  for (const service of ports.reader.list(kinds.services)) {
    for (const ip of addressesOf(service)) {
      if (owners.has(ip)) report.conflicts.push(conflictText("clusterIP", ip, owners.get(ip)!, service));
      else owners.set(ip, service);
    }
    for (const port of nodePortsOf(service)) {
      const other = nodePorts.get(port);
      if (other) report.conflicts.push(conflictText("nodePort", port, other, service));
      else nodePorts.set(port, service);
    }
  }
  for (const address of [...ports.reader.list(kinds.addresses)]) {
    const { name = "", labels } = address.metadata;
    const { parentRef } = address.spec;
    const owner = owners.get(name);
    const fits =
      owner?.metadata.name === parentRef?.name && owner?.metadata.namespace === (parentRef?.namespace ?? "");
    if (fits) owners.delete(name);
    else if (labels?.[LABELS.managedBy] === MANAGER) {
      await unlock(ports, kinds, name);
      report.released.push(name);
    }
  }
  for (const [ip, service] of owners) {
    await lock(service, ip, ports, kinds);
    report.locked.push(ip);
  }
  return report;
}

/** Makes an IPAddress again whose service is still there, as repairing does; others of its kind are left alone. */
export async function relockAddress(service: Service, ip: string, ports: Ports, kinds: ServiceKinds) {
  if (!addressesOf(service).includes(ip)) return;
  await lock(service, ip, ports, kinds).catch((error) => {
    // Another server was faster, or the address is another's now.
    if (!(error instanceof StatusError)) throw error;
  });
}

function conflictText(what: string, value: string | number, a: Service, b: Service): string {
  const name = ({ metadata }: Service) => `${metadata.namespace}/${metadata.name}`;
  return `${what} ${value}: ${name(a)} and ${name(b)}`;
}
