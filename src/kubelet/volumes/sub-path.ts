/**
 * Shows containers a part of a volume. The pods that use the volume may exchange its directories for links to anywhere at
 * any moment, so the part is not given to the runtime by its path: it is opened step by step without following a link,
 * and what is open is mounted at a place that no pod can reach.
 */
import type { Stats } from "node:fs";
import { lstat, mkdir, open, realpath, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import type { Mounts } from "../../host/mounts/mounts.ts";
import { openBeneath, pathOfHandle } from "../../host/mounts/open-beneath.ts";

/**
 * Mounts `subPath` of the volume at `target`, where a container finds it. Made as a directory where it is missing, unless
 * nothing can be made there.
 */
export async function mountSubPath(
  mounts: Mounts,
  volume: string,
  subPath: string,
  target: string,
  { make = true }: { make?: boolean } = {},
): Promise<void> {
  // Links that stay inside the volume are fine, as those of ConfigMaps; those that are exchanged later are not followed.
  const base = await realpath(volume);
  const parts = await resolved(base, subPath);
  const mode = make ? (await stat(base)).mode & 0o7777 : undefined;
  const { handle, stats } = await openBeneath(base, parts, mode).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? new Error(`subpath ${JSON.stringify(subPath)} does not exist`) : error;
  });
  try {
    if (await isThere(mounts, target, stats)) return;
    await makeTarget(target, stats);
    await mounts.bind(pathOfHandle(handle), target);
    const shown = await stat(target);
    if (shown.ino !== stats.ino || shown.dev !== stats.dev) {
      await mounts.unmountBelow(target);
      throw new Error(`${target} does not show what was opened`);
    }
  } finally {
    await handle.close();
  }
}

/** The names from the volume to the part, links followed as they are now. Throws where they lead outside. */
async function resolved(base: string, subPath: string): Promise<string[]> {
  const wanted = resolve(base, subPath);
  let existing = wanted;
  let missing = "";
  for (;;) {
    const real = await realpath(existing).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (real !== undefined) {
      const path = relative(base, resolve(real, missing));
      if (path === ".." || path.startsWith("../")) {
        throw new Error(`subpath ${JSON.stringify(wanted)} not within volume path ${JSON.stringify(base)}`);
      }
      return path === "" ? [] : path.split("/");
    }
    // A link to nowhere must not be taken for something that is to be made.
    if (await lstat(existing).catch(() => undefined)) {
      throw new Error(`subpath ${JSON.stringify(wanted)} leads through a link to nothing`);
    }
    missing =
      missing === ""
        ? existing.slice(dirname(existing).length + 1)
        : `${existing.slice(dirname(existing).length + 1)}/${missing}`;
    existing = dirname(existing);
  }
}

async function isThere(mounts: Mounts, target: string, wanted: Stats): Promise<boolean> {
  if (!(await mounts.isMountPoint(target))) return false;
  const shown = await stat(target).catch(() => undefined);
  if (shown?.ino === wanted.ino && shown.dev === wanted.dev) return true;
  await mounts.unmountBelow(target);
  return false;
}

async function makeTarget(target: string, stats: Stats): Promise<void> {
  // What the part was before, it need not be now.
  const before = await lstat(target).catch(() => undefined);
  if (before && before.isDirectory() !== stats.isDirectory()) {
    await (before.isDirectory() ? rmdir(target) : unlink(target));
  }
  if (stats.isDirectory()) {
    await mkdir(target, { recursive: true, mode: 0o750 });
    return;
  }
  await mkdir(dirname(target), { recursive: true, mode: 0o750 });
  await (await open(target, "a", 0o640)).close();
}
