/** Mounts and unmounts, by the system's programs. */
import { readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type RunCommand, runCommand } from "../command.ts";
import { type MountEntry, mountsBelow, parseMountInfo } from "./mount-table.ts";
import { fromSharedDirectory } from "./overlay-options.ts";

export interface MountRequest {
  /** `tmpfs`, `hugetlbfs`, `overlay` …; absent for a bind mount. */
  type?: string;
  source: string;
  target: string;
  options?: readonly string[];
}

export interface Mounts {
  mount(request: MountRequest): Promise<void>;
  /** Shows `source` (a directory or a file, by a path that is followed as it stands) at `target` too. */
  bind(source: string, target: string): Promise<void>;
  /** Unmounts all that is mounted at the path and below. Nothing where there is nothing. */
  unmountBelow(path: string): Promise<void>;
  /** What is mounted at the path and below, in the order in which to unmount it. Links on the way there are followed. */
  below(path: string): Promise<MountEntry[]>;
  isMountPoint(path: string): Promise<boolean>;
  table(): Promise<MountEntry[]>;
}

/** The newer way to mount takes no option of more than 255 characters. */
const LONG_OPTIONS = { LIBMOUNT_FORCE_MOUNT2: "always" };

export function openMounts(run: RunCommand = runCommand): Mounts {
  const table = async (): Promise<MountEntry[]> =>
    parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
  const below = async (path: string): Promise<MountEntry[]> =>
    mountsBelow(await table(), await shownPath(path));
  return {
    table,
    below,
    async isMountPoint(path) {
      const shown = await shownPath(path);
      return (await table()).some(({ target }) => target === shown);
    },
    async mount({ type, source, target, options = [] }) {
      const kind = type === undefined ? ["--bind"] : ["-t", type];
      const overlay = type === "overlay" ? fromSharedDirectory(options) : undefined;
      const with_ = options.length > 0 ? ["-o", (overlay ?? { options }).options.join(",")] : [];
      const how = overlay ? { cwd: overlay.cwd, env: { ...process.env, ...LONG_OPTIONS } } : undefined;
      await run("mount", ["-n", ...kind, ...with_, "--", source, target], how);
    },
    async bind(source, target) {
      // Paths are taken as they stand: to make them canonical would go through links that may change meanwhile.
      await run("mount", ["-n", "--no-canonicalize", "--bind", "--", source, target]);
    },
    async unmountBelow(path) {
      // What is mounted over another mount is a line of its own, and unmounting once reveals the other.
      const targets = (await below(path)).map(({ target }) => target);
      if (targets.length > 0) await run("umount", ["--no-canonicalize", "--", ...targets]);
    },
  };
}

/** As the kernel tells it: where its directory really is. Its last part may be a link itself, which is not followed. */
export async function shownPath(path: string): Promise<string> {
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return path;
    throw error;
  }
}
