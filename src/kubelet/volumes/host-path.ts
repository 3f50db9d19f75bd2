/** hostPath: a file or directory of the node, checked to be what the volume says it is. */
import type { Stats } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import type { HostPathVolumeSource } from "../../api/schema/core.v1.generated.ts";
import { VolumeError, type VolumePlugin } from "./volume-plugin.ts";

export const hostPathPlugin: VolumePlugin = {
  directory: "kubernetes.io~host-path",
  owns: ({ volume, persistent }) => (persistent ? persistent.volume.spec : volume)?.hostPath !== undefined,
  async setUp({ volume, persistent }) {
    const source = (persistent ? persistent.volume.spec : volume)?.hostPath as HostPathVolumeSource;
    await checkHostPath(source.path, source.type ?? "");
    return { hostPath: source.path, readOnly: volume.persistentVolumeClaim?.readOnly ?? false };
  },
};

type Check = (stats: Stats) => boolean;

const CHECKS: ReadonlyMap<string, { is: Check; name: string }> = new Map([
  ["Directory", { is: (stats: Stats) => stats.isDirectory(), name: "a directory" }],
  ["DirectoryOrCreate", { is: (stats: Stats) => stats.isDirectory(), name: "a directory" }],
  ["File", { is: (stats: Stats) => stats.isFile(), name: "a file" }],
  ["FileOrCreate", { is: (stats: Stats) => stats.isFile(), name: "a file" }],
  ["Socket", { is: (stats: Stats) => stats.isSocket(), name: "a socket file" }],
  ["CharDevice", { is: (stats: Stats) => stats.isCharacterDevice(), name: "a character device" }],
  ["BlockDevice", { is: (stats: Stats) => stats.isBlockDevice(), name: "a block device" }],
]);

async function checkHostPath(path: string, type: string): Promise<void> {
  if (type === "") return;
  const check = CHECKS.get(type);
  if (!check) throw new VolumeError(`${type} is an invalid volume type`);
  const stats = (await statOf(path)) ?? (await make(path, type));
  if (stats && check.is(stats)) return;
  throw new VolumeError(`hostPath type check failed: ${path} is not ${check.name}`);
}

async function make(path: string, type: string): Promise<Stats | undefined> {
  if (type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: 0o755 });
  else if (type === "FileOrCreate") await (await open(path, "a", 0o644)).close();
  return statOf(path);
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
