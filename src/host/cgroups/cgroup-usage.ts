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

/** Without waiting; what the machine does not count is absent, and so is all of a group that is gone. */
export function readCgroupUsage(tree: CgroupTree, path: string): CgroupUsage {
  const read = (file: string): string | undefined => tree.readNow(path, file);
  return tree.version === 1 ? usageOfVersion1(read) : usageOfVersion2(read);
}

type Read = (file: string) => string | undefined;

export function usageOfVersion1(read: Read): CgroupUsage {
  const usage: CgroupUsage = {};
  const total = read("cpuacct.usage");
  if (total !== undefined) {
    const ticks = amounts(read("cpuacct.stat"));
    const { nr_periods = 0, nr_throttled = 0, throttled_time = 0 } = amounts(read("cpu.stat"));
    usage.cpu = {
      total: Number(total),
      user: ((ticks.user ?? 0) / TICKS) * NANOSECONDS,
      system: ((ticks.system ?? 0) / TICKS) * NANOSECONDS,
      periods: nr_periods,
      throttledPeriods: nr_throttled,
      throttled: throttled_time,
    };
  }
  const current = read("memory.usage_in_bytes");
  if (current !== undefined) {
    const stat = amounts(read("memory.stat"));
    usage.memory = {
      usage: Number(current),
      workingSet: Math.max(Number(current) - (stat.total_inactive_file ?? 0), 0),
      rss: stat.total_rss ?? 0,
      cache: stat.total_cache ?? 0,
      mappedFile: stat.total_mapped_file ?? 0,
      swap: stat.total_swap ?? 0,
      kernel: Number(read("memory.kmem.usage_in_bytes") ?? 0),
      pageFaults: stat.total_pgfault ?? 0,
      majorPageFaults: stat.total_pgmajfault ?? 0,
      most: Number(read("memory.max_usage_in_bytes") ?? 0),
      failures: Number(read("memory.failcnt") ?? 0),
      ...limitOf(read("memory.limit_in_bytes")),
    };
  }
  return { ...usage, ...pidsOf(read) };
}

export function usageOfVersion2(read: Read): CgroupUsage {
  const usage: CgroupUsage = {};
  const cpu = read("cpu.stat");
  if (cpu !== undefined) {
    const stat = amounts(cpu);
    const nanoseconds = (name: string): number => (stat[name] ?? 0) * 1000;
    usage.cpu = {
      total: nanoseconds("usage_usec"),
      user: nanoseconds("user_usec"),
      system: nanoseconds("system_usec"),
      periods: stat.nr_periods ?? 0,
      throttledPeriods: stat.nr_throttled ?? 0,
      throttled: nanoseconds("throttled_usec"),
    };
  }
  const current = read("memory.current");
  if (current !== undefined) {
    const stat = amounts(read("memory.stat"));
    const inactive = stat.inactive_file ?? 0;
    usage.memory = {
      usage: Number(current),
      workingSet: Math.max(Number(current) - inactive, 0),
      rss: stat.anon ?? 0,
      cache: stat.file ?? 0,
      mappedFile: stat.file_mapped ?? 0,
      swap: Number(read("memory.swap.current") ?? 0),
      kernel: stat.kernel ?? 0,
      pageFaults: stat.pgfault ?? 0,
      majorPageFaults: stat.pgmajfault ?? 0,
      most: Number(read("memory.peak") ?? 0),
      failures: amounts(read("memory.events")).max ?? 0,
      ...limitOf(read("memory.max")),
    };
  }
  return { ...usage, ...pidsOf(read) };
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

/** Of lines `name number`. */
function amounts(text = ""): Record<string, number | undefined> {
  const found: Record<string, number | undefined> = Object.create(null) as Record<string, number>;
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) found[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return found;
}

function limitOf(text: string | undefined): { limit?: number } {
  const limit = Number(text?.trim());
  return Number.isNaN(limit) || limit >= NO_LIMIT ? {} : { limit };
}

function pidsOf(read: Read): Pick<CgroupUsage, "pids"> {
  const current = read("pids.current");
  return current === undefined ? {} : { pids: { current: Number(current), ...limitOf(read("pids.max")) } };
}
