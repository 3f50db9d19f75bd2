/** What of a machine is in the way of a node, and what to do about it. */
import type { Distribution, Machine } from "./machine.ts";

export interface Finding {
  /** An error is in the way; a warning will be felt. */
  level: "error" | "warning";
  what: string;
  fix: string;
  /** Debian's packages that would help. */
  packages?: string[];
}

const PACKAGE_OF: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "runc",
  nft: "nftables",
  ip: "iproute2",
  conntrack: "conntrack",
  mount: "mount",
  umount: "mount",
};
const CNI_PACKAGE = "containernetworking-plugins";
const GIB = 1 << 30;

/** The reason why no container can run on a machine of this kind at all; undefined where it may. */
export function cannotRunContainers({
  platform,
  root,
}: Pick<Machine, "platform" | "root">): string | undefined {
  if (platform !== "linux") return `containers run on Linux, and this is ${platform}`;
  return root ? undefined : "containers are started by root, and you are not";
}

/** Errors first. */
export function findingsOf(
  machine: Machine,
  options: { ownRuntime: boolean; containers?: boolean },
): Finding[] {
  const findings = [
    ...missingPrograms(machine, options),
    ...kernelFindings(machine),
    ...nftFindings(machine),
    ...(options.containers === false ? [] : cgroupFindings(machine)),
    ...portFindings(machine),
    ...sizeFindings(machine),
  ];
  return [
    ...findings.filter(({ level }) => level === "error"),
    ...findings.filter(({ level }) => level !== "error"),
  ];
}

function missingPrograms(machine: Machine, { ownRuntime }: { ownRuntime: boolean }): Finding[] {
  const lacking = machine.programsLacking.filter(
    (program) => ownRuntime || (program !== "containerd" && program !== "runc"),
  );
  const plugins = machine.cniBinDir === undefined && ownRuntime;
  if (lacking.length === 0 && !plugins) return [];
  const packages = [...new Set([...lacking.map((program) => PACKAGE_OF[program] ?? program)])];
  if (plugins) packages.push(CNI_PACKAGE);
  const what = `not installed: ${[...lacking, ...(plugins ? ["the CNI plugins"] : [])].join(", ")}`;
  return [
    { level: "error", what, fix: `install them: ${installation(machine.distribution, packages)}`, packages },
  ];
}

/** Whether `apt-get` has the packages by these names. */
export function isDebian({ family }: Distribution): boolean {
  return family.includes("debian") || family.includes("ubuntu");
}

function installation(distribution: Distribution, packages: readonly string[]): string {
  const names = packages.join(" ");
  if (isDebian(distribution)) return `apt-get install ${names}`;
  return `with the package manager of ${distribution.name} (Debian calls them ${names})`;
}

function kernelFindings({ kernelLacks, kernel }: Machine): Finding[] {
  if (kernelLacks.length === 0) return [];
  const names = kernelLacks.join(", ");
  const what = `the kernel (${kernel}) lacks ${names}`;
  const fix = `load what is a module with \`modprobe ${kernelLacks.join(" ")}\`, or use a kernel that has it`;
  return [{ level: "error", what, fix }];
}

/** Where the program or the kernel's part is missing altogether, that has been said. */
function nftFindings({ nftLacks, programsLacking, kernelLacks }: Machine): Finding[] {
  if (nftLacks === undefined || programsLacking.includes("nft") || kernelLacks.length > 0) return [];
  return [
    {
      level: "error",
      what: nftLacks,
      fix: "upgrade nftables, and the kernel where that does not help: those of Debian 12 can do it",
    },
  ];
}

function cgroupFindings(machine: Machine): Finding[] {
  if (machine.platform !== "linux" || !machine.root) return [];
  if (!machine.cgroups) {
    const what = "no control groups are mounted";
    return [{ level: "error", what, fix: "mount them: `mount -t cgroup2 none /sys/fs/cgroup`" }];
  }
  const { lacks, version } = machine.cgroups;
  if (lacks.length === 0) return [];
  const what = `control groups (version ${version}) lack ${lacks.join(", ")}, so such limits of pods have no effect`;
  return [
    { level: "warning", what, fix: "enable them on the kernel's command line: `cgroup_enable=memory`" },
  ];
}

function portFindings({ takenPorts, otherNodes }: Machine): Finding[] {
  const findings: Finding[] = takenPorts.map(({ port, purpose }) => ({
    level: "error",
    what: `port ${port}, for ${purpose}, is taken`,
    fix: `see who has it with \`ss -ltnp 'sport = :${port}'\` and stop it, or choose another port`,
  }));
  for (const { name, pid } of otherNodes) {
    const what = `${name} (process ${pid}) manages pods on this machine too`;
    findings.push({
      level: "warning",
      what,
      fix: "stop it: two of them undo each other's rules and cgroups",
    });
  }
  return findings;
}

function sizeFindings({ disk, memoryBytes }: Machine): Finding[] {
  const findings: Finding[] = [];
  const free = `${(disk.freeBytes / GIB).toFixed(1)} GiB free`;
  if (disk.freeBytes < GIB / 4) {
    findings.push({
      level: "error",
      what: `the disk is full (${free})`,
      fix: "free some, or move with --data-dir",
    });
  } else if (disk.freeBytes < disk.sizeBytes * 0.15) {
    const what = `the disk is more than 85 % full (${free}): unused images will be removed, and pods refused at 90 %`;
    findings.push({ level: "warning", what, fix: "free some, or move with --data-dir" });
  }
  if (memoryBytes < GIB / 2) {
    const what = `${Math.round(memoryBytes / (1 << 20))} MiB of memory are few`;
    findings.push({ level: "warning", what, fix: "give the machine a gigabyte or more" });
  }
  return findings;
}
