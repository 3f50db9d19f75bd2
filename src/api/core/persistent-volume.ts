import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import type {
  PersistentVolumeSpec,
  PersistentVolume as PersistentVolumeType,
} from "../schema/core.v1.generated.ts";
import { formatAccessModes } from "./access-modes.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { take } from "./take.ts";
import { validatePersistentVolume, validatePersistentVolumeUpdate } from "./validate-persistent-volume.ts";

export type { PersistentVolumeSpec };
/** Defaults give every volume a spec. */
export interface PersistentVolume extends PersistentVolumeType {
  spec: PersistentVolumeSpec;
}

export const PersistentVolume = defineResource<PersistentVolume>({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  scope: "Cluster",
  shortNames: ["pv"],
  definition: "core.v1.PersistentVolume",
  returnsDeletedObject: true,
  validateName: nameIsDNSSubdomain,
  defaults,
  prepareForCreate(volume, { now }) {
    volume.status = { phase: "Pending", lastPhaseTransitionTime: now };
  },
  prepareForUpdate: (volume, old) => take(volume, old, "status"),
  validate: validatePersistentVolume,
  validateUpdate: validatePersistentVolumeUpdate,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare(volume, old, { now }) {
        volume.spec = old.spec;
        const { status } = volume;
        if (!status || status.phase === old.status?.phase) return;
        if (status.lastPhaseTransitionTime === old.status?.lastPhaseTransitionTime) {
          volume.status = { ...status, lastPhaseTransitionTime: now };
        }
      },
      resets: ["spec"],
    },
  },
  columns: [
    nameColumn,
    { name: "Capacity", type: "string", cell: ({ spec }) => spec.capacity?.storage ?? "0" },
    { name: "Access Modes", type: "string", cell: ({ spec }) => formatAccessModes(spec.accessModes) },
    { name: "Reclaim Policy", type: "string", cell: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? "" },
    { name: "Status", type: "string", cell: ({ metadata, status }) => phaseText(metadata, status?.phase) },
    { name: "Claim", type: "string", cell: ({ spec }) => claimText(spec.claimRef) },
    { name: "StorageClass", type: "string", cell: storageClassOf },
    {
      name: "VolumeAttributesClass",
      type: "string",
      cell: ({ spec }) => unset(spec.volumeAttributesClassName),
    },
    { name: "Reason", type: "string", cell: ({ status }) => status?.reason ?? "" },
    ageColumn,
    { name: "VolumeMode", type: "string", priority: 1, cell: ({ spec }) => unset(spec.volumeMode) },
  ],
  fields: { name: ({ metadata }) => metadata.name ?? "" },
});

export function unset(text: string | undefined): string {
  return text || "<unset>";
}

/** What is deleted but held by a finalizer shows so. */
export function phaseText({ deletionTimestamp }: KubeObject["metadata"], phase = ""): string {
  return deletionTimestamp ? "Terminating" : phase;
}

/** Where volumes and claims named their class before there was a field. */
export const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** The class, from the annotation that came before the field where it is there. */
export function storageClassOf({
  metadata,
  spec,
}: KubeObject & { spec: { storageClassName?: string } }): string {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? "";
}

function claimText(claim: PersistentVolumeSpec["claimRef"]): string {
  return claim ? `${claim.namespace ?? ""}/${claim.name ?? ""}` : "";
}

function defaults(volume: PersistentVolume): void {
  volume.spec ??= {};
  volume.status ??= {};
  volume.status.phase ||= "Pending";
  const { spec } = volume;
  spec.persistentVolumeReclaimPolicy ||= "Retain";
  spec.volumeMode ??= "Filesystem";
  if (spec.hostPath) spec.hostPath.type ??= "";
  if (spec.iscsi) spec.iscsi.iscsiInterface ||= "default";
  if (spec.rbd) {
    spec.rbd.pool ||= "rbd";
    spec.rbd.user ||= "admin";
    spec.rbd.keyring ||= "/etc/ceph/keyring";
  }
}
