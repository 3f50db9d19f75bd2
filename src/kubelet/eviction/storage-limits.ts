/** Which limit of local storage a pod has gone beyond. */
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { podLimits } from "../resources/pod-resources.ts";
import { containerStorageMessage, emptyDirMessage, podStorageMessage } from "./messages.ts";

/** Bytes. */
export interface StorageUse {
  /** By volume, and of all that counts against the pod. */
  volumes: ReadonlyMap<string, number>;
  total: number;
  /** Layer and logs, by container. */
  containers: ReadonlyMap<string, number>;
}

const RESOURCE = "ephemeral-storage";

/** Whether there is anything that its use is to be held against: if not, it need not be measured. */
export function hasStorageLimits({ spec }: Pod): boolean {
  if (!spec) return false;
  return (
    (spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) ||
    containers(spec).some(({ resources }) => resources?.limits?.[RESOURCE] !== undefined)
  );
}

export interface BrokenLimit {
  message: string;
  /** As figures name it. */
  signal: string;
}

/** What the pod is ended for; undefined while it keeps to its limits. */
export function brokenStorageLimit(
  pod: Pod,
  { volumes, total, containers: used }: StorageUse,
): BrokenLimit | undefined {
  const { spec } = pod;
  if (!spec) return undefined;
  for (const { name, emptyDir } of spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    if (limit === undefined || isZero(limit)) continue;
    if (exceeds(volumes.get(name), limit)) {
      return { signal: "emptydirfs.limit", message: emptyDirMessage(name, limit) };
    }
  }
  const limit = podLimits(pod).get(RESOURCE);
  if (limit !== undefined && containers(spec).some(isLimited) && exceeds(total, limit)) {
    return { signal: "ephemeralpodfs.limit", message: podStorageMessage(limit) };
  }
  for (const { name, resources } of containers(spec)) {
    const own = resources?.limits?.[RESOURCE];
    if (own !== undefined && exceeds(used.get(name), own)) {
      return { signal: "ephemeralcontainerfs.limit", message: containerStorageMessage(name, own) };
    }
  }
  return undefined;
}

function containers({ containers: own, initContainers = [] }: NonNullable<Pod["spec"]>): Container[] {
  return [...own, ...initContainers];
}

function isLimited({ resources }: Container): boolean {
  return resources?.limits?.[RESOURCE] !== undefined;
}

function isZero(limit: string): boolean {
  return Quantity.parse(limit).sign() === 0;
}

function exceeds(bytes: number | undefined, limit: string): boolean {
  return bytes !== undefined && bytes > Quantity.parse(limit).value();
}
