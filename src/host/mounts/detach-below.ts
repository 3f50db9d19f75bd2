/** Unmounts what was left behind, whoever still uses it. */
import { type RunCommand, runCommand } from "../command.ts";
import { openMounts } from "./mounts.ts";

/** Detaches all mounts at and below the paths: each ends with its last user. Any number of times. */
export async function detachBelow(paths: readonly string[], run: RunCommand = runCommand): Promise<void> {
  const mounts = openMounts(run);
  for (let last = Number.POSITIVE_INFINITY; ; ) {
    const found = await Promise.all(paths.map((path) => mounts.below(path)));
    const targets = found.flat().map(({ target }) => target);
    if (targets.length === 0) return;
    // What is mounted over another mount hides it, so it is looked again, as long as that helps.
    if (targets.length >= last) throw new Error(`cannot unmount ${targets.join(", ")}`);
    last = targets.length;
    await run("umount", ["--lazy", "--no-canonicalize", "--", ...new Set(targets)]).catch(() => {});
  }
}
