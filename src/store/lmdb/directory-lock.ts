import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreUnavailable } from "../store.ts";

/**
 * Makes this process the only one that uses a store's directory. The lock is the operating system's and ends with the
 * process however that ends. Node has no call for such locks; SQLite takes one on an (empty) file of its own.
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, "lock");
  makeFile(path);
  const lock = new DatabaseSync(path);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw new StoreUnavailable(
      `the store in ${directory} is in use by another process: stop it, or choose another data directory`,
      { cause: error },
    );
  }
  let locked = true;
  return () => {
    if (locked) lock.close();
    locked = false;
  };
}

/** Never opens a file that is there: to close it would take away the locks this process has on it (POSIX). */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
