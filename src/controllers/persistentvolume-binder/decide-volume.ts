/**
 * What a volume needs done, beside being bound, which its claim sees to.
 *
 *   Pending ──▶ Available ──▶ Bound ── its claim goes ──▶ Released ── cannot be reclaimed ──▶ Failed
 *                   ▲           │ its claim has another volume
 *                   └───────────┘
 */
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import {
  BOUND_BY_CONTROLLER,
  IN_TREE_FINALIZER,
  MIGRATED_TO,
  PROVISIONED_BY,
} from "../../api/storage/binding/annotations.ts";
import { volumeModesDiffer } from "../../api/storage/binding/match-volume.ts";
import { externalProvisioner } from "../../api/storage/binding/storage-classes.ts";

export type VolumeDecision =
  | { act: "phase"; phase: "Available" | "Bound" | "Released" }
  /** Its claim is gone and it cannot be brought back or deleted: `reason` of the event, `message` of the status too. */
  | { act: "fail"; reason: string; message: string }
  /** Taken from a claim that has another volume: forgotten where a controller chose it, else kept for it. */
  | { act: "unbind" }
  /** It names a claim that names no volume yet. */
  | { act: "askClaim" }
  /** As askClaim, but the two cannot be bound. */
  | { act: "tellModes" }
  | { act: "none" };

/** `claim` is the one of the volume's claimRef, with the uid it names; undefined: there is none such. */
export function decideVolume(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim | undefined,
): VolumeDecision {
  const { claimRef, persistentVolumeReclaimPolicy } = volume.spec;
  if (!claimRef?.uid) return { act: "phase", phase: "Available" };
  if (!claim) return decideReleased(volume);
  if (claim.spec.volumeName === volume.metadata.name) return { act: "phase", phase: "Bound" };
  if (!claim.spec.volumeName) return { act: volumeModesDiffer(claim, volume) ? "tellModes" : "askClaim" };
  const provisioned = volume.metadata.annotations?.[PROVISIONED_BY] !== undefined;
  // It was made for the claim alone, which has got another since.
  if (provisioned && persistentVolumeReclaimPolicy === "Delete") return decideReleased(volume);
  return { act: "unbind" };
}

function decideReleased(volume: PersistentVolume): VolumeDecision {
  const { phase } = volume.status ?? {};
  // A failure stays to be seen.
  if (phase !== "Released" && phase !== "Failed") return { act: "phase", phase: "Released" };
  const failure = whyNotReclaimed(volume);
  return failure ? { act: "fail", ...failure } : { act: "none" };
}

/** No plugin is left that could empty or delete volumes; drivers delete those that they made. */
function whyNotReclaimed({
  metadata,
  spec,
}: PersistentVolume): { reason: string; message: string } | undefined {
  if (metadata.annotations?.[MIGRATED_TO] !== undefined) return undefined;
  switch (spec.persistentVolumeReclaimPolicy) {
    case "Recycle":
      return { reason: "VolumeFailedRecycle", message: "No recycler plugin found for the volume!" };
    case "Delete": {
      const provisioner = metadata.annotations?.[PROVISIONED_BY];
      if (provisioner && externalProvisioner(provisioner) !== undefined) return undefined;
      const why = "no deletable volume plugin matched";
      const message = `error getting deleter volume plugin for volume "${metadata.name}": ${why}`;
      return { reason: "VolumeFailedDelete", message };
    }
    default:
      return undefined;
  }
}

/** Without what held it while an in-tree plugin deleted it, which a driver does now; undefined: nothing to change. */
export function migratedFinalizers({ metadata }: PersistentVolume): string[] | undefined {
  const provisioner = metadata.annotations?.[PROVISIONED_BY] ?? "";
  if (!provisioner.startsWith("kubernetes.io/") || externalProvisioner(provisioner) === undefined) {
    return undefined;
  }
  if (!metadata.finalizers?.includes(IN_TREE_FINALIZER)) return undefined;
  return metadata.finalizers.filter((name) => name !== IN_TREE_FINALIZER);
}

/** The volume as its claim's own, and the claim as the volume's; undefined where one is so already. */
export function boundVolume(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): PersistentVolume | undefined {
  const { claimRef } = volume.spec;
  const { uid, namespace, name, resourceVersion } = claim.metadata;
  if (claimRef && claimRef.uid === uid && claimRef.namespace === namespace && claimRef.name === name) {
    return undefined;
  }
  // What a user reserved for the claim was not the controller's choice.
  const chosen = !(claimRef && claimRef.namespace === namespace && claimRef.name === name && !claimRef.uid);
  const annotations = { ...volume.metadata.annotations, ...(chosen && { [BOUND_BY_CONTROLLER]: "yes" }) };
  const reference = { kind: claim.kind, apiVersion: claim.apiVersion, namespace, name, uid, resourceVersion };
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(chosen && { annotations }) },
    spec: { ...volume.spec, claimRef: reference },
  };
}

export function unboundVolume(volume: PersistentVolume): PersistentVolume {
  const { claimRef, ...spec } = volume.spec;
  const { [BOUND_BY_CONTROLLER]: chosen, ...annotations } = volume.metadata.annotations ?? {};
  if (chosen !== undefined) return { ...volume, metadata: { ...volume.metadata, annotations }, spec };
  const { uid: _, ...reserved } = claimRef ?? {};
  return { ...volume, spec: { ...spec, claimRef: reserved } };
}
