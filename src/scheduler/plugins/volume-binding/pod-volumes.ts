/** The claims of a pod, sorted by what is to be done about them, and what a node means for them. */
import type { PersistentVolume } from "../../../api/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../../api/core/persistent-volume-claim.ts";
import type { Pod } from "../../../api/core/pods.ts";
import { BIND_COMPLETED, SELECTED_NODE } from "../../../api/storage/binding/annotations.ts";
import { classOf, findMatchingVolume, storageRequest } from "../../../api/storage/binding/match-volume.ts";
import { claimNameOf, whyNotMadeFor } from "../../../api/storage/binding/pod-claims.ts";
import { NO_PROVISIONER, waitsForConsumer } from "../../../api/storage/binding/storage-classes.ts";
import { classAllowsNode, hasCapacityFor, volumeAllowsNode } from "../../../api/storage/binding/topology.ts";
import type { CSIDriver } from "../../../api/storage/csi-driver.ts";
import type { CSIStorageCapacity } from "../../../api/storage/csi-storage-capacity.ts";
import type { StorageClass } from "../../../api/storage/storage-class.ts";
import type { Lister } from "../../../client/informer/object-store.ts";
import type { AssumedObjects } from "../../framework/assumed-objects.ts";
import type { NodeInfo } from "../../framework/node-info.ts";

export interface Storage {
  claims: AssumedObjects<PersistentVolumeClaim>;
  volumes: AssumedObjects<PersistentVolume>;
  classes: Lister<StorageClass>;
  drivers: Lister<CSIDriver>;
  capacities: Lister<CSIStorageCapacity>;
}

export interface PodClaims {
  bound: readonly PersistentVolumeClaim[];
  /** To be bound once the pod has a node. */
  delayed: readonly PersistentVolumeClaim[];
  /** To be bound by others, before. */
  immediate: readonly PersistentVolumeClaim[];
}

export function isBound({ spec, metadata }: PersistentVolumeClaim): boolean {
  return Boolean(spec?.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined;
}

/** Undefined: the pod has none. A text says why they cannot be used. */
export function claimsOf(pod: Pod, { claims, classes }: Storage): PodClaims | string | undefined {
  const found: {
    bound: PersistentVolumeClaim[];
    delayed: PersistentVolumeClaim[];
    immediate: PersistentVolumeClaim[];
  } = { bound: [], delayed: [], immediate: [] };
  let hasClaims = false;
  for (const volume of pod.spec?.volumes ?? []) {
    const name = claimNameOf(pod, volume);
    if (name === undefined) continue;
    hasClaims = true;
    const claim = claims.get(pod.metadata.namespace ?? "", name);
    const quoted = JSON.stringify(name);
    if (!claim) {
      return volume.ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
        : `persistentvolumeclaim ${quoted} not found`;
    }
    if (claim.metadata.deletionTimestamp !== undefined)
      return `persistentvolumeclaim ${quoted} is being deleted`;
    if (claim.status?.phase === "Lost") {
      return `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${JSON.stringify(claim.spec?.volumeName ?? "")}`;
    }
    const foreign = volume.ephemeral && whyNotMadeFor(pod, claim);
    if (foreign) return foreign;
    const waits = waitsForConsumer(classes.get("", classOf(claim))) && !claim.spec?.volumeName;
    if (isBound(claim)) found.bound.push(claim);
    else (waits ? found.delayed : found.immediate).push(claim);
  }
  return hasClaims ? found : undefined;
}

/** What is to be done for a pod on a node. */
export interface Choice {
  /** Volumes that the claims get. */
  bindings: readonly { claim: PersistentVolumeClaim; volume: PersistentVolume }[];
  /** Claims for which volumes are to be made. */
  provisions: readonly PersistentVolumeClaim[];
}

export const REASONS = {
  conflict: "node(s) didn't find available persistent volumes to bind",
  affinity: "node(s) had volume node affinity conflict",
  missing: "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
  space: "node(s) did not have enough free storage",
} as const;

type Reason = (typeof REASONS)[keyof typeof REASONS];

/** Why pods on the node cannot use volumes that are bound already. */
function boundTrouble(
  claims: readonly PersistentVolumeClaim[],
  node: NodeInfo,
  storage: Storage,
): Reason | undefined {
  for (const { spec } of claims) {
    const volume = storage.volumes.get("", spec?.volumeName ?? "");
    if (!volume) return REASONS.missing;
    if (!volumeAllowsNode(volume, node.node)) return REASONS.affinity;
  }
  return undefined;
}

function provisionTrouble(
  claim: PersistentVolumeClaim,
  { node }: NodeInfo,
  storage: Storage,
): Reason | undefined {
  const storageClass = storage.classes.get("", classOf(claim));
  const provisioner = storageClass?.provisioner ?? "";
  if (!storageClass || provisioner === "" || provisioner === NO_PROVISIONER) return REASONS.conflict;
  if (!classAllowsNode(storageClass, node)) return REASONS.conflict;
  if (!storage.drivers.get("", provisioner)?.spec?.storageCapacity) return undefined;
  const name = storageClass.metadata.name ?? "";
  const reports = storage.capacities.list();
  return hasCapacityFor(node, name, storageRequest(claim), reports) ? undefined : REASONS.space;
}

/** The volumes for the pod's claims on the node, or what stands against it. */
export function choose(
  { bound, delayed }: PodClaims,
  node: NodeInfo,
  storage: Storage,
): Choice | readonly Reason[] {
  const trouble = new Set<Reason>();
  const bindings: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
  const provisions: PersistentVolumeClaim[] = [];
  const taken = new Set<string>();
  // The smallest claims first, so that they leave the larger volumes to the others.
  const sorted =
    delayed.length > 1 ? delayed.toSorted((a, b) => storageRequest(a).compare(storageRequest(b))) : delayed;
  for (const claim of sorted) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (selected !== undefined && selected !== node.name) {
      trouble.add(REASONS.conflict);
      continue;
    }
    const volume =
      selected === undefined
        ? findMatchingVolume(claim, storage.volumes.list(), {
            node: node.node,
            excluded: taken,
            delayBinding: true,
          })
        : undefined;
    if (volume) {
      taken.add(volume.metadata.name ?? "");
      bindings.push({ claim, volume });
      continue;
    }
    const cannot = provisionTrouble(claim, node, storage);
    if (cannot) trouble.add(cannot);
    else provisions.push(claim);
  }
  const ofBound = boundTrouble(bound, node, storage);
  if (ofBound) trouble.add(ofBound);
  return trouble.size > 0 ? [...trouble] : { bindings, provisions };
}
