/**
 * What pods take up on the node's disk: the volumes that are directories of it, their logs, their /etc/hosts. Directories
 * are measured when somebody asks, and what was found holds for some seconds, up to a minute where measuring takes long.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { KubeletPaths } from "../ports.ts";
import { type DiskUsage, diskUsage, type FileSystem, fileSystem } from "./disk-usage.ts";

export interface VolumeUsage {
  name: string;
  /** Of the file system that it is on. */
  system: FileSystem;
  usage: DiskUsage;
  /** Whether it is a part of the node's own disk, and no mount of something else. */
  isLocal: boolean;
}

export interface PodDisk {
  /** Milliseconds since 1970. */
  at: number;
  volumes: VolumeUsage[];
  /** By container. */
  logs: ReadonlyMap<string, DiskUsage>;
  hosts: DiskUsage;
}

/** Milliseconds that what was found holds: the longer it took, the longer. */
const SHORTEST = 9_000;
const LONGEST = 60_000;
const TIMES = 100;

export class PodDisks {
  private readonly paths: Pick<KubeletPaths, "root" | "podLogs">;
  private readonly now: () => number;
  private readonly kept = new Map<string, { until: number; disk: Promise<PodDisk> }>();
  /** One pod at a time: measuring must not keep the disk from those who use it. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(paths: Pick<KubeletPaths, "root" | "podLogs">, now: () => number) {
    this.paths = paths;
    this.now = now;
  }

  of(pod: Pod): Promise<PodDisk> {
    const uid = pod.metadata.uid ?? "";
    const known = this.kept.get(uid);
    if (known && this.now() < known.until) return known.disk;
    const disk = this.last.then(async () => {
      const began = this.now();
      const found = await this.measure(pod);
      kept.until = this.now() + Math.min(Math.max((this.now() - began) * TIMES, SHORTEST), LONGEST);
      return found;
    });
    const kept = { until: Number.POSITIVE_INFINITY, disk };
    this.last = disk.catch(() => {});
    this.kept.set(uid, kept);
    disk.catch(() => this.kept.delete(uid));
    return disk;
  }

  /** Forgets pods that are gone. */
  keep(uids: ReadonlySet<string>): void {
    for (const uid of this.kept.keys()) if (!uids.has(uid)) this.kept.delete(uid);
  }

  private async measure(pod: Pod): Promise<PodDisk> {
    const { namespace, name, uid = "" } = pod.metadata;
    const directory = join(this.paths.root, "pods", uid);
    const device = await stat(directory).then(
      ({ dev }) => dev,
      () => undefined,
    );
    const volumes: VolumeUsage[] = [];
    const places = await volumePlaces(join(directory, "volumes"));
    for (const volume of pod.spec?.volumes ?? []) {
      // Those of claims are under the names of what they are bound to, which the pod does not tell.
      const place = places.get(volume.name);
      if (place !== undefined) volumes.push(await measureVolume(volume.name, place, device));
    }
    const logs = new Map<string, DiskUsage>();
    const logRoot = join(this.paths.podLogs, `${namespace}_${name}_${uid}`);
    for (const container of await readdir(logRoot).catch(() => [])) {
      logs.set(container, await diskUsage(join(logRoot, container)));
    }
    return { at: this.now(), volumes, logs, hosts: await diskUsage(join(directory, "etc-hosts")) };
  }
}

async function measureVolume(name: string, path: string, device: number | undefined): Promise<VolumeUsage> {
  const [system, own] = await Promise.all([fileSystem(path), stat(path)]);
  const isLocal = own.dev === device;
  // Another file system knows what is used of it; of the node's own disk only a part is the volume.
  const usage = isLocal
    ? await diskUsage(path)
    : { bytes: system.used, inodes: system.inodes - system.inodesFree };
  return { name, system, usage, isLocal };
}

/** Where volumes are, by the names of their directories: `volumes/<plugin>/<name>`. */
async function volumePlaces(root: string): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const plugin of await readdir(root).catch(() => [])) {
    for (const name of await readdir(join(root, plugin)).catch(() => []))
      places.set(name, join(root, plugin, name));
  }
  return places;
}
