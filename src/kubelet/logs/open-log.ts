/** Opens a container's log such that nobody in a container decides what file that is. */
import { constants } from "node:fs";
import { type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";

export class LogFileError extends Error {}

/**
 * Opens `path`, which must be a regular file below `root`, after all symbolic links of directories are followed; the
 * file itself must be none: a link in place of a log would show any file of the node. Throws
 * LogFileError, or ENOENT of the system.
 */
export async function openLog(path: string, root: string): Promise<FileHandle> {
  const [realRoot, directory] = await Promise.all([realpath(root), realpath(dirname(path))]);
  const real = join(directory, basename(path));
  if (!real.startsWith(realRoot + sep)) throw new LogFileError(`${path} is not a log of a pod`);
  // O_NONBLOCK: a pipe in place of the log must not hold the opening up.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(real, flags).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ELOOP" ? new LogFileError(`${path} is not a log of a pod`) : error;
  });
  try {
    // Directories may have been exchanged meanwhile: what was opened says itself where it is.
    const opened = await readlink(`/proc/self/fd/${file.fd}`);
    if (!opened.startsWith(realRoot + sep) || !(await file.stat()).isFile()) {
      throw new LogFileError(`${path} is not a log of a pod`);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
