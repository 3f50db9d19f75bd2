/** Opens files of logs such that nobody in a container decides what file that is. */
import { constants } from "node:fs";
import { type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";

export class LogFileError extends Error {}

/**
 * Opens a container's log: `path`, which must be a regular file below `root`, after all symbolic links of directories
 * are followed; the file itself must be none: a link in place of a log would show any file of the node. Throws
 * LogFileError, or ENOENT of the system.
 */
export async function openLog(path: string, root: string): Promise<FileHandle> {
  const refusal = new LogFileError(`${path} is not a log of a pod`);
  const [realRoot, directory] = await Promise.all([realpath(root), realpath(dirname(path))]);
  const file = await openReal(join(directory, basename(path)), realRoot, refusal);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw refusal;
}

/**
 * Opens `path`, which must be `root` or below it, after all symbolic links are followed. Throws LogFileError, or ENOENT
 * of the system.
 */
export async function openBelow(path: string, root: string): Promise<FileHandle> {
  const [realRoot, real] = await Promise.all([realpath(root), realpath(path)]);
  return openReal(real, realRoot, new LogFileError(`${path} is not below ${root}`));
}

async function openReal(real: string, root: string, refusal: LogFileError): Promise<FileHandle> {
  const isBelow = (path: string): boolean => path === root || path.startsWith(root + sep);
  if (!isBelow(real)) throw refusal;
  // O_NONBLOCK: a pipe in place of the log must not hold the opening up.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(real, flags).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ELOOP" ? refusal : error;
  });
  // Directories may have been exchanged meanwhile: what was opened says itself where it is.
  const opened = await readlink(`/proc/self/fd/${file.fd}`).catch(() => "");
  if (isBelow(opened)) return file;
  await file.close();
  throw refusal;
}
