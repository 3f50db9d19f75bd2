/** What file systems and directories take up on the disk. */
import { lstat, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";

export interface FileSystem {
  capacity: number;
  available: number;
  used: number;
  inodes: number;
  inodesFree: number;
}

export interface DiskUsage {
  bytes: number;
  inodes: number;
}

export const NOTHING: DiskUsage = { bytes: 0, inodes: 0 };
/** What stat counts blocks in, whatever those of the file system are. */
const BLOCK = 512;

/** The one that holds the path. */
export async function fileSystem(path: string): Promise<FileSystem> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
  return {
    capacity: blocks * bsize,
    available: bavail * bsize,
    used: (blocks - bfree) * bsize,
    inodes: files,
    inodesFree: ffree,
  };
}

/**
 * Of a directory or file with all in it, as far as it is on the same file system; a file of several names counts once.
 * Nothing where there is none. What goes away meanwhile does not count.
 */
export async function diskUsage(path: string): Promise<DiskUsage> {
  const top = await found(path);
  if (!top) return NOTHING;
  const usage = { bytes: top.blocks * BLOCK, inodes: 1 };
  const links = new Set<number>();
  const directories = top.isDirectory() ? [path] : [];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const names = await readdir(directory).catch(() => []);
    const parent = directory;
    for (const stat of await inTurns(names, (name) => found(join(parent, name)))) {
      if (!stat || stat.dev !== top.dev) continue;
      if (stat.nlink > 1 && !stat.isDirectory()) {
        if (links.has(stat.ino)) continue;
        links.add(stat.ino);
      }
      usage.bytes += stat.blocks * BLOCK;
      usage.inodes++;
      if (stat.isDirectory()) directories.push(join(directory, stat.name));
    }
  }
  return usage;
}

/** Few at a time: the threads that ask are those that all of the program reads files with. */
const AT_ONCE = 2;

async function inTurns<T>(names: readonly string[], ask: (name: string) => Promise<T | undefined>) {
  const all: (T & { name: string })[] = [];
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE);
    for (const [i, answer] of (await Promise.all(some.map(ask))).entries()) {
      if (answer) all.push(Object.assign(answer, { name: some[i]! }));
    }
  }
  return all;
}

async function found(path: string) {
  try {
    return await lstat(path);
  } catch {
    return undefined;
  }
}
