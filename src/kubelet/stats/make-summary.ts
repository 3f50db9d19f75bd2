/** The document /stats/summary, from what was looked at. */
import type { MemoryUsage } from "../../host/cgroups/cgroup-usage.ts";
import { formatTime } from "../../machinery/time/time.ts";
import type { FileSystem } from "./disk-usage.ts";
import { type InterfaceCounters, mainInterface } from "./network.ts";
import type { ContainerGroup, Group, Picture, PodGroup } from "./picture.ts";
import { claimOf, type PodDisk, type VolumeUsage } from "./pod-disks.ts";
import type {
  ContainerStats,
  CPUStats,
  FsStats,
  MemoryStats,
  NetworkStats,
  PodStats,
  Summary,
  SwapStats,
  VolumeStats,
} from "./summary.ts";

export interface Disks {
  /** Milliseconds since 1970. */
  at: number;
  /** With pods' volumes and logs. */
  node: FileSystem;
  /** With images and containers' writable layers; the same one mostly. */
  images: FileSystem;
  /** What images take of it. */
  imageBytes: number;
  imageInodes: number;
  pods: ReadonlyMap<string, PodDisk>;
  /** The writable layers of containers, by the runtime's ids. */
  layers: ReadonlyMap<string, { bytes: number; inodes: number }>;
}

export interface SummaryFacts {
  nodeName: string;
  bootedAt: number;
  memoryCapacity: number;
  swapCapacity: number;
  processes?: { most: number; current: number };
  /** The kubelet itself. */
  kubelet?: ContainerStats;
}

export function makeSummary(
  picture: Picture,
  rate: (group: Group) => number | undefined,
  facts: SummaryFacts,
  disks?: Disks,
): Summary {
  const { node, pods, above } = picture;
  const kubepods = above[0];
  const time = formatTime(node.at);
  const systemContainers = [
    ...(facts.kubelet ? [facts.kubelet] : []),
    ...(kubepods
      ? [
          {
            name: "pods",
            startTime: formatTime(facts.bootedAt),
            ...cpuAndMemory(kubepods, rate, facts.memoryCapacity),
          },
        ]
      : []),
  ];
  return {
    node: {
      nodeName: facts.nodeName,
      ...(systemContainers.length > 0 ? { systemContainers } : {}),
      startTime: formatTime(facts.bootedAt),
      ...cpuAndMemory(node, rate, facts.memoryCapacity),
      ...(disks
        ? {
            network: networkStats(picture.nodeInterfaces, time),
            fs: fsStats(disks.node, formatTime(disks.at)),
            runtime: runtimeStats(disks),
          }
        : {}),
      ...(disks && facts.processes
        ? { rlimit: { time, maxpid: facts.processes.most, curproc: facts.processes.current } }
        : {}),
      ...(facts.swapCapacity > 0 ? { swap: swapStats(node, facts.swapCapacity) } : {}),
    },
    pods: pods.map((pod) => podStats(pod, rate, facts, disks)),
  };
}

function podStats(
  group: PodGroup,
  rate: (group: Group) => number | undefined,
  facts: SummaryFacts,
  disks: Disks | undefined,
): PodStats {
  const { metadata, status } = group.pod;
  const time = formatTime(group.at);
  const disk = disks?.pods.get(metadata.uid ?? "");
  const swap = facts.swapCapacity > 0;
  return {
    podRef: { name: metadata.name ?? "", namespace: metadata.namespace ?? "", uid: metadata.uid ?? "" },
    startTime: status?.startTime ?? time,
    containers: group.containers.map((container) => ({
      name: container.name,
      startTime: formatTime(container.startedAt),
      ...cpuAndMemory(container, rate),
      ...(disks && disk ? containerDisks(container, disks, disk) : {}),
      ...(swap ? { swap: swapStats(container) } : {}),
    })),
    ...cpuAndMemory(group, rate),
    ...(disks && group.interfaces.length > 0 ? { network: networkStats(group.interfaces, time) } : {}),
    ...(disk && disk.volumes.length > 0
      ? { volume: disk.volumes.map((each) => volumeStats(group, each, disk)) }
      : {}),
    ...(disks && disk ? { "ephemeral-storage": ephemeralStorage(group, disks, disk) } : {}),
    ...(group.usage.pids ? { process_stats: { process_count: group.usage.pids.current } } : {}),
    ...(swap ? { swap: swapStats(group) } : {}),
  };
}

/** What the pod is held to by its limits of ephemeral storage: layers, logs, local volumes, /etc/hosts. */
export function ephemeralBytes(
  { containers, pod }: Pick<PodGroup, "containers" | "pod">,
  { layers }: Pick<Disks, "layers">,
  disk: PodDisk,
): { bytes: number; inodes: number } {
  const all = [
    ...containers.map(({ id }) => layers.get(id)),
    ...disk.logs.values(),
    disk.hosts,
    ...disk.volumes.filter((volume) => isEphemeral(pod, volume)).map(({ usage }) => usage),
  ];
  return all.reduce<{ bytes: number; inodes: number }>(
    (sum, each) => (each ? { bytes: sum.bytes + each.bytes, inodes: sum.inodes + each.inodes } : sum),
    { bytes: 0, inodes: 0 },
  );
}

/** Whether a volume is the node's own disk, and goes with the pod. */
function isEphemeral({ spec }: PodGroup["pod"], { name, isLocal }: VolumeUsage): boolean {
  const volume = spec?.volumes?.find((each) => each.name === name);
  if (!isLocal || !volume) return false;
  const { emptyDir, configMap, downwardAPI, gitRepo, projected, secret } = volume;
  return (emptyDir ?? configMap ?? downwardAPI ?? gitRepo ?? projected ?? secret) !== undefined;
}

function cpuAndMemory(
  group: Group,
  rate: (group: Group) => number | undefined,
  capacity?: number,
): { cpu?: CPUStats; memory?: MemoryStats } {
  const { cpu, memory } = group.usage;
  const time = formatTime(group.at);
  const usageNanoCores = cpu && rate(group);
  return {
    ...(cpu
      ? {
          cpu: {
            time,
            ...(usageNanoCores === undefined ? {} : { usageNanoCores }),
            usageCoreNanoSeconds: cpu.total,
          },
        }
      : {}),
    ...(memory ? { memory: memoryStats(memory, time, capacity) } : {}),
  };
}

function memoryStats(memory: MemoryUsage, time: string, capacity = memory.limit): MemoryStats {
  return {
    time,
    ...(capacity === undefined ? {} : { availableBytes: Math.max(capacity - memory.workingSet, 0) }),
    usageBytes: memory.usage,
    workingSetBytes: memory.workingSet,
    rssBytes: memory.rss,
    pageFaults: memory.pageFaults,
    majorPageFaults: memory.majorPageFaults,
  };
}

function swapStats({ usage, at }: Group, capacity?: number): SwapStats {
  const used = usage.memory?.swap ?? 0;
  return {
    time: formatTime(at),
    ...(capacity === undefined ? {} : { swapAvailableBytes: Math.max(capacity - used, 0) }),
    swapUsageBytes: used,
  };
}

function networkStats(interfaces: readonly InterfaceCounters[], time: string): NetworkStats {
  const told = interfaces.map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({
    name,
    rxBytes,
    rxErrors,
    txBytes,
    txErrors,
  }));
  return { time, ...mainInterface(told), interfaces: told };
}

function fsStats({ capacity, available, used, inodes, inodesFree }: FileSystem, time: string): FsStats {
  return {
    time,
    availableBytes: available,
    capacityBytes: capacity,
    usedBytes: used,
    inodesFree,
    inodes,
    inodesUsed: inodes - inodesFree,
  };
}

function runtimeStats({ images, imageBytes, imageInodes, layers, at }: Disks): {
  imageFs: FsStats;
  containerFs: FsStats;
} {
  const whole = fsStats(images, formatTime(at));
  const ofLayers = { usedBytes: 0, inodesUsed: 0 };
  for (const { bytes, inodes } of layers.values()) {
    ofLayers.usedBytes += bytes;
    ofLayers.inodesUsed += inodes;
  }
  return {
    imageFs: { ...whole, usedBytes: imageBytes, inodesUsed: imageInodes },
    containerFs: { ...whole, ...ofLayers },
  };
}

/** What a part of a filesystem takes of it. */
function partStats(system: FileSystem, usage: { bytes: number; inodes: number }, at: number): FsStats {
  return { ...fsStats(system, formatTime(at)), usedBytes: usage.bytes, inodesUsed: usage.inodes };
}

function containerDisks(
  { id, name }: ContainerGroup,
  disks: Disks,
  disk: PodDisk,
): Pick<ContainerStats, "logs" | "rootfs"> {
  const layer = disks.layers.get(id);
  const logs = disk.logs.get(name);
  return {
    ...(layer ? { rootfs: partStats(disks.images, layer, disks.at) } : {}),
    ...(logs ? { logs: partStats(disks.node, logs, disk.at) } : {}),
  };
}

function volumeStats({ pod }: PodGroup, { name, system, usage }: VolumeUsage, { at }: PodDisk): VolumeStats {
  const volume = pod.spec?.volumes?.find((each) => each.name === name);
  const claim = volume && claimOf(pod, volume);
  return {
    ...partStats(system, usage, at),
    name,
    ...(claim === undefined ? {} : { pvcRef: { name: claim, namespace: pod.metadata.namespace ?? "" } }),
  };
}

function ephemeralStorage(group: PodGroup, disks: Disks, disk: PodDisk): FsStats {
  const { bytes, inodes } = ephemeralBytes(group, disks, disk);
  return {
    time: formatTime(disk.at),
    availableBytes: disks.node.available,
    capacityBytes: disks.node.capacity,
    usedBytes: bytes,
    inodesFree: disks.node.inodesFree,
    inodes: disks.node.inodes,
    inodesUsed: inodes,
  };
}
