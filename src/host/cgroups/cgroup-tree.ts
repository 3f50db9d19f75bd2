/**
 * Groups of processes whose use of the machine the kernel limits and counts, in version 1 and 2 alike. A group is named by
 * its path from the root of the tree, as in `/kubepods/burstable`; a file by its name, whose beginning names the controller.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock } from "../../base/clock.ts";
import { type CgroupMounts, parseCgroupMounts } from "./cgroup-mounts.ts";

export interface CgroupTreeOptions {
  mounts: CgroupMounts;
  clock?: Clock;
  /** Ends a process at once. */
  kill?: (pid: number) => void;
}

/** Tries to remove a group whose processes were killed, and the milliseconds before each: they need a moment to end. */
const REMOVAL_WAITS = [0, 2, 5, 10, 20, 50, 100, 200, 400, 800, 1600];

/** The group that processes of a container's root move to. */
const INIT = "init";

/** Those that groups get from the root of version 2 down; of others nothing is used. */
const WANTED = ["cpu", "memory", "pids", "hugetlb", "io", "cpuset"];

export class CgroupTree {
  readonly version: 1 | 2;
  private readonly mounts: CgroupMounts;
  private readonly clock: Clock;
  private readonly kill: (pid: number) => void;
  private readonly ready = new Map<string, Promise<void>>();

  constructor({ mounts, clock = systemClock, kill = killAtOnce }: CgroupTreeOptions) {
    this.version = mounts.version;
    this.mounts = mounts;
    this.clock = clock;
    this.kill = kill;
  }

  has(controller: string): boolean {
    return this.mounts.controllers.has(controller);
  }

  /** Where the file of a group is; undefined where the machine lacks its controller. */
  file(path: string, file: string): string | undefined {
    const controller = file.slice(0, file.indexOf("."));
    const { controllers, roots } = this.mounts;
    const root = controllers.get(controller) ?? (controller === "cgroup" ? roots[0] : undefined);
    return root === undefined ? undefined : join(root, path, file);
  }

  /** Undefined where there is no such group or file. */
  async read(path: string, file: string): Promise<string | undefined> {
    const at = this.file(path, file);
    if (at === undefined) return undefined;
    try {
      return await readFile(at, "utf8");
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  /** As `read`, without waiting: the kernel answers from memory, sooner than a thread could take over. */
  readNow(path: string, file: string): string | undefined {
    const at = this.file(path, file);
    if (at === undefined) return undefined;
    try {
      return readFileSync(at, "utf8");
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  /** Whether it was written: the machine may lack the controller or the file. */
  async write(path: string, file: string, value: string | number): Promise<boolean> {
    const at = this.file(path, file);
    if (at === undefined) return false;
    try {
      // A file that is not there must not be made: this is no ordinary file system.
      await writeFile(at, String(value), { flag: "r+" });
      return true;
    } catch (error) {
      if (isAbsence(error)) return false;
      throw refusal(path, file, value, error);
    }
  }

  /** As `write`, without waiting: for groups without processes, of which the kernel need not take anything away. */
  writeNow(path: string, file: string, value: string | number): boolean {
    const at = this.file(path, file);
    if (at === undefined) return false;
    try {
      writeFileSync(at, String(value), { flag: "r+" });
      return true;
    } catch (error) {
      if (isAbsence(error)) return false;
      throw refusal(path, file, value, error);
    }
  }

  exists(path: string): boolean {
    return this.mounts.roots.every((root) => existsSync(join(root, path)));
  }

  /** Makes the group and those above it, in every hierarchy. Any number of times. */
  async create(path: string): Promise<void> {
    if (this.version === 2) return this.createUnified(path);
    // The kernel makes them in memory: threads would take four times as long, and pods wait for it.
    for (const root of this.mounts.roots) {
      mkdirSync(join(root, path), { recursive: true });
      if (root === this.mounts.controllers.get("cpuset")) this.inheritCpuset(path);
    }
  }

  /** The groups right below. */
  async children(path: string): Promise<string[]> {
    const names = new Set<string>();
    for (const found of await Promise.all(this.mounts.roots.map((root) => directories(join(root, path))))) {
      for (const name of found) names.add(name);
    }
    return [...names];
  }

  /** As `children`, without waiting, of one hierarchy alone: that of the files that usage is read from. */
  childrenNow(path: string): string[] {
    const { controllers, roots } = this.mounts;
    try {
      const entries = readdirSync(join(controllers.get("memory") ?? roots[0]!, path), {
        withFileTypes: true,
      });
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    } catch (error) {
      if (isAbsence(error)) return [];
      throw error;
    }
  }

  /** The processes of the group and of all below it. */
  async processes(path: string): Promise<Set<number>> {
    const pids = new Set<number>();
    const visit = async (directory: string): Promise<void> => {
      const [text, below] = await Promise.all([
        readFile(join(directory, "cgroup.procs"), "utf8").catch(() => ""),
        directories(directory),
      ]);
      // 0 stands for a process that this one cannot see.
      for (const line of text.split("\n")) if (Number(line) > 0) pids.add(Number(line));
      await Promise.all(below.map((name) => visit(join(directory, name))));
    };
    await Promise.all(this.mounts.roots.map((root) => visit(join(root, path))));
    return pids;
  }

  /** Kills what runs in the group and below, and removes it all. Any number of times. */
  async remove(path: string): Promise<void> {
    for (const [made] of this.ready)
      if (made === path || made.startsWith(`${path}/`)) this.ready.delete(made);
    for (const [attempt, ms] of REMOVAL_WAITS.entries()) {
      if (ms > 0) await new Promise<void>((resolve) => this.clock.setTimer(ms, resolve));
      // Most groups are empty by now, and then asking for their processes would cost more than all else.
      if (attempt > 0) await this.killAll(path);
      const left = await Promise.all(this.mounts.roots.map((root) => removed(join(root, path))));
      if (left.every((gone) => gone)) return;
    }
    throw new Error(`control group ${path} still has processes, although they were killed`);
  }

  private async killAll(path: string): Promise<void> {
    if (this.version === 2 && (await this.write(path, "cgroup.kill", 1))) return;
    for (const pid of await this.processes(path)) this.kill(pid);
  }

  /** A group of version 2 can limit what the group above passes on to it. */
  private createUnified(path: string): Promise<void> {
    const known = this.ready.get(path);
    if (known && this.exists(path)) return known;
    const made = (async () => {
      const root = this.mounts.roots[0]!;
      let above = "";
      for (const part of path.split("/").filter(Boolean)) {
        await this.passOn(above);
        above += `/${part}`;
        mkdirSync(join(root, above), { recursive: true });
      }
      // What runs below is the runtime's, which passes on for itself, but needs them from here.
      await this.passOn(above);
    })();
    this.ready.set(path, made);
    made.catch(() => this.ready.delete(path));
    return made;
  }

  private async passOn(path: string): Promise<void> {
    const has = new Set(this.readNow(path, "cgroup.subtree_control")?.split(/\s+/));
    for (const name of WANTED) {
      if (!this.has(name) || has.has(name)) continue;
      const pass = (): Promise<boolean> => this.write(path, "cgroup.subtree_control", `+${name}`);
      try {
        await pass().catch(async (error: unknown) => {
          if (path !== "" || !isBusy(error)) throw error;
          await this.clearRoot();
          await pass();
        });
      } catch (error) {
        // Of the others the machine may have none to pass on.
        if (name === "cpu" || name === "memory") throw error;
      }
    }
  }

  /**
   * A group with processes of its own passes nothing on, but for the machine's root. In a container the root that is seen
   * is none: what runs there moves into a group beside the pods', as other programs that run in containers do it.
   */
  private async clearRoot(): Promise<void> {
    const root = this.mounts.roots[0]!;
    await mkdir(join(root, INIT), { recursive: true });
    for (let tries = 0; tries < 5; tries++) {
      const pids = (await this.read("", "cgroup.procs"))?.split("\n").filter(Boolean) ?? [];
      if (pids.length === 0) return;
      for (const pid of pids) {
        // One that ended meanwhile, or is the kernel's, cannot be moved.
        await this.write(`/${INIT}`, "cgroup.procs", pid).catch(() => {});
      }
    }
  }

  /** In version 1 a new group may run nowhere until it is told where. */
  private inheritCpuset(path: string): void {
    let above = "";
    for (const part of path.split("/").filter(Boolean)) {
      const group = `${above}/${part}`;
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        const own = this.readNow(group, file);
        if (own === undefined || own.trim() !== "") continue;
        const inherited = this.readNow(above, file);
        if (inherited?.trim()) this.writeNow(group, file, inherited.trim());
      }
      above = group;
    }
  }
}

/** Of this machine; undefined where it has no control groups. */
export function openCgroupTree(clock?: Clock): CgroupTree | undefined {
  const mounts = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"), (root) =>
    readFileSync(join(root, "cgroup.controllers"), "utf8"),
  );
  return mounts && new CgroupTree({ mounts, clock });
}

async function directories(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** Removes a group and those below it; whether all are gone. */
async function removed(directory: string): Promise<boolean> {
  const below = await directories(directory);
  const gone = await Promise.all(below.map((name) => removed(join(directory, name))));
  if (gone.includes(false)) return false;
  try {
    await rmdir(directory);
    return true;
  } catch (error) {
    if (isAbsence(error)) return true;
    if ((error as NodeJS.ErrnoException).code === "EBUSY") return false;
    throw error;
  }
}

function refusal(path: string, file: string, value: string | number, cause: unknown): Error {
  return new Error(`control group ${path}: ${file} does not take ${value}`, { cause });
}

function isBusy(error: unknown): boolean {
  return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === "EBUSY";
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENODEV";
}

function killAtOnce(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
