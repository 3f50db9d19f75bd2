/** What of the machine is left for pods: all but what the system and Kubernetes itself are to have, and a margin. */
import { Quantity } from "../../machinery/quantity/quantity.ts";

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
