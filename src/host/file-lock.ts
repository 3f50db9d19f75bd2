/**
 * Locks by which a process is the only one that does something. They are the operating system's and end with the process
 * however that ends. Node has no call for such locks; SQLite takes one on an (empty) file of its own.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** Undefined where another process has it; else what gives it back. The file is made and stays. */
export function lockFile(path: string): (() => void) | undefined {
  makeFile(path);
  const lock = new DatabaseSync(path);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch {
    lock.close();
    return undefined;
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
