import { rm } from "node:fs/promises";
import type { Mounts } from "./mounts.ts";

/** Something is still mounted in a tree that was to be removed: removing would delete what is mounted there. */
export class StillMountedError extends Error {
  constructor(path: string, targets: readonly string[]) {
    super(`${path} is not removed: something is mounted at ${targets.join(", ")}`);
    this.name = "StillMountedError";
  }
}

/** Removes a directory with all that is in it. Links are removed and not followed, and mounts are never entered. */
export async function removeTree(mounts: Pick<Mounts, "below">, path: string): Promise<void> {
  const left = await mounts.below(path);
  if (left.length > 0) {
    throw new StillMountedError(
      path,
      left.map(({ target }) => target),
    );
  }
  await rm(path, { recursive: true, force: true });
}
