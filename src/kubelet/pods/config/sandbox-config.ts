import type { Container, Pod } from "../../../api/schema/core.v1.generated.ts";
import type { Sent } from "../../../host/grpc/messages.ts";
import { QUOTA_PERIOD, quotaOf, sharesOf } from "../../resources/cpu.ts";
import { isLimited, milliOf, podLimits, podRequests, unitsOf } from "../../resources/pod-resources.ts";
import type { LinuxContainerResources } from "../../runtime/cri/shared.ts";
import { type PodSandboxConfig, type PortMapping, Protocol } from "../../runtime/cri/shared.ts";
import { sandboxAnnotations, sandboxLabels } from "../runtime-labels.ts";
import type { ResolverConfig } from "./dns-config.ts";
import { sandboxSecurityContext } from "./security-context.ts";

export interface SandboxPlace {
  /** How often the pod got a sandbox before. */
  attempt: number;
  hostname: string;
  resolver: ResolverConfig;
  logDirectory: string;
  cgroupParent: string;
}

export function sandboxConfig(pod: Pod, place: SandboxPlace): Sent<typeof PodSandboxConfig> {
  const { name, namespace, uid } = pod.metadata;
  const { hostNetwork, securityContext, containers = [], initContainers = [] } = pod.spec ?? {};
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  return {
    metadata: { name, namespace, uid, attempt: place.attempt },
    ...(hostNetwork ? {} : { hostname: place.hostname }),
    logDirectory: place.logDirectory,
    dnsConfig: place.resolver,
    portMappings: hostNetwork ? [] : [...containers, ...sidecars].flatMap(portMappings),
    labels: sandboxLabels(pod),
    annotations: sandboxAnnotations(pod),
    linux: {
      cgroupParent: place.cgroupParent,
      securityContext: sandboxSecurityContext(pod),
      sysctls: (securityContext?.sysctls ?? []).map(({ name, value }) => [name.replaceAll("/", "."), value]),
      resources: sandboxResources(pod),
    },
  };
}

/** Of the whole pod, for runtimes that hold it in a virtual machine. */
function sandboxResources(pod: Pod): Sent<typeof LinuxContainerResources> {
  const limits = podLimits(pod);
  return {
    cpuPeriod: QUOTA_PERIOD,
    cpuShares: sharesOf(milliOf(podRequests(pod), "cpu")),
    ...(isLimited(pod, "cpu") ? { cpuQuota: quotaOf(milliOf(limits, "cpu")) ?? 0 } : {}),
    ...(isLimited(pod, "memory") ? { memoryLimitInBytes: unitsOf(limits, "memory") } : {}),
  };
}

function portMappings({ ports = [] }: Container): Sent<typeof PortMapping>[] {
  return ports
    .filter(({ hostPort = 0 }) => hostPort > 0)
    .map(({ protocol = "TCP", containerPort, hostPort, hostIP }) => ({
      protocol: Protocol[protocol as keyof typeof Protocol] ?? Protocol.TCP,
      containerPort,
      hostPort,
      hostIp: hostIP,
    }));
}
