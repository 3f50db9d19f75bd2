/** Which pod goes first: who uses more than it asked for, then who matters less, then who uses the most beyond it. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { podRequests, unitsOf } from "../resources/pod-resources.ts";
import type { Resource, Signal } from "./thresholds.ts";

/** Bytes and counts. */
export interface PodUse {
  pod: Pod;
  memory: number;
  processes: number;
  containers: ContainerUse[];
  /** Of volumes on the node's own disk, paths of the host among them. */
  volumes: DiskPart;
}

export interface ContainerUse {
  name: string;
  memory: number;
  layer: DiskPart;
  logs: DiskPart;
}

export interface DiskPart {
  bytes: number;
  inodes: number;
}

type Part = "layers" | "logs" | "volumes";
const ALL: readonly Part[] = ["layers", "logs", "volumes"];

/** What of a pod's use makes the signal worse; `ownDisk`: images and layers are on a disk of their own. */
export function partsOf(signal: Signal, ownDisk: boolean): readonly Part[] {
  if (!ownDisk) return ALL;
  return signal.startsWith("nodefs") ? ["logs", "volumes"] : ["layers"];
}

function diskUse({ containers, volumes }: PodUse, parts: readonly Part[]): DiskPart {
  const sum = { bytes: 0, inodes: 0 };
  const add = ({ bytes, inodes }: DiskPart): void => {
    sum.bytes += bytes;
    sum.inodes += inodes;
  };
  for (const { layer, logs } of containers) {
    if (parts.includes("layers")) add(layer);
    if (parts.includes("logs")) add(logs);
  }
  if (parts.includes("volumes")) add(volumes);
  return sum;
}

/** The first is to go first. Pods that nothing is known of go before all others. */
export function rankPods(
  pods: readonly Pod[],
  uses: ReadonlyMap<string, PodUse>,
  resource: Resource,
  parts: readonly Part[] = ALL,
): Pod[] {
  const ranked = pods.map((pod) => {
    const use = uses.get(pod.metadata.uid ?? "");
    const excess = use === undefined ? Number.POSITIVE_INFINITY : excessOf(use, resource, parts);
    return { pod, excess, exceeds: resource !== "pids" && excess > 0, priority: pod.spec?.priority ?? 0 };
  });
  ranked.sort(
    (a, b) => Number(b.exceeds) - Number(a.exceeds) || a.priority - b.priority || compare(b.excess, a.excess),
  );
  return ranked.map(({ pod }) => pod);
}

function excessOf(use: PodUse, resource: Resource, parts: readonly Part[]): number {
  if (resource === "pids") return use.processes;
  if (resource === "inodes") return diskUse(use, parts).inodes;
  const used = resource === "memory" ? use.memory : diskUse(use, parts).bytes;
  return used - unitsOf(podRequests(use.pod), resource);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
