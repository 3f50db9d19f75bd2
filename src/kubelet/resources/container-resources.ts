/** What the container runtime is told of a container's share of the machine. */
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import type { Sent } from "../../host/grpc/messages.ts";
import type { LinuxContainerResources } from "../runtime/cri/shared.ts";
import { QUOTA_PERIOD, quotaOf, sharesOf } from "./cpu.ts";
import { hugepageSize } from "./group-limits.ts";
import { oomScoreOf } from "./oom-score.ts";
import { milliOf, unitsOf } from "./pod-resources.ts";

export interface ContainerResourceSettings {
  /** The machine's memory in bytes. */
  memoryCapacity: number;
  cgroupVersion: 1 | 2;
  /** Whether CPU limits are enforced; upstream's --cpu-cfs-quota. */
  cpuQuota?: boolean;
  cpuPeriod?: number;
  /** Sizes of huge pages of this machine, as the kernel spells them. */
  hugepageSizes?: readonly string[];
  /** The lowest oom_score_adj that a process here may be given: the kubelet's own without CAP_SYS_RESOURCE. */
  lowestOomScoreAdj?: number;
  /** Whether the machine limits swap, which containers get none of. */
  swapLimits?: boolean;
}

export function containerResources(
  pod: Pod,
  container: Container,
  settings: ContainerResourceSettings,
): Sent<typeof LinuxContainerResources> {
  const { memoryCapacity, cgroupVersion, cpuQuota = true, cpuPeriod = QUOTA_PERIOD } = settings;
  const { requests, limits } = container.resources ?? {};
  const podLimits = pod.spec?.resources?.limits;
  const cpuLimit = milliOf(limits, "cpu") || milliOf(podLimits, "cpu");
  const memoryLimit = unitsOf(limits, "memory") || unitsOf(podLimits, "memory");
  // Who is limited and says no more is taken to ask for as much.
  const cpuRequest = requests?.cpu === undefined ? cpuLimit : milliOf(requests, "cpu");
  const score = oomScoreOf(pod, container, memoryCapacity);
  const pages = new Map((settings.hugepageSizes ?? []).map((size) => [size, 0]));
  for (const name of Object.keys(limits ?? {})) {
    const size = hugepageSize(name);
    if (size !== undefined) pages.set(size, unitsOf(limits, name));
  }
  const unified = new Map<string, string>();
  // The kernel ends a container as a whole, not one of its processes.
  if (cgroupVersion === 2) unified.set("memory.oom.group", "1");
  if (cgroupVersion === 2 && settings.swapLimits) unified.set("memory.swap.max", "0");
  return {
    cpuShares: sharesOf(cpuRequest),
    ...(cpuQuota ? { cpuQuota: quotaOf(cpuLimit, cpuPeriod) ?? 0, cpuPeriod } : {}),
    ...(memoryLimit > 0 ? { memoryLimitInBytes: memoryLimit } : {}),
    ...(cgroupVersion === 1 && settings.swapLimits && memoryLimit > 0
      ? { memorySwapLimitInBytes: memoryLimit }
      : {}),
    oomScoreAdj: Math.max(score, settings.lowestOomScoreAdj ?? -1000),
    hugepageLimits: [...pages].map(([pageSize, limit]) => ({ pageSize, limit })),
    ...(unified.size > 0 ? { unified } : {}),
  };
}
