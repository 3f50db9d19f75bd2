/** Unmounts what was left behind, whoever still uses it. */
import { runCommand } from "../command.ts";
import { openMounts, shownPath } from "./mounts.ts";

/**
 * Detaches all mounts at and below the paths: each ends with its last user. Any number of times. `keep`: those at the paths
 * stay, which are disks that somebody has for them.
 */
export async function detachBelow(
  paths: readonly string[],
  { keep = false }: { keep?: boolean } = {},
): Promise<void> {
  const mounts = openMounts();
  for (let last = Number.POSITIVE_INFINITY; ; ) {
    const found = await Promise.all(paths.map((path) => mounts.below(path)));
    const own = keep ? await Promise.all(paths.map(shownPath)) : [];
    const targets = found.flat().flatMap(({ target }) => (own.includes(target) ? [] : [target]));
    if (targets.length === 0) return;
    // What is mounted over another mount hides it, so it is looked again, as long as that helps.
    if (targets.length >= last) throw new Error(`cannot unmount ${targets.join(", ")}`);
    last = targets.length;
    await runCommand("umount", ["--lazy", "--no-canonicalize", "--", ...new Set(targets)]).catch(() => {});
  }
}
