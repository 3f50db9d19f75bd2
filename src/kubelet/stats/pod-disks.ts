/**
 * What pods take up on the node's disk: the volumes that are directories of it, their logs, their /etc/hosts. Directories
 * are measured when somebody asks, and what was found holds for some seconds, up to a minute where measuring takes long.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Pod, Volume } from "../../api/schema/core.v1.generated.ts";
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

  /** `rootOf`: the file system as a container sees it, such as `/proc/<pid>/root`; undefined where it does not run. */
  of(pod: Pod, rootOf: RootOf = () => undefined): Promise<PodDisk> {
    const uid = pod.metadata.uid ?? "";
    const known = this.kept.get(uid);
    if (known && this.now() < known.until) return known.disk;
    const disk = this.last.then(async () => {
      const began = this.now();
      const found = await this.measure(pod, rootOf);
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

  private async measure(pod: Pod, rootOf: RootOf): Promise<PodDisk> {
    const { namespace, name, uid = "" } = pod.metadata;
    const directory = join(this.paths.root, "pods", uid);
    const device = await stat(directory).then(
      ({ dev }) => dev,
      () => undefined,
    );
    const volumes: VolumeUsage[] = [];
    const places = await volumePlaces(join(directory, "volumes"));
    for (const volume of pod.spec?.volumes ?? []) {
      // A claim's is no part of what the pod takes, wherever it is: its file system alone is asked, however large.
      const claims = claimOf(pod, volume) !== undefined;
      const place = claims ? seen(pod, volume, rootOf) : places.get(volume.name);
      const own = claims ? undefined : device;
      const measured = place === undefined ? undefined : await measureVolume(volume.name, place, own);
      if (measured) volumes.push(measured);
    }
    const logs = new Map<string, DiskUsage>();
    const logRoot = join(this.paths.podLogs, `${namespace}_${name}_${uid}`);
    for (const container of await readdir(logRoot).catch(() => [])) {
      logs.set(container, await diskUsage(join(logRoot, container)));
    }
    return { at: this.now(), volumes, logs, hosts: await diskUsage(join(directory, "etc-hosts")) };
  }
}

type RootOf = (container: string) => string | undefined;

/** Undefined where it was just taken away. */
async function measureVolume(
  name: string,
  path: string,
  device: number | undefined,
): Promise<VolumeUsage | undefined> {
  try {
    const [system, own] = await Promise.all([fileSystem(path), stat(path)]);
    const isLocal = own.dev === device;
    // Another file system knows what is used of it; of the node's own disk only a part is the volume.
    const usage = isLocal
      ? await diskUsage(path)
      : { bytes: system.used, inodes: system.inodes - system.inodesFree };
    return { name, system, usage, isLocal };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The claim that a volume is of. */
export function claimOf({ metadata }: Pod, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName;
  return volume.ephemeral ? `${metadata.name}-${volume.name}` : undefined;
}

/** Where a container has it: drivers of volumes keep them where they like. */
function seen({ spec }: Pod, { name }: Volume, rootOf: RootOf): string | undefined {
  for (const container of spec?.containers ?? []) {
    const mount = container.volumeMounts?.find(
      (each) => each.name === name && !each.subPath && !each.subPathExpr,
    );
    const root = mount && rootOf(container.name);
    if (root !== undefined) return join(root, mount!.mountPath);
  }
  return undefined;
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
