/**
 * Opens files of directories that others may change at any moment. Node has no openat: `/proc/self/fd/<n>/<name>` is the
 * same, as the kernel goes from the open directory and not from its path. No link is ever followed, so that whatever is
 * exchanged meanwhile, what is opened is inside.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";

/** A reference to the file and no more: neither read nor written, so devices and pipes are left alone. */
const O_PATH = 0o10000000;
const { O_NOFOLLOW, O_DIRECTORY } = constants;

/** A part of the path is a link, or no directory. */
export class NotBeneathError extends Error {
  constructor(path: string, why: string) {
    super(`${path} ${why}`);
    this.name = "NotBeneathError";
  }
}

/** Where the file of a handle is as long as the handle is open, for other programs too. */
export function pathOfHandle(handle: FileHandle): string {
  return `/proc/${process.pid}/fd/${handle.fd}`;
}

export interface Beneath {
  handle: FileHandle;
  stats: Stats;
}

/**
 * The file at `parts` below the directory `base`, by a handle that the caller closes. `makeMode`: directories that are
 * missing are made, with this mode. Throws NotBeneathError where a part is a link.
 */
export async function openBeneath(
  base: string,
  parts: readonly string[],
  makeMode?: number,
): Promise<Beneath> {
  let handle = await open(base, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  try {
    let stats = await handle.stat();
    for (const [i, part] of parts.entries()) {
      if (part === "" || part === "." || part === ".." || part.includes("/") || part.includes("\0")) {
        throw new NotBeneathError(JSON.stringify(part), "is no name of a file");
      }
      const path = `/proc/self/fd/${handle.fd}/${part}`;
      const next = await openPart(path, makeMode);
      await handle.close();
      handle = next;
      stats = await handle.stat();
      const shown = parts.slice(0, i + 1).join("/");
      if (stats.isSymbolicLink()) throw new NotBeneathError(shown, "is a symbolic link");
      if (i < parts.length - 1 && !stats.isDirectory()) throw new NotBeneathError(shown, "is no directory");
    }
    return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openPart(path: string, makeMode: number | undefined): Promise<FileHandle> {
  try {
    return await open(path, O_PATH | O_NOFOLLOW);
  } catch (error) {
    if (makeMode === undefined || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  let made = true;
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    // Another container of the pod was faster.
    if (error.code !== "EEXIST") throw error;
    made = false;
  });
  const handle = await open(path, O_PATH | O_NOFOLLOW);
  try {
    if (made && (await handle.stat()).isDirectory()) await changeMode(handle, makeMode);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** By what is open, whatever is at its path by now. */
async function changeMode(handle: FileHandle, mode: number): Promise<void> {
  const directory = await open(`/proc/self/fd/${handle.fd}/.`, constants.O_RDONLY | O_DIRECTORY);
  try {
    await directory.chmod(mode);
  } finally {
    await directory.close();
  }
}
