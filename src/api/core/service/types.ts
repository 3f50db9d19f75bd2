import type { KubeObject } from "../../object.ts";
import type { LoadBalancerStatus } from "../../schema/core.v1.generated.ts";

export interface ServicePort {
  name?: string;
  protocol?: string;
  appProtocol?: string;
  port: number;
  targetPort?: number | string;
  nodePort?: number;
}

export interface ServiceSpec {
  ports?: ServicePort[];
  selector?: Record<string, string>;
  clusterIP?: string;
  clusterIPs?: string[];
  type?: string;
  externalIPs?: string[];
  sessionAffinity?: string;
  sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } };
  loadBalancerIP?: string;
  loadBalancerSourceRanges?: string[];
  loadBalancerClass?: string;
  allocateLoadBalancerNodePorts?: boolean;
  externalName?: string;
  externalTrafficPolicy?: string;
  internalTrafficPolicy?: string;
  trafficDistribution?: string;
  healthCheckNodePort?: number;
  publishNotReadyAddresses?: boolean;
  ipFamilies?: string[];
  ipFamilyPolicy?: string;
}

export interface ServiceStatus {
  loadBalancer?: LoadBalancerStatus;
  conditions?: unknown[];
}

/** `spec` is always there after defaulting. */
export interface Service extends KubeObject {
  spec: ServiceSpec;
  status?: ServiceStatus;
}

export const isHeadless = ({ clusterIP, clusterIPs }: ServiceSpec) =>
  clusterIP === "None" || clusterIPs?.[0] === "None";

/** Whether the type has cluster IPs at all; a headless service's is `None`. */
export const needsClusterIP = ({ type }: ServiceSpec) => type !== "ExternalName";

export const needsNodePort = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec) =>
  type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);

export const mayHaveNodePort = ({ type }: ServiceSpec) => type === "NodePort" || type === "LoadBalancer";

export const needsHealthCheckNodePort = ({ type, externalTrafficPolicy }: ServiceSpec) =>
  type === "LoadBalancer" && externalTrafficPolicy === "Local";

export const isExternallyAccessible = ({ type, externalIPs }: ServiceSpec) =>
  type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && (externalIPs?.length ?? 0) > 0);

export const familyOf = (address: string) => (address.includes(":") ? "IPv6" : "IPv4");
