/** The limits of a control group, and the files of the kernel that they are written to. */
import { qosClassOf } from "../../api/core/pod/qos.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { MIN_SHARES, QUOTA_PERIOD, quotaOf, sharesOf, weightOf } from "./cpu.ts";
import { isLimited, milliOf, podLimits, podRequests, unitsOf } from "./pod-resources.ts";

export interface GroupLimits {
  /** As in version 1, whatever the machine has. */
  cpuShares?: number;
  /** Microseconds of each period; -1: no limit. */
  cpuQuota?: number;
  cpuPeriod?: number;
  /** Bytes; -1: no limit. */
  memory?: number;
  /** -1: no limit. */
  pids?: number;
  /** Bytes by the size of page as the kernel spells it (`2MB`, `1GB`). */
  hugepages?: ReadonlyMap<string, number>;
}

export interface PodLimitSettings {
  /** Processes in one pod at the most; upstream's --pod-max-pids. */
  maxPids?: number;
  /** Whether CPU limits are enforced; upstream's --cpu-cfs-quota. */
  cpuQuota?: boolean;
  cpuPeriod?: number;
  /** Sizes of huge pages of this machine, as the kernel spells them. */
  hugepageSizes?: readonly string[];
}

export function podGroupLimits(pod: Pod, settings: PodLimitSettings = {}): GroupLimits {
  const { maxPids, cpuQuota: enforceQuota = true, cpuPeriod = QUOTA_PERIOD, hugepageSizes = [] } = settings;
  const pids = maxPids !== undefined && maxPids > 0 ? { pids: maxPids } : {};
  const limits = podLimits(pod);
  const hugepages = new Map(hugepageSizes.map((size) => [size, 0]));
  for (const [name, amount] of limits) {
    const size = hugepageSize(name);
    if (size !== undefined && hugepages.has(size))
      hugepages.set(size, unitsOf(new Map([[name, amount]]), name));
  }
  const pages = hugepages.size > 0 ? { hugepages } : {};
  if (qosClassOf(pod.spec!) === "BestEffort") return { cpuShares: MIN_SHARES, ...pids, ...pages };
  const quota =
    enforceQuota && isLimited(pod, "cpu") ? quotaOf(milliOf(limits, "cpu"), cpuPeriod) : undefined;
  return {
    cpuShares: sharesOf(milliOf(podRequests(pod), "cpu")),
    ...(quota === undefined ? {} : { cpuQuota: quota, cpuPeriod }),
    ...(isLimited(pod, "memory") ? { memory: unitsOf(limits, "memory") } : {}),
    ...pids,
    ...pages,
  };
}

/** `hugepages-2Mi` is `2MB` to the kernel; undefined for other resources. */
export function hugepageSize(resource: string): string | undefined {
  if (!resource.startsWith("hugepages-")) return undefined;
  const size = unitsOf({ size: resource.slice("hugepages-".length) }, "size");
  for (const [unit, bytes] of UNITS) if (size >= bytes) return `${size / bytes}${unit}`;
  return undefined;
}

const UNITS = [
  ["GB", 2 ** 30],
  ["MB", 2 ** 20],
  ["KB", 2 ** 10],
] as const;

/** What to write, in order: the period goes before the quota, which is held against it. */
export function filesOf(limits: GroupLimits, version: 1 | 2): [file: string, value: string][] {
  const { cpuShares, cpuQuota, cpuPeriod = QUOTA_PERIOD, memory, pids, hugepages } = limits;
  const files: [string, string][] = [];
  if (version === 1) {
    if (cpuShares !== undefined) files.push(["cpu.shares", String(cpuShares)]);
    if (cpuQuota !== undefined) {
      files.push(["cpu.cfs_period_us", String(cpuPeriod)], ["cpu.cfs_quota_us", String(cpuQuota)]);
    }
    if (memory !== undefined) files.push(["memory.limit_in_bytes", String(memory)]);
  } else {
    if (cpuShares !== undefined) files.push(["cpu.weight", String(weightOf(cpuShares))]);
    if (cpuQuota !== undefined) files.push(["cpu.max", `${maxOr(cpuQuota)} ${cpuPeriod}`]);
    if (memory !== undefined) files.push(["memory.max", maxOr(memory)]);
  }
  if (pids !== undefined) files.push(["pids.max", maxOr(pids)]);
  for (const [size, bytes] of hugepages ?? []) {
    files.push([version === 1 ? `hugetlb.${size}.limit_in_bytes` : `hugetlb.${size}.max`, String(bytes)]);
  }
  return files;
}

function maxOr(value: number): string {
  return value < 0 ? "max" : String(value);
}
