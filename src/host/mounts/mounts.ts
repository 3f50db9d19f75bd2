/** Mounts and unmounts, by the system's programs. */
import { readFile } from "node:fs/promises";
import { type RunCommand, runCommand } from "../command.ts";
import { type MountEntry, mountsBelow, parseMountInfo } from "./mount-table.ts";

export interface MountRequest {
  /** `tmpfs`, `hugetlbfs`, `ext4` …; absent for a bind mount. */
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
  table(): Promise<MountEntry[]>;
}

export function openMounts(run: RunCommand = runCommand): Mounts {
  const table = async (): Promise<MountEntry[]> =>
    parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
  return {
    table,
    async mount({ type, source, target, options = [] }) {
      const kind = type === undefined ? ["--bind"] : ["-t", type];
      const with_ = options.length > 0 ? ["-o", options.join(",")] : [];
      await run("mount", ["-n", ...kind, ...with_, "--", source, target]);
    },
    async bind(source, target) {
      // Paths are taken as they stand: to make them canonical would go through links that may change meanwhile.
      await run("mount", ["-n", "--no-canonicalize", "--bind", "--", source, target]);
    },
    async unmountBelow(path) {
      // What is mounted over another mount is a line of its own, and unmounting once reveals the other.
      const targets = mountsBelow(await table(), path).map(({ target }) => target);
      if (targets.length > 0) await run("umount", ["--no-canonicalize", "--", ...targets]);
    },
  };
}
