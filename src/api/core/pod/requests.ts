/** What the containers of a pod ask for together. */
import type { PodSpec } from "../../schema/core.v1.generated.ts";
import { addQuantities, compareQuantities } from "./quantities.ts";

/** Resources that may be asked for once for a whole pod. */
export function isPodLevelResource(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}

/**
 * Containers run together and add up. Init containers run before them, one at a time, beside the sidecars that were
 * started so far; the pod needs the larger of the two.
 */
export function aggregateContainerRequests(spec: PodSpec): Map<string, string> {
  const total = new Map<string, string>();
  for (const { resources } of spec.containers) add(total, resources?.requests);
  const sidecars = new Map<string, string>();
  const peak = new Map<string, string>();
  for (const container of spec.initContainers ?? []) {
    const requests = container.resources?.requests;
    if (container.restartPolicy === "Always") {
      add(total, requests);
      add(sidecars, requests);
      raise(peak, sidecars);
    } else {
      const now = new Map(sidecars);
      add(now, requests);
      raise(peak, now);
    }
  }
  raise(total, peak);
  return total;
}

function add(sum: Map<string, string>, more: Readonly<Record<string, string>> | undefined): void {
  if (!more) return;
  for (const name of Object.keys(more)) {
    const had = sum.get(name);
    sum.set(name, had === undefined ? (more[name] as string) : addQuantities(had, more[name] as string));
  }
}

function raise(high: Map<string, string>, other: ReadonlyMap<string, string>): void {
  for (const [name, quantity] of other) {
    const had = high.get(name);
    if (had === undefined || compareQuantities(quantity, had) > 0) high.set(name, quantity);
  }
}
