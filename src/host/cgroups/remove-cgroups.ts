/** Control groups, of version 1 (a hierarchy a controller) and 2 (one for all), as directories. */
import { readdir, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";

const ROOT = "/sys/fs/cgroup";

/** The paths of the group in every hierarchy that has it. */
export async function cgroupDirectories(path: string): Promise<string[]> {
  const names = await readdir(ROOT, { withFileTypes: true }).catch(() => []);
  const hierarchies = [
    ROOT,
    ...names.flatMap((entry) => (entry.isDirectory() ? [join(ROOT, entry.name)] : [])),
  ];
  const found = await Promise.all(
    hierarchies.map(async (hierarchy) => {
      const directory = join(hierarchy, path);
      return readdir(directory).then(
        (names) => (names.includes("cgroup.procs") ? [directory] : []),
        () => [],
      );
    }),
  );
  return found.flat();
}

/**
 * Removes the groups with those below them, and the group above where that is the default one of containers and nothing
 * is in it any more. Groups with processes stay.
 */
export async function removeCgroups(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    for (const directory of await cgroupDirectories(path)) await removeTree(directory);
    const above = dirname(path);
    if (above !== "/k8s.io") continue;
    for (const directory of await cgroupDirectories(above)) await rmdir(directory).catch(ifBusyOrGone);
  }
}

async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  await rmdir(directory).catch(ifBusyOrGone);
}

function ifBusyOrGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "EBUSY" && error.code !== "ENOENT") throw error;
}
