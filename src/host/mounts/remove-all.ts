import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Removes all at and below the path; nothing where there is nothing. A directory that is a disk of its own is emptied, and
 * stays.
 */
export async function removeAll(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    for (const name of await readdir(path)) await removeAll(join(path, name));
  }
}
