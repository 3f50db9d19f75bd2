/** Which volumes the pods of a node want attached there. */
import { createHash } from "node:crypto";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { hasPodEnded } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { ContainerStatus, Volume } from "../../api/schema/core.v1.generated.ts";
import { claimNameOf, whyNotMadeFor } from "../../api/storage/binding/pod-claims.ts";

/** One volume that is wanted on one node. */
export interface Wish {
  /** Of the VolumeAttachment. */
  name: string;
  driver: string;
  volume: PersistentVolume;
  pods: Pod[];
}

/** What claims, volumes and drivers there are. */
export interface VolumeView {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  /** What a driver's CSIDriver says; a driver without one wants it. */
  attachRequired(driver: string): boolean;
}

/** As kubelet and controllers name a volume in a node's status. */
export function uniqueVolumeName(driver: string, handle: string): string {
  return `kubernetes.io/csi/${driver}^${handle}`;
}

/** One for each volume, driver and node, so that nothing is attached twice. */
export function attachmentName(driver: string, handle: string, node: string): string {
  return `csi-${createHash("sha256").update(`${handle}${driver}${node}`).digest("hex")}`;
}

/** By the name of the attachment. */
export function wishesOf(node: string, pods: readonly Pod[], view: VolumeView): Map<string, Wish> {
  const wishes = new Map<string, Wish>();
  for (const pod of pods) {
    for (const volume of pod.spec?.volumes ?? []) {
      const bound = boundVolume(pod, volume, view);
      const csi = bound?.spec.csi;
      if (!bound || !csi || !view.attachRequired(csi.driver)) continue;
      const name = attachmentName(csi.driver, csi.volumeHandle, node);
      const wish = wishes.get(name);
      if (wish) wish.pods.push(pod);
      else wishes.set(name, { name, driver: csi.driver, volume: bound, pods: [pod] });
    }
  }
  return wishes;
}

function boundVolume(pod: Pod, volume: Volume, view: VolumeView): PersistentVolume | undefined {
  const claimName = claimNameOf(pod, volume);
  if (claimName === undefined) return undefined;
  const claim = view.claim(pod.metadata.namespace ?? "", claimName);
  if (claim?.status?.phase !== "Bound" || !claim.spec.volumeName) return undefined;
  if (volume.ephemeral && whyNotMadeFor(pod, claim) !== undefined) return undefined;
  const bound = view.volume(claim.spec.volumeName);
  return bound?.spec.claimRef?.uid === claim.metadata.uid ? bound : undefined;
}

/** Whether its containers need their volumes no more: it has ended, or is on its way out and nothing of it runs. */
export function isDone(pod: Pod): boolean {
  if (hasPodEnded(pod)) return true;
  if (pod.metadata.deletionTimestamp === undefined) return false;
  const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = pod.status ?? {};
  return [containerStatuses, initContainerStatuses, ephemeralContainerStatuses].every(nothingRuns);
}

function nothingRuns(statuses: readonly ContainerStatus[] = []): boolean {
  return statuses.every(({ state }) => state?.terminated !== undefined || state?.waiting !== undefined);
}

/** Whether pods on different nodes may have the volume at once. */
export function isSharable({ spec: { accessModes = [] } }: PersistentVolume): boolean {
  if (accessModes.length === 0) return true;
  return accessModes.includes("ReadWriteMany") || accessModes.includes("ReadOnlyMany");
}
