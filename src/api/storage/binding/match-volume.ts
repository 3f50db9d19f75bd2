/**
 * Which volume a claim gets. The binder asks without a node, the scheduler with the one that it has in mind
 * (k8s.io/component-helpers/storage/volume).
 */
import { Quantity } from "../../../machinery/quantity/quantity.ts";
import { labelSelectorOf } from "../../../machinery/selectors/labels.ts";
import type { LabelledNode } from "../../core/node-selector.ts";
import { storageClassOf } from "../../core/persistent-volume.ts";
import type {
  ObjectReference,
  PersistentVolume,
  PersistentVolumeClaim,
} from "../../schema/core.v1.generated.ts";
import { volumeAllowsNode } from "./topology.ts";

export interface MatchOptions {
  /** Only volumes that this node can use. */
  node?: LabelledNode;
  /** By name; for volumes that others are about to get. */
  excluded?: ReadonlySet<string>;
  /** The claim's class waits for a consumer: without a node only a volume that names the claim will do. */
  delayBinding?: boolean;
}

/** The class of a claim or a volume; "" for none. */
export function classOf(object: PersistentVolume | PersistentVolumeClaim): string {
  return storageClassOf({ ...object, spec: object.spec ?? {} });
}

/** Whether the volume names the claim, by uid or, reserved by a user, without. */
export function isReservedFor(volume: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const reference = volume.spec?.claimRef;
  if (!reference || !namesClaim(reference, metadata)) return false;
  return !reference.uid || reference.uid === metadata.uid;
}

function namesClaim(reference: ObjectReference, { namespace, name }: { namespace?: string; name?: string }) {
  return reference.name === name && reference.namespace === namespace;
}

export function storageRequest({ spec }: PersistentVolumeClaim): Quantity {
  return Quantity.parse(spec?.resources?.requests?.storage ?? "0");
}

function capacityOf({ spec }: PersistentVolume): Quantity {
  return Quantity.parse(spec?.capacity?.storage ?? "0");
}

/** Whether one is a block device and the other a file system. */
export function volumeModesDiffer(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  return (claim.spec?.volumeMode || "Filesystem") !== (volume.spec?.volumeMode || "Filesystem");
}

export function offersAccessModes(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const offered = volume.spec?.accessModes ?? [];
  return (claim.spec?.accessModes ?? []).every((mode) => offered.includes(mode));
}

function attributesClassOf({ spec }: PersistentVolume | PersistentVolumeClaim): string {
  return spec?.volumeAttributesClassName ?? "";
}

/**
 * The volume that names the claim, where it will do; else of the available ones the smallest of those with the fewest
 * access modes beside the wanted. `volumes` are the candidates in any order.
 */
export function findMatchingVolume<V extends PersistentVolume>(
  claim: PersistentVolumeClaim,
  volumes: Iterable<V>,
  { node, excluded, delayBinding = false }: MatchOptions = {},
): V | undefined {
  const wanted = storageRequest(claim);
  const wantedClass = classOf(claim);
  const attributesClass = attributesClassOf(claim);
  const selector = claim.spec?.selector && labelSelectorOf(claim.spec.selector);
  let best: V | undefined;
  for (const volume of volumes) {
    if (excluded?.has(volume.metadata.name ?? "")) continue;
    const reserved = isReservedFor(volume, claim);
    if (volume.spec?.claimRef && !reserved) continue;
    if (volume.metadata.deletionTimestamp !== undefined || !offersAccessModes(volume, claim)) continue;
    if (capacityOf(volume).compare(wanted) < 0 || volumeModesDiffer(claim, volume)) continue;
    if (attributesClassOf(volume) !== attributesClass) continue;
    const reachable = !node || volumeAllowsNode(volume, node);
    if (reserved) return reachable ? volume : undefined;
    if (!reachable || (delayBinding && !node)) continue;
    if (volume.status?.phase !== "Available" || classOf(volume) !== wantedClass) continue;
    if (selector && !selector.matches(volume.metadata.labels)) continue;
    if (!best || compareFit(volume, best) < 0) best = volume;
  }
  return best;
}

/** What fits tighter comes first; names make the order whole. */
function compareFit(a: PersistentVolume, b: PersistentVolume): number {
  const modes = (a.spec?.accessModes?.length ?? 0) - (b.spec?.accessModes?.length ?? 0);
  if (modes !== 0) return modes;
  const size = capacityOf(a).compare(capacityOf(b));
  if (size !== 0) return size;
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}

/** Why a claim cannot have the volume that it asks for by name; undefined: it can. */
export function whyUnfit(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined) {
    return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name)}`;
  }
  if (capacityOf(volume).compare(storageRequest(claim)) < 0) return "requested PV is too small";
  if (classOf(volume) !== classOf(claim)) return "storageClassName does not match";
  if (attributesClassOf(volume) !== attributesClassOf(claim)) {
    return "volumeAttributesClassName does not match";
  }
  if (volumeModesDiffer(claim, volume)) return "incompatible volumeMode";
  if (!offersAccessModes(volume, claim)) return "incompatible accessMode";
  return undefined;
}
