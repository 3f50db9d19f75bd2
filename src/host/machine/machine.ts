/** What the machine is and has, as far as a node needs to know it. */
import { access, constants, readdir, readFile, statfs } from "node:fs/promises";
import { availableParallelism, release, totalmem } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { openCgroupTree } from "../cgroups/cgroup-tree.ts";
import { type RunCommand, runCommand, systemPath } from "../command.ts";
import { missingFromNftables } from "../nftables/features.ts";
import { openNft } from "../nftables/nft.ts";
import { commandOf, processIDs } from "../processes.ts";
import { isPortFree } from "./port-free.ts";
import { probeKernel } from "./probe-kernel.ts";

export interface Machine {
  platform: NodeJS.Platform;
  arch: string;
  root: boolean;
  kernel: string;
  distribution: Distribution;
  cpus: number;
  memoryBytes: number;
  /** Of its control groups; undefined where it has none that can be used. */
  cgroups: { version: 1 | 2; lacks: string[] } | undefined;
  /** Features of the kernel that were tried and are not there. */
  kernelLacks: string[];
  /** What stands in the way of the node's rules, where the kernel is not to blame alone: nft may be too old. */
  nftLacks?: string | undefined;
  /** Of the programs that a node runs. */
  programsLacking: string[];
  /** Where the reference CNI plugins are. */
  cniBinDir: string | undefined;
  /** Of the file system with the data directory. */
  disk: { freeBytes: number; sizeBytes: number };
  takenPorts: TakenPort[];
  /** Other programs that are nodes of a cluster, by name and process id. */
  otherNodes: { name: string; pid: number }[];
}

export interface Distribution {
  name: string;
  /** It, and those that it derives from, as os-release names them. */
  family: string[];
}

export interface TakenPort {
  port: number;
  purpose: string;
}

export interface MachineQuestions {
  dataDir: string;
  ports: readonly TakenPort[];
  /** Whether containers shall run; else what they need is not asked for. */
  containers: boolean;
  ownPids: readonly number[];
}

export const PROGRAMS = ["containerd", "runc", "nft", "ip", "conntrack", "mount", "umount"];
const CNI_DIRECTORIES = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];
const CNI_PLUGINS = ["ptp", "host-local", "loopback", "bandwidth"];
const CONTROLLERS = ["cpu", "cpuset", "memory", "pids"];
/** Programs that manage the pods of a node; two of them would undo each other's work. */
const NODES = ["kubelet", "k3s", "k0s", "rke2", "microk8s"];

export async function inspectMachine(
  questions: MachineQuestions,
  run: RunCommand = runCommand,
): Promise<Machine> {
  const { dataDir, ports, containers, ownPids } = questions;
  const root = process.getuid?.() === 0;
  const deep = containers && root && process.platform === "linux";
  const [distribution, disk, takenPorts, programsLacking, cniBinDir, otherNodes, kernelLacks, nftLacks] =
    await Promise.all([
      readFile("/etc/os-release", "utf8").then(
        parseRelease,
        (): Distribution => ({ name: process.platform, family: [] }),
      ),
      diskOf(dataDir),
      takenOf(ports),
      deep ? lacking(PROGRAMS) : [],
      deep ? findCNI() : undefined,
      deep ? nodesBeside(ownPids) : [],
      deep ? probeKernel(run) : [],
      deep ? missingFromNftables(openNft({ run })) : undefined,
    ]);
  return {
    platform: process.platform,
    arch: process.arch,
    root,
    kernel: release(),
    distribution,
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    cgroups: deep ? cgroupsOf() : undefined,
    kernelLacks,
    nftLacks,
    programsLacking,
    cniBinDir,
    disk,
    takenPorts,
    otherNodes,
  };
}

/** Whether a process may be given an oom_score_adj below its own: CAP_SYS_RESOURCE. */
export async function mayLowerOOMScore(): Promise<boolean> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n;
}

export function parseRelease(text: string): Distribution {
  const value = (name: string): string =>
    new RegExp(`^${name}=(?:"(.*)"|'(.*)'|(.*))$`, "m").exec(text)?.slice(1).find(Boolean) ?? "";
  const family = `${value("ID")} ${value("ID_LIKE")}`.split(" ").filter(Boolean);
  return { name: value("PRETTY_NAME") || value("NAME") || "Linux", family };
}

export async function findCNI(
  directories: readonly string[] = cniDirectories(),
): Promise<string | undefined> {
  for (const directory of directories) {
    const names = await readdir(directory).catch((): string[] => []);
    if (CNI_PLUGINS.every((name) => names.includes(name))) return directory;
  }
  return undefined;
}

/** Where to look for CNI plugins: first where CNI_PATH says, as CNI's own tools do. */
export function cniDirectories(env: NodeJS.ProcessEnv = process.env): string[] {
  return [...(env.CNI_PATH ?? "").split(delimiter).filter(Boolean), ...CNI_DIRECTORIES];
}

/** Those programs that are in no directory of PATH, the system's among them. */
export async function lacking(programs: readonly string[]): Promise<string[]> {
  const directories = systemPath(process.env).split(delimiter);
  const isThere = async (program: string): Promise<boolean> => {
    for (const directory of directories) {
      const found = await access(join(directory, program), constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return true;
    }
    return false;
  };
  const there = await Promise.all(programs.map(isThere));
  return programs.filter((_, i) => !there[i]);
}

function cgroupsOf(): Machine["cgroups"] {
  const tree = openCgroupTree();
  return tree && { version: tree.version, lacks: CONTROLLERS.filter((name) => !tree.has(name)) };
}

async function diskOf(directory: string): Promise<Machine["disk"]> {
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  } catch (error) {
    // It is not made yet: then that of what it will be in counts.
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && dirname(directory) !== directory)
      return diskOf(dirname(directory));
    throw error;
  }
}

async function takenOf(ports: readonly TakenPort[]): Promise<TakenPort[]> {
  const taken = await Promise.all(
    ports.map(async (asked) => ((await isPortFree("tcp", asked.port)) ? [] : [asked])),
  );
  return taken.flat();
}

async function nodesBeside(ownPids: readonly number[]): Promise<Machine["otherNodes"]> {
  const pids = await processIDs();
  const found = await Promise.all(
    pids.map(async (pid) => {
      const program = (await commandOf(pid))?.[0]?.split("/").at(-1) ?? "";
      return NODES.includes(program) && !ownPids.includes(pid) ? [{ name: program, pid }] : [];
    }),
  );
  return found.flat();
}
