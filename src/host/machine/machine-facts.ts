/** What this machine is: what does not change while it runs. */
import { readdir, readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { arch } from "node:process";
import { parseMemoryInfo } from "./memory-info.ts";

export interface MachineFacts {
  cores: number;
  memoryBytes: number;
  swapBytes: number;
  /** Bytes reserved as huge pages, by the size of a page in bytes: sizes of which there are none too. */
  hugepages: ReadonlyMap<number, number>;
  machineID: string;
  systemUUID: string;
  /** Another one after each start of the machine. */
  bootID: string;
  kernelVersion: string;
  osImage: string;
  /** As Kubernetes spells it: `amd64`. */
  architecture: string;
  operatingSystem: "linux";
  /** When the machine was started, in milliseconds since 1970. */
  bootedAt: number;
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  arm64: "arm64",
  ia32: "386",
  arm: "arm",
  ppc64: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
};

/** Where others keep a machine's id, in the order that they are asked. */
const MACHINE_IDS = ["etc/machine-id", "var/lib/dbus/machine-id"];
const SYSTEM_IDS = [
  "sys/class/dmi/id/product_uuid",
  "proc/device-tree/system-id",
  "proc/device-tree/vm,uuid",
];

/** `root` is another than `/` in tests. What cannot be read is empty. */
export async function readMachineFacts(root = "/", cores = cpus().length): Promise<MachineFacts> {
  const text = (path: string): Promise<string> => readFile(join(root, path), "utf8").catch(() => "");
  const firstOf = async (paths: readonly string[]): Promise<string> => {
    for (const path of paths) {
      const found = (await text(path)).replaceAll("\0", "").trim();
      if (found !== "") return found;
    }
    return "";
  };
  const [memory, release, bootID, machineID, systemID, osRelease, hugepages, stat] = await Promise.all([
    text("proc/meminfo"),
    text("proc/sys/kernel/osrelease"),
    text("proc/sys/kernel/random/boot_id"),
    firstOf(MACHINE_IDS),
    firstOf(SYSTEM_IDS),
    firstOf(["etc/os-release", "usr/lib/os-release"]),
    readHugepages(join(root, "sys/kernel/mm/hugepages")),
    text("proc/stat"),
  ]);
  const { MemTotal = 0, SwapTotal = 0 } = parseMemoryInfo(memory);
  return {
    cores,
    memoryBytes: MemTotal,
    swapBytes: SwapTotal,
    hugepages,
    machineID,
    // Where the firmware tells nothing, the system's own id is the machine's.
    systemUUID: systemID === "" ? machineID : systemID,
    bootID: bootID.trim(),
    kernelVersion: release.trim(),
    osImage: prettyName(osRelease),
    architecture: ARCHITECTURES[arch] ?? arch,
    operatingSystem: "linux",
    bootedAt: Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0) * 1000,
  };
}

/** PRETTY_NAME of os-release, whose values are quoted as in a shell. */
export function prettyName(osRelease: string): string {
  const line = osRelease.split("\n").find((each) => each.startsWith("PRETTY_NAME="));
  const value = line?.slice("PRETTY_NAME=".length).trim() ?? "";
  const quote = value[0];
  return quote === '"' || quote === "'" ? value.slice(1, -1) : value || "Linux";
}

async function readHugepages(directory: string): Promise<Map<number, number>> {
  const sizes = new Map<number, number>();
  for (const name of (await readdir(directory).catch(() => [])).sort()) {
    const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
    const count = await readFile(join(directory, name, "nr_hugepages"), "utf8").catch(() => "0");
    if (kilobytes > 0) sizes.set(kilobytes * 1024, kilobytes * 1024 * Number(count));
  }
  return sizes;
}
