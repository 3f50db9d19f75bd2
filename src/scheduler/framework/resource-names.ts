/** Names of resources, and their amounts in Resources. */
import type { Resources } from "./resources.ts";

export function amountIn(resources: Resources, name: string): number {
  switch (name) {
    case "cpu":
      return resources.milliCPU;
    case "memory":
      return resources.memory;
    case "ephemeral-storage":
      return resources.ephemeralStorage;
    default:
      return resources.scalars?.get(name) ?? 0;
  }
}

const NATIVE = "kubernetes.io/";

/** A resource of a vendor, such as `example.com/gpu` (k8s.io/kubernetes/pkg/apis/core/v1/helper: IsExtendedResourceName). */
export function isExtendedResource(name: string): boolean {
  return name.includes("/") && !name.includes(NATIVE) && !name.startsWith("requests.");
}

/** Of anything but the three that every node has. */
export function isScalarResource(name: string): boolean {
  return name !== "cpu" && name !== "memory" && name !== "ephemeral-storage";
}

/** As people write amounts: `250m`, `1536Mi`, `3`. */
export function formatAmount(name: string, amount: number): string {
  if (name === "cpu") return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  if (name !== "memory" && name !== "ephemeral-storage" && !name.startsWith("hugepages-")) {
    return String(amount);
  }
  for (const [unit, size] of [
    ["Gi", 2 ** 30],
    ["Mi", 2 ** 20],
    ["Ki", 2 ** 10],
  ] as const) {
    if (amount >= size && amount % size === 0) return `${amount / size}${unit}`;
  }
  return String(amount);
}
