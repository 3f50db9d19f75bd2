/** What the kernel counts of a control group. Bytes, and nanoseconds of one core; the words of version 1 and 2 made one. */
import type { CgroupTree } from "./cgroup-tree.ts";

export interface CgroupUsage {
  cpu?: CPUUsage;
  memory?: MemoryUsage;
  /** Processes and threads. */
  pids?: { current: number; limit?: number };
}

export interface CPUUsage {
  total: number;
  user: number;
  system: number;
  /** Of its quota: periods that went by, those in which it was held up, and how long. */
  periods: number;
  throttledPeriods: number;
  throttled: number;
}

export interface MemoryUsage {
  usage: number;
  /** Without the files that the kernel could let go of at once: what counts against limits. */
  workingSet: number;
  rss: number;
  cache: number;
  mappedFile: number;
  swap: number;
  kernel: number;
  pageFaults: number;
  majorPageFaults: number;
  /** The most that was used so far, and how often its limit was met. */
  most: number;
  failures: number;
  /** Absent: no limit. */
  limit?: number;
}

export interface IOUsage {
  /** `major:minor` */
  device: string;
  readBytes: number;
  writtenBytes: number;
  reads: number;
  writes: number;
}

/** Limits beyond this are none: version 1 has no word for it but a very large number. */
const NO_LIMIT = 2 ** 60;
/** Clock ticks of /proc and version 1 in a second, the same on every machine. */
const TICKS = 100;
const NANOSECONDS = 1e9;

/** How much is asked for, each file costing as much as the others: what is used, limits beside it, or all there is. */
export type Detail = "usage" | "limits" | "all";

/** Without waiting; what the machine does not count is absent, and so is all of a group that is gone. */
export function readCgroupUsage(tree: CgroupTree, path: string, detail: Detail = "all"): CgroupUsage {
  const read = (file: string): string | undefined => tree.readNow(path, file);
  return tree.version === 1 ? usageOfVersion1(read, detail) : usageOfVersion2(read, detail);
}

type Read = (file: string) => string | undefined;

export function usageOfVersion1(given: Read, detail: Detail = "all"): CgroupUsage {
  const { read, ofLimits, ofAll } = readsOf(given, detail);
  const usage: CgroupUsage = {};
  const total = read("cpuacct.usage");
  if (total !== undefined) {
    const ticks = figures(ofAll("cpuacct.stat"));
    const quota = figures(ofAll("cpu.stat"));
    usage.cpu = {
      total: Number(total),
      user: (ticks("user") / TICKS) * NANOSECONDS,
      system: (ticks("system") / TICKS) * NANOSECONDS,
      periods: quota("nr_periods"),
      throttledPeriods: quota("nr_throttled"),
      throttled: quota("throttled_time"),
    };
  }
  const current = read("memory.usage_in_bytes");
  if (current !== undefined) {
    const stat = figures(read("memory.stat"));
    usage.memory = {
      usage: Number(current),
      workingSet: Math.max(Number(current) - stat("total_inactive_file"), 0),
      rss: stat("total_rss"),
      cache: stat("total_cache"),
      mappedFile: stat("total_mapped_file"),
      swap: stat("total_swap"),
      kernel: Number(ofAll("memory.kmem.usage_in_bytes") ?? 0),
      pageFaults: stat("total_pgfault"),
      majorPageFaults: stat("total_pgmajfault"),
      most: Number(ofAll("memory.max_usage_in_bytes") ?? 0),
      failures: Number(ofAll("memory.failcnt") ?? 0),
      ...limitOf(ofLimits("memory.limit_in_bytes")),
    };
  }
  return { ...usage, ...pidsOf(ofLimits) };
}

export function usageOfVersion2(given: Read, detail: Detail = "all"): CgroupUsage {
  const { read, ofLimits, ofAll } = readsOf(given, detail);
  const usage: CgroupUsage = {};
  const cpu = read("cpu.stat");
  if (cpu !== undefined) {
    const stat = figures(cpu);
    const nanoseconds = (name: string): number => stat(name) * 1000;
    usage.cpu = {
      total: nanoseconds("usage_usec"),
      user: nanoseconds("user_usec"),
      system: nanoseconds("system_usec"),
      periods: stat("nr_periods"),
      throttledPeriods: stat("nr_throttled"),
      throttled: nanoseconds("throttled_usec"),
    };
  }
  const current = read("memory.current");
  if (current !== undefined) {
    const stat = figures(read("memory.stat"));
    const inactive = stat("inactive_file");
    usage.memory = {
      usage: Number(current),
      workingSet: Math.max(Number(current) - inactive, 0),
      rss: stat("anon"),
      cache: stat("file"),
      mappedFile: stat("file_mapped"),
      swap: Number(ofLimits("memory.swap.current") ?? 0),
      kernel: stat("kernel"),
      pageFaults: stat("pgfault"),
      majorPageFaults: stat("pgmajfault"),
      most: Number(ofAll("memory.peak") ?? 0),
      failures: figures(ofAll("memory.events"))("max"),
      ...limitOf(ofLimits("memory.max")),
    };
  }
  return { ...usage, ...pidsOf(ofLimits) };
}

function readsOf(read: Read, detail: Detail): { read: Read; ofLimits: Read; ofAll: Read } {
  const none: Read = () => undefined;
  return { read, ofLimits: detail === "usage" ? none : read, ofAll: detail === "all" ? read : none };
}

/** By device; of a group and those below it. */
export function readCgroupIO(tree: CgroupTree, path: string): IOUsage[] {
  if (tree.version === 2) return ioOfVersion2(tree.readNow(path, "io.stat") ?? "");
  return ioOfVersion1(
    tree.readNow(path, "blkio.throttle.io_service_bytes_recursive") ?? "",
    tree.readNow(path, "blkio.throttle.io_serviced_recursive") ?? "",
  );
}

export function ioOfVersion1(bytes: string, operations: string): IOUsage[] {
  const devices = new Map<string, IOUsage>();
  const count = (text: string, reads: "readBytes" | "reads", writes: "writtenBytes" | "writes"): void => {
    for (const line of text.split("\n")) {
      const [device, operation, amount] = line.split(" ");
      if (device === undefined || amount === undefined) continue;
      const known = devices.get(device) ?? { device, readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 };
      if (operation === "Read") known[reads] = Number(amount);
      if (operation === "Write") known[writes] = Number(amount);
      devices.set(device, known);
    }
  };
  count(bytes, "readBytes", "writtenBytes");
  count(operations, "reads", "writes");
  return [...devices.values()];
}

export function ioOfVersion2(text: string): IOUsage[] {
  return text.split("\n").flatMap((line) => {
    const [device = "", ...pairs] = line.split(" ");
    if (!device.includes(":")) return [];
    const of = new Map(pairs.map((pair) => pair.split("=") as [string, string]));
    const number = (name: string): number => Number(of.get(name) ?? 0);
    return [
      {
        device,
        readBytes: number("rbytes"),
        writtenBytes: number("wbytes"),
        reads: number("rios"),
        writes: number("wios"),
      },
    ];
  });
}

/** Of lines `name number`: each by its name, 0 where there is none. Most of what the kernel tells is not wanted. */
function figures(text = ""): (name: string) => number {
  return (name) => {
    let at = 0;
    if (!text.startsWith(`${name} `)) {
      at = text.indexOf(`\n${name} `) + 1;
      if (at === 0) return 0;
    }
    const end = text.indexOf("\n", at);
    return Number(text.slice(at + name.length + 1, end < 0 ? undefined : end));
  };
}

function limitOf(text: string | undefined): { limit?: number } {
  const limit = Number(text?.trim());
  return Number.isNaN(limit) || limit >= NO_LIMIT ? {} : { limit };
}

function pidsOf(read: Read): Pick<CgroupUsage, "pids"> {
  const current = read("pids.current");
  return current === undefined ? {} : { pids: { current: Number(current), ...limitOf(read("pids.max")) } };
}
