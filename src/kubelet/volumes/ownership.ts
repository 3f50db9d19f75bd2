/** Gives volumes to the group of the pod (fsGroup), so that its users can read and write them. */
import type { Dirent, Stats } from "node:fs";
import { chmod, lchown, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export type FSGroupChangePolicy = "Always" | "OnRootMismatch";

const SETGID = 0o2000;
const READ_WRITE = 0o660;
const READ = 0o440;
const ENTER = 0o110;
/** So many files are changed at the same time. */
const AT_ONCE = 64;

export interface Ownership {
  group: number;
  readOnly?: boolean;
  policy?: string;
}

/** Whoever owned a file before owns it still; its group may now read it, and write it unless the volume is read-only. */
export async function giveToGroup(path: string, ownership: Ownership): Promise<void> {
  const stats = await lstat(path);
  if (ownership.policy === "OnRootMismatch" && isGiven(stats, ownership)) return;
  // The root comes last: where this is cut short, the next try sees that there is something left to do.
  if (stats.isDirectory()) await giveContents(path, ownership);
  await give(path, stats, ownership);
}

function isGiven(stats: Stats, ownership: Ownership): boolean {
  const wanted = modeOf(stats, ownership);
  return stats.gid === ownership.group && (stats.mode & wanted) === wanted;
}

function modeOf(stats: Stats, { readOnly }: Ownership): number {
  const mode = readOnly ? READ : READ_WRITE;
  return stats.isDirectory() ? mode | ENTER | SETGID : mode;
}

async function giveContents(directory: string, ownership: Ownership): Promise<void> {
  const entries: Dirent[] = await readdir(directory, { withFileTypes: true });
  for (let i = 0; i < entries.length; i += AT_ONCE) {
    await Promise.all(
      entries.slice(i, i + AT_ONCE).map(async ({ name }) => {
        const path = join(directory, name);
        const stats = await lstat(path);
        if (stats.isDirectory()) await giveContents(path, ownership);
        await give(path, stats, ownership);
      }),
    );
  }
}

async function give(path: string, stats: Stats, ownership: Ownership): Promise<void> {
  // The change of owner clears bits of the mode: that comes after it.
  if (stats.gid !== ownership.group) await lchown(path, stats.uid, ownership.group);
  if (stats.isSymbolicLink()) return;
  const mode = (stats.mode & 0o7777) | modeOf(stats, ownership);
  if (stats.gid !== ownership.group || mode !== (stats.mode & 0o7777)) await chmod(path, mode);
}
