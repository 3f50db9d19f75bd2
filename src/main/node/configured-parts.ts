/** What the kubelet's parts are told, from its configuration. */
import { join } from "node:path";
import { thresholdsOf } from "../../kubelet/configuration/check-configuration.ts";
import { milliseconds } from "../../kubelet/configuration/milliseconds.ts";
import { API_VERSION, KIND } from "../../kubelet/configuration/read-configuration.ts";
import type { KubeletConfiguration } from "../../kubelet/configuration/settings.ts";
import type { EvictionOptions } from "../../kubelet/eviction/eviction-manager.ts";
import { parseThresholds } from "../../kubelet/eviction/thresholds.ts";
import type { ImageSettings } from "../../kubelet/images/image-manager.ts";
import type { VerificationPolicy } from "../../kubelet/images/pull-records.ts";
import type { KubeletSettings } from "../../kubelet/kubelet-options.ts";
import type { RotationOptions } from "../../kubelet/logs/rotation.ts";
import type { NodeOptions } from "../../kubelet/node/kubelet-node.ts";
import type { KubeletPaths } from "../../kubelet/ports.ts";
import type { GroupLimits, PodLimitSettings } from "../../kubelet/resources/group-limits.ts";
import { type MachineCapacity, podsLimits, type Reservations } from "../../kubelet/resources/reservations.ts";
import { type ShutdownPeriod, twoPeriods } from "../../kubelet/shutdown/periods.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { podResolvConf } from "../../network/dns/pod-resolv-conf.ts";
import { clusterDNS } from "./cluster-dns.ts";
import type { NodeRun } from "./node-run.ts";

const RESOLV_CONF = {
  resolvConf: "/etc/resolv.conf",
  systemdResolvConf: "/run/systemd/resolve/resolv.conf",
};

export function maxPodsOf({ maxPods, podsPerCore }: KubeletConfiguration, cores: number): number {
  return podsPerCore > 0 ? Math.min(maxPods, podsPerCore * cores) : maxPods;
}

export function imageSettings(configuration: KubeletConfiguration): ImageSettings {
  const { serializeImagePulls, maxParallelImagePulls, nodeStatusMaxImages } = configuration;
  return {
    maxParallelPulls: serializeImagePulls ? 1 : (maxParallelImagePulls ?? Number.POSITIVE_INFINITY),
    rate: { perSecond: configuration.registryPullQPS, burst: configuration.registryBurst },
    mostInStatus: nodeStatusMaxImages < 0 ? Number.POSITIVE_INFINITY : nodeStatusMaxImages,
    garbage: {
      highThresholdPercent: configuration.imageGCHighThresholdPercent,
      lowThresholdPercent: configuration.imageGCLowThresholdPercent,
      minimumAgeMs: milliseconds(configuration.imageMinimumGCAge),
      maximumAgeMs: milliseconds(configuration.imageMaximumGCAge),
    },
    verification: configuration.imagePullCredentialsVerificationPolicy as VerificationPolicy,
    verificationAllowlist: configuration.preloadedImagesVerificationAllowlist,
  };
}

export function evictionSettings(
  configuration: KubeletConfiguration,
): Pick<EvictionOptions, "thresholds" | "transition" | "maxGraceSeconds"> {
  return {
    thresholds: parseThresholds(thresholdsOf(configuration)),
    transition: milliseconds(configuration.evictionPressureTransitionPeriod),
    maxGraceSeconds: configuration.evictionMaxPodGracePeriod,
  };
}

/** Whether all pods together are held to what is not reserved. */
export function podsAreLimited({ enforceNodeAllocatable }: KubeletConfiguration): boolean {
  return enforceNodeAllocatable.includes("pods");
}

export function reservationsOf({ kubeReserved, systemReserved }: KubeletConfiguration): Reservations {
  return { kube: kubeReserved, system: systemReserved };
}

export function limitsOfPods(
  configuration: KubeletConfiguration,
  machine: MachineCapacity,
): { all: GroupLimits & { memory: number }; each: PodLimitSettings } {
  return {
    all: podsLimits(machine, podsAreLimited(configuration) ? reservationsOf(configuration) : {}),
    each: { maxPids: configuration.podPidsLimit, cpuQuota: configuration.cpuCFSQuota },
  };
}

export function logSettings({
  containerLogMaxSize,
  containerLogMaxFiles,
  containerLogMonitorInterval,
}: KubeletConfiguration): Pick<RotationOptions, "maxSize" | "maxFiles" | "period"> {
  const size = Quantity.parse(containerLogMaxSize);
  return {
    // Upstream takes less than nothing for no rotation at all.
    maxSize: size.sign() < 0 ? Number.POSITIVE_INFINITY : size.value(),
    maxFiles: containerLogMaxFiles,
    period: milliseconds(containerLogMonitorInterval),
  };
}

export function nodeSettings(
  configuration: KubeletConfiguration,
): Pick<NodeOptions, "statusPeriod" | "reportPeriod" | "leaseSeconds" | "taints" | "providerID"> {
  const { nodeStatusUpdateFrequency, nodeStatusReportFrequency = nodeStatusUpdateFrequency } = configuration;
  return {
    statusPeriod: milliseconds(nodeStatusUpdateFrequency),
    reportPeriod: milliseconds(nodeStatusReportFrequency),
    leaseSeconds: configuration.nodeLeaseDurationSeconds,
    taints: configuration.registerWithTaints,
    providerID: configuration.providerID,
  };
}

/** What pods resolve names by; of what the file does not say, what the cluster and the machine have. */
export async function resolverSettings({
  configuration,
  layout,
  serviceCIDRs,
  dnsDomain,
}: NodeRun): Promise<Pick<KubeletSettings, "clusterDNS" | "clusterDomain" | "resolvConf">> {
  const own = clusterDNS(serviceCIDRs);
  const { resolvConf, clusterDomain = dnsDomain, clusterDNS: servers = own } = configuration;
  return {
    clusterDNS: servers,
    clusterDomain,
    resolvConf:
      resolvConf ?? (await podResolvConf({ ...RESOLV_CONF, clusterDNS: own, runDir: layout.runDir })),
  };
}

/** With dots between their parts, which may be written with slashes too. */
export function sysctlPatterns({ allowedUnsafeSysctls }: KubeletConfiguration): string[] {
  return allowedUnsafeSysctls.map((pattern) => pattern.replaceAll("/", "."));
}

/** Empty: pods are not ended before the machine is shut down. */
export function shutdownPeriods({
  shutdownGracePeriod,
  shutdownGracePeriodCriticalPods,
  shutdownGracePeriodByPodPriority: periods,
}: KubeletConfiguration): ShutdownPeriod[] {
  if (periods.length === 0)
    return twoPeriods(milliseconds(shutdownGracePeriod), milliseconds(shutdownGracePeriodCriticalPods));
  return periods.map(({ priority = 0, shutdownGracePeriodSeconds = 0 }) => ({
    priority,
    shutdownGracePeriodSeconds,
  }));
}

export function kubeletPaths({ configuration, layout }: NodeRun): KubeletPaths {
  return { ...layout.kubelet, staticPods: configuration.staticPodPath ?? layout.kubelet.staticPods };
}

export function seccompDirectory({ layout }: NodeRun): string {
  return join(layout.kubelet.root, "seccomp");
}

/** For /configz: what the file said, and what was found out instead of it. */
export function configurationInForce(
  run: NodeRun,
  found: Pick<KubeletSettings, "clusterDNS" | "clusterDomain" | "resolvConf"> & { runtimeSocket: string },
): object {
  const { configuration, node } = run;
  const { runtimeSocket, ...resolver } = found;
  return {
    kind: KIND,
    apiVersion: API_VERSION,
    ...configuration,
    ...resolver,
    staticPodPath: kubeletPaths(run).staticPods,
    port: node.kubeletPort,
    containerRuntimeEndpoint: `unix://${runtimeSocket}`,
  };
}
