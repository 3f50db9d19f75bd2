/**
 * Writes the files of a volume so that its readers see all of the old or all of the new:
 *
 *   key          → ..data/key
 *   ..data       → ..2026_11_21_16_30_00.1234567890
 *   ..2026_…/key   the file
 *
 * New contents go into a new directory; then `..data` is exchanged by one rename. Pods may have written into the volume
 * whatever they wanted: no link of theirs is followed, what is found in the place of a directory of ours is not entered.
 */
import { randomInt } from "node:crypto";
import { chmodSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import {
  chmod,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Payload, PayloadFile } from "./payload.ts";
import { VolumeError } from "./volume-plugin.ts";

const DATA = "..data";
const DATA_NEW = "..data_tmp";
const LONGEST_PATH = 4096;

/**
 * Brings the directory to hold the payload and nothing else. `finish` is called with the new directory before anybody
 * sees it. Returns whether anything changed.
 */
export async function writeAtomically(
  directory: string,
  payload: Payload,
  now: number,
  finish: (directory: string) => Promise<void> = async () => {},
): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path);
  const current = await currentDirectory(directory);
  const wanted = topNames(payload);
  if (current !== undefined && (await holds(join(directory, current), payload))) {
    await showNames(directory, wanted);
    return false;
  }
  const fresh = await mkdtemp(join(directory, `..${stamp(now)}.`));
  try {
    await chmod(fresh, 0o755);
    await writeFiles(fresh, payload);
    await finish(fresh);
    await point(directory, fresh.slice(directory.length + 1));
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  await showNames(directory, wanted);
  await removeStale(directory, wanted, fresh.slice(directory.length + 1));
  return true;
}

/**
 * As `writeAtomically`, into an empty directory of memory that no pod has seen: without threads, each of whose answers
 * would be waited for longer than all of this takes.
 */
export function writeNow(directory: string, payload: Payload, now: number): void {
  for (const path of payload.keys()) checkPath(path);
  const name = `..${stamp(now)}`;
  const fresh = join(directory, name);
  makeReadable(fresh);
  for (const one of directoriesOf(payload)) makeReadable(join(fresh, one));
  for (const [path, { data, mode, user }] of payload) {
    const file = join(fresh, path);
    writeFileSync(file, data, { mode, flag: "wx" });
    chmodSync(file, mode);
    if (user !== undefined) lchownSync(file, user, 0);
  }
  symlinkSync(name, join(directory, DATA));
  for (const shown of topNames(payload)) symlinkSync(`${DATA}/${shown}`, join(directory, shown));
}

function makeReadable(directory: string): void {
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
}

/** Those that its files are in, below the volume's own, each after the one that it is in. */
function directoriesOf(payload: Payload): string[] {
  return [...new Set([...payload.keys()].map((path) => dirname(path)))].filter((one) => one !== ".").sort();
}

function checkPath(path: string): void {
  const parts = path.split("/");
  const wrong =
    path === "" ||
    path.startsWith("/") ||
    path.length > LONGEST_PATH ||
    path.startsWith("..") ||
    path.includes("\0") ||
    parts.some((part) => part === ".." || part.length > 255);
  if (wrong) throw new VolumeError(`invalid path ${JSON.stringify(path)} of a file in a volume`);
}

/** The directory that `..data` names, where both are as this module makes them. */
async function currentDirectory(directory: string): Promise<string | undefined> {
  try {
    const name = await readlink(join(directory, DATA));
    if (!name.startsWith("..") || name === ".." || name.includes("/")) return undefined;
    return (await lstat(join(directory, name))).isDirectory() ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the directory has these files and no others. */
async function holds(directory: string, payload: Payload): Promise<boolean> {
  const left = new Map(payload);
  const look = async (at: string, prefix: string): Promise<boolean> => {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const path = `${prefix}${entry.name}`;
      if (entry.isDirectory()) {
        if (!(await look(join(at, entry.name), `${path}/`))) return false;
        continue;
      }
      const file = left.get(path);
      if (!file || !entry.isFile() || !(await isSame(join(at, entry.name), file))) return false;
      left.delete(path);
    }
    return true;
  };
  return (await look(directory, "")) && left.size === 0;
}

async function isSame(path: string, { data }: PayloadFile): Promise<boolean> {
  const stats = await lstat(path);
  return stats.size === data.length && (await readFile(path)).equals(data);
}

async function writeFiles(directory: string, payload: Payload): Promise<void> {
  for (const one of directoriesOf(payload)) {
    const path = join(directory, one);
    await mkdir(path, { recursive: true, mode: 0o755 });
  }
  await Promise.all(
    [...payload].map(async ([name, { data, mode, user }]) => {
      const path = join(directory, name);
      await writeFile(path, data, { mode, flag: "wx" });
      // The umask has had its say when the file was made.
      await chmod(path, mode);
      if (user !== undefined) await lchown(path, user, 0);
    }),
  );
}

async function point(directory: string, name: string): Promise<void> {
  const fresh = join(directory, DATA_NEW);
  await rm(fresh, { recursive: true, force: true });
  await symlink(name, fresh);
  await rename(fresh, join(directory, DATA)).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EISDIR") throw error;
    // A pod made a directory of it.
    await rm(join(directory, DATA), { recursive: true, force: true });
    await rename(fresh, join(directory, DATA));
  });
}

async function showNames(directory: string, names: ReadonlySet<string>): Promise<void> {
  await Promise.all(
    [...names].map(async (name) => {
      const path = join(directory, name);
      const target = `${DATA}/${name}`;
      if ((await readlink(path).catch(() => undefined)) === target) return;
      await rm(path, { recursive: true, force: true });
      await symlink(target, path);
    }),
  );
}

/** Names that are no more, and the directories of before. */
async function removeStale(directory: string, names: ReadonlySet<string>, current: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name === DATA || name === current || names.has(name)) continue;
    const path = join(directory, name);
    const isOurs = name.startsWith("..") || (await readlink(path).catch(() => "")).startsWith(`${DATA}/`);
    if (isOurs) await rm(path, { recursive: true, force: true });
  }
}

function topNames(payload: Payload): Set<string> {
  return new Set([...payload.keys()].map((path) => path.split("/")[0] as string));
}

function stamp(now: number): string {
  const time = new Date(now).toISOString();
  const digits = String(randomInt(1e9)).padStart(9, "0");
  return `${time.slice(0, 10).replaceAll("-", "_")}_${time.slice(11, 19).replaceAll(":", "_")}.${digits}`;
}
