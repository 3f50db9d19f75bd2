/** A claim as it is once something was decided about it; undefined where it is so already. */
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  STORAGE_PROVISIONER,
} from "../../api/storage/binding/annotations.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";

export function boundClaim(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): PersistentVolumeClaim | undefined {
  const chosen = claim.spec.volumeName !== volume.metadata.name;
  const known = claim.metadata.annotations ?? {};
  if (!chosen && known[BIND_COMPLETED] !== undefined) return undefined;
  const annotations = {
    ...known,
    ...(chosen && { [BOUND_BY_CONTROLLER]: "yes" }),
    ...(known[BIND_COMPLETED] === undefined && { [BIND_COMPLETED]: "yes" }),
  };
  return {
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  };
}

export function claimAsking(claim: PersistentVolumeClaim, provisioner: string): PersistentVolumeClaim {
  const asked = { [BETA_STORAGE_PROVISIONER]: provisioner, [STORAGE_PROVISIONER]: provisioner };
  const annotations = { ...claim.metadata.annotations, ...asked };
  return { ...claim, metadata: { ...claim.metadata, annotations } };
}

/** A bound claim shows what its volume gives; a size that it shows already may have changed since, by expansion. */
export function claimInPhase(
  claim: PersistentVolumeClaim,
  phase: "Pending" | "Bound" | "Lost",
  volume?: PersistentVolume,
): PersistentVolumeClaim | undefined {
  const was = claim.status ?? {};
  const { accessModes: _a, capacity: _c, currentVolumeAttributesClassName, ...rest } = was;
  const status: NonNullable<PersistentVolumeClaim["status"]> = { ...rest, phase };
  if (currentVolumeAttributesClassName !== undefined) {
    status.currentVolumeAttributesClassName = currentVolumeAttributesClassName;
  }
  if (volume) {
    const fresh = was.phase !== phase;
    status.accessModes = volume.spec.accessModes;
    status.capacity = fresh ? volume.spec.capacity : was.capacity;
    if (fresh && volume.spec.volumeAttributesClassName) {
      status.currentVolumeAttributesClassName = volume.spec.volumeAttributesClassName;
    }
  }
  if (semanticEqual(status, was)) return undefined;
  return { ...claim, status };
}
