/** What a claim needs of the provisioner. Pure. */
import type { Node } from "../../api/core/node.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import type { PersistentVolumeSpec } from "../../api/schema/core.v1.generated.ts";
import {
  BETA_STORAGE_PROVISIONER,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from "../../api/storage/binding/annotations.ts";
import { classOf } from "../../api/storage/binding/match-volume.ts";
import type { StorageClass } from "../../api/storage/storage-class.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { DIRECTORY_ANNOTATION, FINALIZER, NODE_ANNOTATION, PROVISIONER, VOLUME_LABEL } from "./names.ts";

export type ClaimDecision =
  | { act: "none" }
  | { act: "provision"; volume: Provisioned }
  /** The node that was chosen is gone: another is to be chosen. */
  | { act: "reschedule"; node: string }
  /** It cannot be; `message` of the event. */
  | { act: "refuse"; message: string }
  /** It has grown: so does its volume, which is bound to it. */
  | { act: "expand"; volume: PersistentVolume; size: string };

/** A volume to be created. */
export type Provisioned = Pick<PersistentVolume, "metadata"> & { spec: PersistentVolumeSpec };

export interface ClaimView {
  classNamed(name: string): StorageClass | undefined;
  node(name: string): Node | undefined;
  volume(name: string): PersistentVolume | undefined;
  /** Where nodes have their directories that do not say where. */
  directory: string;
}

const HOSTNAME = "kubernetes.io/hostname";
const MODES = ["ReadWriteOnce", "ReadWriteOncePod"];

/** Whether the claim is the provisioner's at all; fast. */
export function isOwnClaim({ metadata }: PersistentVolumeClaim): boolean {
  const { annotations } = metadata;
  return (annotations?.[STORAGE_PROVISIONER] ?? annotations?.[BETA_STORAGE_PROVISIONER]) === PROVISIONER;
}

export function volumeNameOf({ metadata }: PersistentVolumeClaim): string {
  return `pvc-${metadata.uid}`;
}

export function decideClaim(claim: PersistentVolumeClaim, view: ClaimView): ClaimDecision {
  if (!isOwnClaim(claim) || claim.metadata.deletionTimestamp) return { act: "none" };
  if (claim.spec.volumeName) return decideBound(claim, view);
  if (view.volume(volumeNameOf(claim))) return { act: "none" };
  const storageClass = view.classNamed(classOf(claim));
  if (storageClass?.provisioner !== PROVISIONER) return { act: "none" };
  const chosen = claim.metadata.annotations?.[SELECTED_NODE];
  if (chosen === undefined) {
    if (storageClass.volumeBindingMode === "WaitForFirstConsumer") return { act: "none" };
    return refuse(storageClass, "a node's directory needs volumeBindingMode WaitForFirstConsumer");
  }
  const why = whyNot(claim);
  if (why !== undefined) return refuse(storageClass, why);
  const node = view.node(chosen);
  if (!node) return { act: "reschedule", node: chosen };
  return { act: "provision", volume: volumeFor(claim, storageClass, node, view.directory) };
}

function refuse({ metadata }: StorageClass, why: string): ClaimDecision {
  const message = `failed to provision volume with StorageClass "${metadata.name}": ${why}`;
  return { act: "refuse", message };
}

function whyNot({ spec }: PersistentVolumeClaim): string | undefined {
  if (spec.selector) return "claim.Spec.Selector is not supported";
  if (spec.dataSource || spec.dataSourceRef) return "volumes are made empty: data sources are not supported";
  if (spec.volumeMode === "Block")
    return "directories are no block devices: volumeMode Block is not supported";
  const wrong = (spec.accessModes ?? []).find((mode) => !MODES.includes(mode));
  return wrong === undefined
    ? undefined
    : `access mode ${wrong} is not supported: a node's directory has ${MODES.join(" and ")}`;
}

function volumeFor(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
  node: Node,
  directory: string,
): Provisioned {
  const name = volumeNameOf(claim);
  const nodeName = node.metadata.name ?? "";
  const { metadata, spec, kind, apiVersion } = claim;
  const { namespace, uid, resourceVersion } = metadata;
  return {
    metadata: {
      name,
      labels: { [VOLUME_LABEL]: "true" },
      annotations: { [PROVISIONED_BY]: PROVISIONER, [NODE_ANNOTATION]: nodeName },
      finalizers: [FINALIZER],
    },
    spec: {
      capacity: { storage: spec.resources?.requests?.storage ?? "0" },
      accessModes: spec.accessModes,
      volumeMode: "Filesystem",
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata.name,
      claimRef: { kind, apiVersion, namespace, name: metadata.name, uid, resourceVersion },
      local: { path: `${node.metadata.annotations?.[DIRECTORY_ANNOTATION] ?? directory}/${name}` },
      nodeAffinity: { required: { nodeSelectorTerms: [termOf(node)] } },
    },
  };
}

function termOf({ metadata }: Node) {
  const hostname = metadata.labels?.[HOSTNAME];
  return hostname === undefined
    ? { matchFields: [{ key: "metadata.name", operator: "In", values: [metadata.name ?? ""] }] }
    : { matchExpressions: [{ key: HOSTNAME, operator: "In", values: [hostname] }] };
}

function decideBound(claim: PersistentVolumeClaim, view: ClaimView): ClaimDecision {
  const volume = view.volume(claim.spec.volumeName ?? "");
  const size = claim.spec.resources?.requests?.storage;
  const known = claim.status?.capacity?.storage;
  const isOwn =
    volume?.metadata.annotations?.[PROVISIONED_BY] === PROVISIONER &&
    volume.spec.claimRef?.uid === claim.metadata.uid;
  if (!isOwn || claim.status?.phase !== "Bound" || size === undefined || known === undefined) {
    return { act: "none" };
  }
  return Quantity.parse(size).compare(Quantity.parse(known)) > 0
    ? { act: "expand", volume, size }
    : { act: "none" };
}
