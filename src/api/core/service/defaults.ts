/** What a Service gets without asking, and how the older and newer names of one thing are kept the same. */
import { semanticEqual } from "../../../machinery/json/equal.ts";
import {
  familyOf,
  isExternallyAccessible,
  isHeadless,
  mayHaveNodePort,
  needsClusterIP,
  needsHealthCheckNodePort,
  type Service,
  type ServiceSpec,
} from "./types.ts";

const AFFINITY_SECONDS = 3 * 60 * 60;

export function serviceDefaults(service: Service): void {
  service.spec ??= {};
  const { spec } = service;
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP") {
    const { clientIP } = spec.sessionAffinityConfig ?? {};
    if (clientIP?.timeoutSeconds === undefined) {
      spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: AFFINITY_SECONDS } };
    }
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (!port.targetPort) port.targetPort = port.port;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (needsClusterIP(spec)) spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of service.status?.loadBalancer?.ingress ?? []) {
    if (ingress.ip) ingress.ipMode ??= "VIP";
  }
}

export function prepareServiceForCreate(service: Service, families: readonly string[]): void {
  service.status = { loadBalancer: {} };
  const { spec } = service;
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
  fillFamilies(spec, families);
}

export function prepareServiceForUpdate(service: Service, old: Service, families: readonly string[]): void {
  if (old.status === undefined) delete service.status;
  else service.status = old.status;
  followClusterIP(service.spec, old.spec);
  keepAllocated(service.spec, old.spec);
  dropOfOldType(service.spec, old.spec);
  if (old.spec.type === "LoadBalancer" && service.spec.type !== "LoadBalancer" && service.status) {
    service.status = { ...service.status, loadBalancer: {} };
  }
  trimFamilies(service.spec, old.spec);
  fillFamilies(service.spec, families);
}

/** A client that only knows clusterIP may change it; then clusterIPs follows. */
function followClusterIP(now: ServiceSpec, was: ServiceSpec): void {
  if (!was.clusterIPs?.length) {
    if (now.clusterIP && !now.clusterIPs?.length) now.clusterIPs = [now.clusterIP];
    return;
  }
  if (now.clusterIP === was.clusterIP || !semanticEqual(now.clusterIPs, was.clusterIPs)) return;
  if (now.clusterIP) now.clusterIPs = [now.clusterIP];
  else delete now.clusterIPs;
}

/** What was allocated stays where the new object does not mention it. */
function keepAllocated(now: ServiceSpec, was: ServiceSpec): void {
  if (needsClusterIP(now) && needsClusterIP(was) && !now.clusterIPs?.length) {
    if (!now.clusterIP && was.clusterIP !== undefined) now.clusterIP = was.clusterIP;
    if (now.clusterIP === was.clusterIP && was.clusterIPs) now.clusterIPs = [...was.clusterIPs];
  }
  if (mayHaveNodePort(now) && mayHaveNodePort(was)) {
    const ports = new Map(was.ports?.map((p) => [`${p.protocol} ${p.port}`, p.nodePort]));
    const used = new Set(now.ports?.map(({ nodePort, protocol }) => `${protocol} ${nodePort ?? 0}`));
    for (const port of now.ports ?? []) {
      const before = ports.get(`${port.protocol} ${port.port}`);
      if (!port.nodePort && before && !used.has(`${port.protocol} ${before}`)) port.nodePort = before;
    }
  }
  if (needsHealthCheckNodePort(now) && needsHealthCheckNodePort(was) && !now.healthCheckNodePort) {
    if (was.healthCheckNodePort) now.healthCheckNodePort = was.healthCheckNodePort;
  }
}

/** A change of type takes along what only the old type had, where the client did not change it itself. */
function dropOfOldType(now: ServiceSpec, was: ServiceSpec): void {
  const drop = (goes: boolean, fields: readonly (keyof ServiceSpec)[]) => {
    if (!goes) return;
    for (const field of fields) if (semanticEqual(now[field], was[field])) delete now[field];
  };
  drop(needsClusterIP(was) && !needsClusterIP(now), [
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "internalTrafficPolicy",
  ]);
  if (mayHaveNodePort(was) && !mayHaveNodePort(now)) {
    const before = new Set(was.ports?.map(({ nodePort }) => nodePort));
    for (const port of now.ports ?? []) if (before.has(port.nodePort)) delete port.nodePort;
  }
  drop(needsHealthCheckNodePort(was) && !needsHealthCheckNodePort(now), ["healthCheckNodePort"]);
  drop(was.type === "LoadBalancer" && now.type !== "LoadBalancer", [
    "allocateLoadBalancerNodePorts",
    "loadBalancerClass",
  ]);
  drop(isExternallyAccessible(was) && !isExternallyAccessible(now), ["externalTrafficPolicy"]);
}

/** From two families to one: the second address and family go. */
function trimFamilies(now: ServiceSpec, was: ServiceSpec): void {
  if (now.ipFamilyPolicy !== "SingleStack" || was.ipFamilyPolicy === "SingleStack") return;
  if (now.clusterIPs?.length === 2 && semanticEqual(now.clusterIPs, was.clusterIPs))
    now.clusterIPs.length = 1;
  if (now.ipFamilies?.length === 2 && semanticEqual(now.ipFamilies, was.ipFamilies))
    now.ipFamilies.length = 1;
}

/** Completes ipFamilyPolicy and ipFamilies; what contradicts itself is left for validation to refuse. */
function fillFamilies(spec: ServiceSpec, served: readonly string[]): void {
  if (!needsClusterIP(spec)) return;
  const first = spec.clusterIPs?.[0];
  const manual = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  const several = (spec.clusterIPs?.length ?? 0) > 1 || (spec.ipFamilies?.length ?? 0) > 1;
  if (spec.ipFamilyPolicy === undefined && !several) {
    // Nobody but the user knows what is behind a headless service without selector.
    spec.ipFamilyPolicy = manual && !spec.ipFamilies?.length ? "RequireDualStack" : "SingleStack";
  }
  const families = spec.ipFamilies?.length
    ? [...spec.ipFamilies]
    : (spec.clusterIPs ?? []).filter((ip) => ip !== "None").map(familyOf);
  if (families.length === 0) families.push(served[0] ?? (first ? familyOf(first) : "IPv4"));
  const other = families[0] === "IPv4" ? "IPv6" : "IPv4";
  const dual = spec.ipFamilyPolicy === "RequireDualStack" || spec.ipFamilyPolicy === "PreferDualStack";
  if (dual && families.length === 1 && (manual || served.includes(other))) families.push(other);
  spec.ipFamilies = families;
}
