/** What of the machine is left for pods: all but what the system and Kubernetes itself are to have, and a margin. */
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { sharesOf } from "./cpu.ts";
import type { GroupLimits } from "./group-limits.ts";

export type Amounts = Readonly<Record<string, string>>;

export interface Reservations {
  /** Upstream's --kube-reserved and --system-reserved, by cpu, memory, ephemeral-storage and pid. */
  kube?: Amounts;
  system?: Amounts;
  /** What evicting begins at, which pods are not to count on: `{ memory: "100Mi" }`. */
  eviction?: Amounts;
}

/** `capacity` less what is reserved; nothing goes below zero. Huge pages are memory that is not there for others. */
export function allocatableOf(
  capacity: Amounts,
  { kube, system, eviction }: Reservations,
): Map<string, string> {
  const allocatable = new Map<string, string>();
  for (const [name, amount] of Object.entries(capacity)) {
    let left = Quantity.parse(amount);
    for (const reserved of [kube, system, eviction]) {
      const part = reserved && Object.hasOwn(reserved, name) ? reserved[name] : undefined;
      if (part !== undefined) left = left.sub(Quantity.parse(part));
    }
    if (name === "memory") {
      for (const [other, pages] of Object.entries(capacity)) {
        if (other.startsWith("hugepages-")) left = left.sub(Quantity.parse(pages));
      }
    }
    allocatable.set(name, left.sign() < 0 ? "0" : left.toString());
  }
  return allocatable;
}

/** What is to be left of a resource but is not there, in upstream's words. */
export function excessReservation(
  capacity: Amounts,
  { kube = {}, system = {} }: Reservations,
): string | undefined {
  for (const [name, amount] of Object.entries(capacity)) {
    let reserved = Quantity.parse("0");
    for (const part of [kube, system])
      if (Object.hasOwn(part, name)) reserved = reserved.add(Quantity.parse(part[name]!));
    if (reserved.compare(Quantity.parse(amount)) > 0)
      return `invalid Node Allocatable configuration. Resource ${JSON.stringify(name)} has a reservation of ${reserved} but capacity of ${amount}. Expected capacity >= reservation`;
  }
  return undefined;
}

export interface MachineCapacity {
  cores: number;
  memoryBytes: number;
  /** Undefined where the machine does not tell. */
  processes: number | undefined;
}

/** What the group of all pods is held to: the machine less what is reserved. Pods may use what evicting begins at. */
export function podsLimits(
  { cores, memoryBytes, processes }: MachineCapacity,
  { kube = {}, system = {} }: Reservations,
): GroupLimits & { memory: number } {
  const pid = processes !== undefined && (Object.hasOwn(kube, "pid") || Object.hasOwn(system, "pid"));
  const capacity = {
    cpu: String(cores),
    memory: String(memoryBytes),
    ...(pid ? { pid: String(processes) } : {}),
  };
  const left = allocatableOf(capacity, { kube, system });
  const units = (name: string): number => Quantity.parse(left.get(name) ?? "0").value();
  return {
    cpuShares: sharesOf(Quantity.parse(left.get("cpu") ?? "0").milliValue()),
    memory: units("memory"),
    ...(pid ? { pids: units("pid") } : {}),
  };
}
