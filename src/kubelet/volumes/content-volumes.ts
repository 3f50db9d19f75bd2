/** configMap, secret, downwardAPI and projected volumes: files that follow what they are made of. */
import { chmodSync, mkdirSync } from "node:fs";
import { chmod, mkdir, rm, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { writeAtomically, writeNow } from "./atomic-writer.ts";
import { type ContentPorts, gather } from "./content-sources.ts";
import { giveToGroup } from "./ownership.ts";
import type { Payload } from "./payload.ts";
import { fsGroupOf } from "./pod-volume-use.ts";
import type { MountedVolume, VolumePlugin, VolumeRequest } from "./volume-plugin.ts";

interface Kind {
  source: "configMap" | "secret" | "downwardAPI" | "projected";
  directory: string;
  /** Whether its contents must not come onto a disk. */
  isSecret: boolean;
}

const KINDS: readonly Kind[] = [
  { source: "configMap", directory: "kubernetes.io~configmap", isSecret: false },
  { source: "secret", directory: "kubernetes.io~secret", isSecret: true },
  { source: "downwardAPI", directory: "kubernetes.io~downward-api", isSecret: true },
  { source: "projected", directory: "kubernetes.io~projected", isSecret: true },
];

export interface ContentVolumePorts extends ContentPorts {
  clock: Clock;
  /** Resolves when the memory that all pods share is mounted. */
  volatileReady(): Promise<void>;
}

export function contentPlugins(ports: ContentVolumePorts): VolumePlugin[] {
  return KINDS.map((kind) => contentPlugin(ports, kind));
}

function contentPlugin(ports: ContentVolumePorts, { source, directory, isSecret }: Kind): VolumePlugin {
  /** What was last written, so that what did not change is not even read again. */
  const written = new Map<string, Payload>();
  const set = async (request: VolumeRequest): Promise<MountedVolume> => {
    const { pod, paths, volume } = request;
    const { payload, renewAt } = await gather(ports, pod, volume);
    const place = isSecret
      ? paths.volatileVolume(directory, volume.name)
      : paths.volume(directory, volume.name);
    const mounted: MountedVolume = { hostPath: place, readOnly: true, renewAt };
    const before = written.get(place);
    if (before && isSame(before, payload)) return mounted;
    const isNew = await makePlace(ports, request, { source, directory, isSecret }, place);
    const group = fsGroupOf(pod);
    if (isNew && group === undefined) {
      writeNow(place, payload, ports.clock.now());
      written.set(place, payload);
      return mounted;
    }
    const own = group === undefined ? undefined : { group, readOnly: true };
    await writeAtomically(place, payload, ports.clock.now(), async (fresh) => {
      if (own) await giveToGroup(fresh, own);
    });
    if (own) await giveToGroup(place, { ...own, policy: "OnRootMismatch" });
    written.set(place, payload);
    return mounted;
  };
  return {
    directory,
    keepsUp: true,
    owns: ({ volume }) => volume[source] !== undefined,
    setUp: set,
    async tearDown({ pod, volatile }) {
      for (const place of written.keys())
        if (place.startsWith(`${isSecret ? volatile : pod}/`)) written.delete(place);
    },
  };
}

/** Whether it was made in memory just now. */
async function makePlace(
  ports: ContentVolumePorts,
  { paths, volume }: VolumeRequest,
  { directory, isSecret }: Kind,
  place: string,
): Promise<boolean> {
  if (!isSecret) {
    await mkdir(place, { recursive: true, mode: 0o750 });
    await chmod(place, 0o777);
    return false;
  }
  await ports.volatileReady();
  const isNew = mkdirSync(place, { recursive: true, mode: 0o750 }) !== undefined;
  chmodSync(place, 0o777);
  // Where upstream has the volume itself.
  const link = paths.volume(directory, volume.name);
  await mkdir(dirname(link), { recursive: true, mode: 0o750 });
  await symlink(place, link).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    await rm(link, { recursive: true, force: true });
    await symlink(place, link);
  });
  return isNew;
}

function isSame(a: Payload, b: Payload): boolean {
  if (a.size !== b.size) return false;
  for (const [path, { data, mode, user }] of a) {
    const other = b.get(path);
    if (!other || other.mode !== mode || other.user !== user) return false;
    if (Buffer.compare(data, other.data) !== 0) return false;
  }
  return true;
}
