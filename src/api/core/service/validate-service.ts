import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import { FieldPath } from "../../../machinery/field/path.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidCIDRForLegacyField,
  isValidIPForLegacyField,
  isValidLabelValue,
  isValidPortName,
  isValidPortNum,
} from "../../../machinery/names/names.ts";
import { PROTOCOLS, validateNonSpecialIP } from "../endpoints.ts";
import { immutableField } from "../immutable.ts";
import {
  isExternallyAccessible,
  isHeadless,
  needsClusterIP,
  needsHealthCheckNodePort,
  type Service,
  type ServicePort,
  type ServiceSpec,
} from "./types.ts";
import { validateClusterIPs, validateClusterIPsUpdate } from "./validate-cluster-ips.ts";

const at = FieldPath.root("spec");
const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const MAX_AFFINITY_SECONDS = 86400;
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";

/** `families` are those the cluster hands out addresses of. */
export function validateService({ spec }: Service, families: readonly string[], old?: Service): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec.ports?.length && !isHeadless(spec) && needsClusterIP(spec))
    errors.push(required(at.child("ports")));
  validateType(spec, errors);
  validatePorts(spec, errors);
  for (const [key, value] of Object.entries(spec.selector ?? {})) {
    const path = at.child("selector");
    errors.push(...isQualifiedName(key).map((text) => invalidValue(path, key, text)));
    errors.push(...isValidLabelValue(value).map((text) => invalidValue(path, value, text)));
  }
  validateAffinity(spec, errors);
  errors.push(...validateClusterIPs(spec, families, old?.spec));
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) {
    const path = at.child("externalIPs").index(i);
    const texts = isValidIPForLegacyField(ip, old?.spec.externalIPs);
    errors.push(...texts.map((text) => invalidValue(path, ip, text)));
    if (texts.length === 0) errors.push(...validateNonSpecialIP(ip, path));
  }
  validateLoadBalancer(spec, errors, old?.spec);
  validateTraffic(spec, errors);
  return errors;
}

export function validateServiceUpdate(
  service: Service,
  old: Service,
  families: readonly string[],
): FieldError[] {
  const errors = [
    ...validateClusterIPsUpdate(service.spec, old.spec),
    ...validateService(service, families, old),
  ];
  const [now, was] = [service.spec, old.spec];
  if (needsHealthCheckNodePort(now) && needsHealthCheckNodePort(was)) {
    const path = at.child("healthCheckNodePort");
    errors.push(...immutableField(path, now.healthCheckNodePort, was.healthCheckNodePort));
  }
  if (
    now.type === "LoadBalancer" &&
    was.type === "LoadBalancer" &&
    now.loadBalancerClass !== was.loadBalancerClass
  ) {
    errors.push(
      invalidValue(at.child("loadBalancerClass"), now.loadBalancerClass, "may not change once set"),
    );
  }
  return errors;
}

function validateType(spec: ServiceSpec, errors: FieldError[]): void {
  const { type = "" } = spec;
  if (type === "") errors.push(required(at.child("type")));
  else if (!TYPES.includes(type)) errors.push(notSupported(at.child("type"), type, TYPES));
  if ((type === "LoadBalancer" || type === "NodePort") && isHeadless(spec)) {
    const why = `may not be set to 'None' for ${type} services`;
    errors.push(invalidValue(at.child("clusterIPs").index(0), "None", why));
  }
  if (type !== "ExternalName") return;
  if (!spec.externalName) errors.push(required(at.child("externalName")));
  else {
    const name = spec.externalName.endsWith(".") ? spec.externalName.slice(0, -1) : spec.externalName;
    const path = at.child("externalName");
    errors.push(...isDNS1123Subdomain(name).map((text) => invalidValue(path, spec.externalName, text)));
  }
}

function validatePorts(spec: ServiceSpec, errors: FieldError[]): void {
  const ports = spec.ports ?? [];
  const [names, numbers, nodePorts] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const [i, port] of ports.entries()) {
    const path = at.child("ports").index(i);
    validatePort(port, ports.length > 1, path, errors);
    if (port.name && names.has(port.name)) errors.push(duplicate(path.child("name"), port.name));
    names.add(port.name ?? "");
    const number = `${port.protocol} ${port.port}`;
    if (numbers.has(number)) {
      errors.push(duplicate(path, { protocol: port.protocol, port: port.port }));
    }
    numbers.add(number);
    if (spec.type === "LoadBalancer" && port.port === 10250) {
      const why = "may not expose port 10250 externally since it is used by kubelet";
      errors.push(invalidValue(path, port.port, why));
    }
    if (!port.nodePort) continue;
    if (spec.type === "ClusterIP") {
      errors.push(forbiddenField(path.child("nodePort"), "may not be used when `type` is 'ClusterIP'"));
    }
    const node = `${port.protocol} ${port.nodePort}`;
    if (nodePorts.has(node)) errors.push(duplicate(path.child("nodePort"), port.nodePort));
    nodePorts.add(node);
  }
}

function validatePort(port: ServicePort, requireName: boolean, path: FieldPath, errors: FieldError[]): void {
  const { name, protocol, targetPort, appProtocol } = port;
  if (requireName && !name) errors.push(required(path.child("name")));
  else if (name)
    errors.push(...isDNS1123Label(name).map((text) => invalidValue(path.child("name"), name, text)));
  errors.push(...isValidPortNum(port.port).map((text) => invalidValue(path.child("port"), port.port, text)));
  if (!protocol) errors.push(required(path.child("protocol")));
  else if (!PROTOCOLS.includes(protocol))
    errors.push(notSupported(path.child("protocol"), protocol, PROTOCOLS));
  const target = targetPort ?? 0;
  const wrong = typeof target === "number" ? isValidPortNum(target) : isValidPortName(target);
  errors.push(...wrong.map((text) => invalidValue(path.child("targetPort"), target, text)));
  for (const text of appProtocol === undefined ? [] : isQualifiedName(appProtocol)) {
    errors.push(invalidValue(path.child("appProtocol"), appProtocol, text));
  }
}

function validateAffinity(
  { sessionAffinity, sessionAffinityConfig }: ServiceSpec,
  errors: FieldError[],
): void {
  const path = at.child("sessionAffinityConfig");
  if (!sessionAffinity) errors.push(required(at.child("sessionAffinity")));
  else if (sessionAffinity === "None") {
    if (sessionAffinityConfig) {
      errors.push(forbiddenField(path, "must not be set when session affinity is None"));
    }
  } else if (sessionAffinity === "ClientIP") {
    const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
    if (seconds === undefined) errors.push(required(path, "when session affinity type is ClientIP"));
    else if (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS) {
      const why = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`;
      errors.push(invalidValue(path.child("clientIP", "timeoutSeconds"), seconds, why));
    }
  } else errors.push(notSupported(at.child("sessionAffinity"), sessionAffinity, ["ClientIP", "None"]));
}

function validateLoadBalancer(spec: ServiceSpec, errors: FieldError[], old?: ServiceSpec): void {
  const isLoadBalancer = spec.type === "LoadBalancer";
  const { loadBalancerSourceRanges: ranges = [], loadBalancerClass } = spec;
  const path = at.child("loadBalancerSourceRanges");
  if (ranges.length > 0 && !isLoadBalancer) errors.push(forbiddenField(path, ONLY_LOAD_BALANCER));
  for (const [i, range] of ranges.entries()) {
    const texts = isValidCIDRForLegacyField(range.trim(), old?.loadBalancerSourceRanges);
    errors.push(...texts.map((text) => invalidValue(path.index(i), range, text)));
  }
  const allocate = at.child("allocateLoadBalancerNodePorts");
  if (isLoadBalancer && spec.allocateLoadBalancerNodePorts === undefined) errors.push(required(allocate));
  if (!isLoadBalancer && spec.allocateLoadBalancerNodePorts !== undefined) {
    errors.push(forbiddenField(allocate, ONLY_LOAD_BALANCER));
  }
  if (loadBalancerClass === undefined) return;
  const named = at.child("loadBalancerClass");
  if (!isLoadBalancer) errors.push(forbiddenField(named, ONLY_LOAD_BALANCER));
  errors.push(
    ...isQualifiedName(loadBalancerClass).map((text) => invalidValue(named, loadBalancerClass, text)),
  );
}

function validateTraffic(spec: ServiceSpec, errors: FieldError[]): void {
  const policies = ["Cluster", "Local"];
  const external = at.child("externalTrafficPolicy");
  if (isExternallyAccessible(spec)) {
    if (!spec.externalTrafficPolicy) errors.push(required(external));
    else if (!policies.includes(spec.externalTrafficPolicy)) {
      errors.push(notSupported(external, spec.externalTrafficPolicy, policies));
    }
  } else if (spec.externalTrafficPolicy) {
    const why = "may only be set for externally-accessible services";
    errors.push(invalidValue(external, spec.externalTrafficPolicy, why));
  }
  const health = at.child("healthCheckNodePort");
  if (spec.healthCheckNodePort && !needsHealthCheckNodePort(spec)) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalidValue(health, spec.healthCheckNodePort, why));
  }
  const internal = at.child("internalTrafficPolicy");
  if (needsClusterIP(spec) && spec.internalTrafficPolicy === undefined) errors.push(required(internal));
  else if (spec.internalTrafficPolicy !== undefined && !policies.includes(spec.internalTrafficPolicy)) {
    errors.push(notSupported(internal, spec.internalTrafficPolicy, policies));
  }
  const { trafficDistribution } = spec;
  const known = ["PreferClose", "PreferSameNode", "PreferSameZone"];
  if (trafficDistribution !== undefined && !known.includes(trafficDistribution)) {
    errors.push(notSupported(at.child("trafficDistribution"), trafficDistribution, known));
  }
}
