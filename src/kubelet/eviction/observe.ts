/** What is left of the machine, as the signals of eviction name it. */

import type { FileSystem } from "../stats/disk-usage.ts";
import { type Disks, ephemeralBytes } from "../stats/make-summary.ts";
import type { Group, Picture } from "../stats/picture.ts";
import type { Observation, Observations } from "./pressure.ts";
import type { DiskPart, PodUse } from "./rank.ts";
import type { StorageUse } from "./storage-limits.ts";
import type { Signal } from "./thresholds.ts";

export interface Seen {
  node: Group;
  kubepods: Group;
  /** Bytes of the machine, and what of it pods may use together. */
  memoryCapacity: number;
  allocatableMemory: number;
  fileSystems: { node: FileSystem; images: FileSystem };
  processes?: { most: number; current: number };
}

export function observe({ node, kubepods, fileSystems, processes, ...seen }: Seen): Observations {
  const observations = new Map<Signal, Observation>();
  const used = node.usage.memory?.workingSet;
  if (used !== undefined) {
    const capacity = seen.memoryCapacity;
    observations.set("memory.available", { available: Math.max(capacity - used, 0), capacity });
  }
  const usedByPods = kubepods.usage.memory?.workingSet;
  if (usedByPods !== undefined) {
    const capacity = seen.allocatableMemory;
    observations.set("allocatableMemory.available", {
      available: Math.max(capacity - usedByPods, 0),
      capacity,
    });
  }
  for (const [name, system] of [
    ["nodefs", fileSystems.node],
    ["imagefs", fileSystems.images],
    ["containerfs", fileSystems.images],
  ] as const) {
    observations.set(`${name}.available`, { available: system.available, capacity: system.capacity });
    // Some file systems have as many inodes as fit, and say that they have none.
    if (system.inodes > 0) {
      observations.set(`${name}.inodesFree`, { available: system.inodesFree, capacity: system.inodes });
    }
  }
  if (processes) {
    const { most, current } = processes;
    observations.set("pid.available", { available: most - current, capacity: most });
  }
  return observations;
}

/** Whether images have a disk of their own: a file system that differs from that of volumes and logs. */
export function hasImageDisk({ node, images }: Seen["fileSystems"]): boolean {
  return node.capacity !== images.capacity || node.inodes !== images.inodes;
}

/** What each pod uses, by its uid; of disks where they were measured. */
export function podUses({ pods }: Picture, disks: Disks | undefined): Map<string, PodUse> {
  const nothing: DiskPart = { bytes: 0, inodes: 0 };
  return new Map(
    pods.map(({ pod, usage, containers }) => {
      const uid = pod.metadata.uid ?? "";
      const disk = disks?.pods.get(uid);
      const volumes = { bytes: 0, inodes: 0 };
      for (const { name, isLocal, usage: use } of disk?.volumes ?? []) {
        if (!isLocal && !isHostPath(pod, name)) continue;
        volumes.bytes += use.bytes;
        volumes.inodes += use.inodes;
      }
      const use: PodUse = {
        pod,
        memory: usage.memory?.workingSet ?? 0,
        processes: usage.pids?.current ?? 0,
        containers: containers.map(({ name, id, usage: own }) => ({
          name,
          memory: own.memory?.workingSet ?? 0,
          layer: disks?.layers.get(id) ?? nothing,
          logs: disk?.logs.get(name) ?? nothing,
        })),
        volumes,
      };
      return [uid, use];
    }),
  );
}

/** What a pod uses of the disk, to hold against its limits; undefined where it was not measured. */
export function storageUse(picture: Picture, disks: Disks, podUID: string): StorageUse | undefined {
  const group = picture.pods.find(({ pod }) => pod.metadata.uid === podUID);
  const disk = disks.pods.get(podUID);
  if (!group || !disk) return undefined;
  return {
    volumes: new Map(disk.volumes.map(({ name, usage }) => [name, usage.bytes])),
    total: ephemeralBytes(group, disks, disk).bytes,
    containers: new Map(
      group.containers.map(({ name, id }) => [
        name,
        (disks.layers.get(id)?.bytes ?? 0) + (disk.logs.get(name)?.bytes ?? 0),
      ]),
    ),
  };
}

function isHostPath({ spec }: PodUse["pod"], name: string): boolean {
  return spec?.volumes?.find((volume) => volume.name === name)?.hostPath !== undefined;
}
