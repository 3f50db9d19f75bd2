/** Log files that do not grow for ever. */
import { watch } from "node:fs";
import { copyFile, rename, stat, truncate } from "node:fs/promises";

const LARGEST = 20 << 20;
/** How many older ones are kept beside it: `<path>.1` is the newest. */
const OLDER = 3;

/**
 * Copies the file away and empties it each time it gets too large. Whoever writes it must have opened it to append. Told
 * by the kernel of each write; the returned function ends it.
 */
export function keepLogSmall(path: string, largest = LARGEST): () => void {
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      if ((await stat(path)).size > largest) await rotate(path);
    } catch {
      // The file is gone, or the disk is full: what is written goes on as it does.
    } finally {
      busy = false;
    }
  };
  try {
    const watcher = watch(path, { persistent: false }, () => void look());
    watcher.on("error", () => {});
    return () => watcher.close();
  } catch {
    return () => {};
  }
}

async function rotate(path: string): Promise<void> {
  for (let i = OLDER; i > 1; i--) await rename(`${path}.${i - 1}`, `${path}.${i}`).catch(() => {});
  await copyFile(path, `${path}.1`);
  await truncate(path);
}
