/**
 * What a claim needs done.
 *
 *   Pending ── a volume fits ──▶ bind ──▶ Bound ── its volume goes or is another's ──▶ Lost
 *      │ none: waits for a consumer, for a provisioner, or for an administrator
 */
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { CLASS_ANNOTATION } from "../../api/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  STORAGE_PROVISIONER,
} from "../../api/storage/binding/annotations.ts";
import {
  classOf,
  findMatchingVolume,
  isReservedFor,
  whyUnfit,
} from "../../api/storage/binding/match-volume.ts";
import {
  externalProvisioner,
  hasSelectedNode,
  waitsForConsumer,
} from "../../api/storage/binding/storage-classes.ts";
import type { StorageClass } from "../../api/storage/storage-class.ts";

export interface Note {
  type: "Normal" | "Warning";
  reason: string;
  note: string;
}

export type ClaimDecision =
  | { act: "bind"; volume: PersistentVolume }
  /** Into a phase without a volume; told where the phase is new, or always. */
  | { act: "phase"; phase: "Pending" | "Lost"; tell?: Note }
  /** The cluster has got a default class since the claim was made. */
  | { act: "setClass"; name: string }
  /** Asks a provisioner, by annotation. */
  | { act: "askProvisioner"; name: string };

/** What the decision may look at beside the claim. */
export interface ClaimView {
  /** The volume that the claim names. */
  named?: PersistentVolume;
  /** Volumes that name the claim, and available ones of its class. */
  candidates(): Iterable<PersistentVolume>;
  classNamed(name: string): StorageClass | undefined;
  defaultClass(): StorageClass | undefined;
  /** The pods that use the claim and have no node. */
  unscheduledPods(): readonly string[];
}

export function decideClaim(claim: PersistentVolumeClaim, view: ClaimView): ClaimDecision {
  if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) return decideBound(claim, view.named);
  return claim.spec.volumeName ? decideNamed(claim, view.named) : decideFree(claim, view);
}

function decideBound(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): ClaimDecision {
  if (!claim.spec.volumeName) {
    return lost(
      "ClaimLost",
      "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
    );
  }
  if (!volume) {
    return lost("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  }
  const { claimRef } = volume.spec;
  if (!claimRef || claimRef.uid === claim.metadata.uid) return { act: "bind", volume };
  return lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}

function lost(reason: string, note: string): ClaimDecision {
  return { act: "phase", phase: "Lost", tell: { type: "Warning", reason, note } };
}

function pending(tell?: Note): ClaimDecision {
  return { act: "phase", phase: "Pending", tell };
}

/** A claim that asks for one volume gets that or none. */
function decideNamed(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): ClaimDecision {
  if (!volume) return pending();
  const name = JSON.stringify(volume.metadata.name);
  if (!volume.spec.claimRef) {
    const why = whyUnfit(volume, claim);
    if (why === undefined) return { act: "bind", volume };
    const note = `Cannot bind to requested volume ${name}: ${why}`;
    return pending({ type: "Warning", reason: "VolumeMismatch", note });
  }
  if (isReservedFor(volume, claim)) return { act: "bind", volume };
  if (claim.metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined) {
    const { namespace, name: other } = volume.spec.claimRef;
    const own = `${claim.metadata.namespace}/${claim.metadata.name}`;
    throw new Error(
      `invalid binding of claim ${own} to volume ${name}: it is claimed by ${namespace}/${other}`,
    );
  }
  const note = `volume ${name} already bound to a different claim.`;
  return pending({ type: "Warning", reason: "FailedBinding", note });
}

function decideFree(claim: PersistentVolumeClaim, view: ClaimView): ClaimDecision {
  const className = classOf(claim);
  const storageClass = className === "" ? undefined : view.classNamed(className);
  const delayBinding = !hasSelectedNode(claim) && waitsForConsumer(storageClass);
  const volume = findMatchingVolume(claim, view.candidates(), { delayBinding });
  if (volume) return { act: "bind", volume };
  if (claim.spec.storageClassName === undefined && !claim.metadata.annotations?.[CLASS_ANNOTATION]) {
    const given = view.defaultClass()?.metadata.name;
    if (given !== undefined) return { act: "setClass", name: given };
  }
  if (delayBinding) return pending(waitingNote(view.unscheduledPods()));
  if (className === "") {
    const note = "no persistent volumes available for this claim and no storage class is set";
    return pending({ type: "Normal", reason: "FailedBinding", note });
  }
  if (!storageClass) return provisioningFailed(`storageclass.storage.k8s.io "${className}" not found`);
  return provision(claim, storageClass);
}

function waitingNote(pods: readonly string[]): Note {
  if (pods.length === 0) {
    const note = "waiting for first consumer to be created before binding";
    return { type: "Normal", reason: "WaitForFirstConsumer", note };
  }
  const named = pods.length === 1 ? `pod ${pods[0]}` : `pods ${pods.join(",")}`;
  return { type: "Normal", reason: "WaitForPodScheduled", note: `waiting for ${named} to be scheduled` };
}

function provisioningFailed(note: string): ClaimDecision {
  return pending({ type: "Warning", reason: "ProvisioningFailed", note });
}

/** No provisioner is part of the cluster: one that watches claims is asked, and told of in the claim's events. */
function provision({ metadata }: PersistentVolumeClaim, { provisioner }: StorageClass): ClaimDecision {
  const name = externalProvisioner(provisioner);
  if (name === undefined) return provisioningFailed(`no volume plugin matched name: ${provisioner}`);
  const { annotations } = metadata;
  const asked = annotations?.[STORAGE_PROVISIONER] === name && annotations[BETA_STORAGE_PROVISIONER] === name;
  if (!asked) return { act: "askProvisioner", name };
  const note =
    `Waiting for a volume to be created either by the external provisioner '${name}' or manually by the system ` +
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
  return pending({ type: "Normal", reason: "ExternalProvisioning", note });
}
