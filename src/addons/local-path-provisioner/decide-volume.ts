/**
 * What one of the provisioner's volumes needs. Pure.
 *
 *   Released ──▶ deleted ──▶ its node removes the directory and says so ──▶ let go
 *                    └── nothing to remove: reclaim policy Retain, no such node ──▲
 */
import type { Node } from "../../api/core/node.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PROVISIONED_BY } from "../../api/storage/binding/annotations.ts";
import {
  DIRECTORY_ANNOTATION,
  FINALIZER,
  listed,
  NODE_ANNOTATION,
  PROVISIONER,
  PV_PROTECTION,
  REMOVED_ANNOTATION,
} from "./names.ts";

export type VolumeDecision = "none" | "delete" | "letGo";

export function isOwnVolume({ metadata }: PersistentVolume): boolean {
  return metadata.annotations?.[PROVISIONED_BY] === PROVISIONER;
}

/** `node` is the one that has the directory; undefined where it is no more. */
export function decideVolume(volume: PersistentVolume, node: Node | undefined): VolumeDecision {
  const { metadata, spec, status } = volume;
  if (!isOwnVolume(volume)) return "none";
  if (!metadata.deletionTimestamp) {
    return status?.phase === "Released" && spec.persistentVolumeReclaimPolicy === "Delete"
      ? "delete"
      : "none";
  }
  if (!metadata.finalizers?.includes(FINALIZER) || isInUse(volume)) return "none";
  if (!isToBeRemoved(volume) || node?.metadata.annotations?.[DIRECTORY_ANNOTATION] === undefined)
    return "letGo";
  const removed = listed(node.metadata.annotations[REMOVED_ANNOTATION]);
  return removed.includes(metadata.name ?? "") ? "letGo" : "none";
}

/** Whether the node is to remove the volume's directory, now. */
export function isToBeRemoved(volume: PersistentVolume): boolean {
  const { metadata, spec } = volume;
  return (
    isOwnVolume(volume) &&
    metadata.deletionTimestamp !== undefined &&
    spec.persistentVolumeReclaimPolicy === "Delete" &&
    !isInUse(volume)
  );
}

export function nodeOf({ metadata }: PersistentVolume): string {
  return metadata.annotations?.[NODE_ANNOTATION] ?? "";
}

function isInUse({ metadata }: PersistentVolume): boolean {
  return metadata.finalizers?.includes(PV_PROTECTION) ?? false;
}
