import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { isDNS1123Subdomain } from "../../machinery/names/names.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { validateAccessModes } from "./access-modes.ts";
import { immutableField } from "./immutable.ts";
import type { PersistentVolume, PersistentVolumeSpec } from "./persistent-volume.ts";

const at = FieldPath.root("spec");

/** The fields of which a volume has exactly one. */
const SOURCES = [
  "awsElasticBlockStore",
  "azureDisk",
  "azureFile",
  "cephfs",
  "cinder",
  "csi",
  "fc",
  "flexVolume",
  "flocker",
  "gcePersistentDisk",
  "glusterfs",
  "hostPath",
  "iscsi",
  "local",
  "nfs",
  "photonPersistentDisk",
  "portworxVolume",
  "quobyte",
  "rbd",
  "scaleIO",
  "storageos",
  "vsphereVolume",
] as const;

/** Texts that each source cannot be without. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  csi: ["driver", "volumeHandle"],
  hostPath: ["path"],
  local: ["path"],
  nfs: ["server", "path"],
  iscsi: ["targetPortal", "iqn"],
  cinder: ["volumeID"],
  azureFile: ["secretName", "shareName"],
  flexVolume: ["driver"],
  vsphereVolume: ["volumePath"],
};

export function validatePersistentVolume({ spec }: PersistentVolume): FieldError[] {
  const errors = validateAccessModes(spec.accessModes, at.child("accessModes"));
  validateCapacity(spec.capacity ?? {}, errors);
  const policies = ["Delete", "Recycle", "Retain"];
  const policy = spec.persistentVolumeReclaimPolicy ?? "";
  const policyPath = at.child("persistentVolumeReclaimPolicy");
  if (policy !== "" && !policies.includes(policy)) errors.push(notSupported(policyPath, policy, policies));
  if (policy === "Recycle" && spec.hostPath?.path?.replace(/\/+$/, "") === "") {
    errors.push(forbiddenField(policyPath, "may not be 'recycle' for a hostPath mount of '/'"));
  }
  validateSource(spec, errors);
  if (spec.storageClassName) errors.push(...classNameErrors(spec.storageClassName, "storageClassName"));
  if (spec.volumeAttributesClassName !== undefined) {
    errors.push(...classNameErrors(spec.volumeAttributesClassName, "volumeAttributesClassName"));
  }
  errors.push(...validateVolumeMode(spec.volumeMode));
  if (spec.nodeAffinity && !spec.nodeAffinity.required) {
    errors.push(required(at.child("nodeAffinity", "required"), "must specify required node constraints"));
  }
  return errors;
}

export function classNameErrors(name: string, field: string): FieldError[] {
  return isDNS1123Subdomain(name).map((text) => invalidValue(at.child(field), name, text));
}

export function validateVolumeMode(mode: string | undefined): FieldError[] {
  const modes = ["Block", "Filesystem"];
  return mode === undefined || modes.includes(mode)
    ? []
    : [notSupported(at.child("volumeMode"), mode, modes)];
}

function validateCapacity(capacity: Record<string, string>, errors: FieldError[]): void {
  const path = at.child("capacity");
  const names = Object.keys(capacity);
  if (names.length === 0) errors.push(required(path));
  else if (names.length > 1 || names[0] !== "storage") errors.push(notSupported(path, capacity, ["storage"]));
  for (const name of names) {
    const value = capacity[name] as string;
    if (Quantity.parse(value).sign() <= 0) {
      errors.push(invalidValue(path.key(name), value, "must be greater than zero"));
    }
  }
}

function validateSource(spec: PersistentVolumeSpec, errors: FieldError[]): void {
  const all = spec as unknown as Record<string, Record<string, unknown> | undefined>;
  const given = SOURCES.filter((source) => all[source]);
  if (given.length === 0) errors.push(required(at, "must specify a volume type"));
  for (const source of given.slice(1)) {
    errors.push(forbiddenField(at.child(source), "may not specify more than 1 volume type"));
  }
  const source = given[0];
  if (!source) return;
  for (const field of NEEDED[source] ?? []) {
    if (!all[source]?.[field]) errors.push(required(at.child(source, field)));
  }
  if (source === "nfs" && spec.nfs?.path && !spec.nfs.path.startsWith("/")) {
    errors.push(invalidValue(at.child("nfs", "path"), spec.nfs.path, "must be an absolute path"));
  }
  const path = source === "hostPath" || source === "local" ? spec[source]?.path : undefined;
  if (path?.split("/").includes("..")) {
    errors.push(invalidValue(at.child(source, "path"), path, "must not contain '..'"));
  }
  if (source === "local" && !spec.nodeAffinity) {
    errors.push(required(at.child("nodeAffinity"), "Local volume requires node affinity"));
  }
}

export function validatePersistentVolumeUpdate(
  { spec }: PersistentVolume,
  old: PersistentVolume,
): FieldError[] {
  const errors: FieldError[] = [];
  const [now, was] = [spec, old.spec] as unknown as Record<string, unknown>[];
  if (SOURCES.some((source) => !semanticEqual(now?.[source], was?.[source]))) {
    const why = "spec.persistentvolumesource is immutable after creation";
    errors.push(forbiddenField(at.child("persistentvolumesource"), why));
  }
  errors.push(...immutableField(at.child("volumeMode"), spec.volumeMode, old.spec.volumeMode));
  if (old.spec.nodeAffinity) {
    errors.push(...immutableField(at.child("nodeAffinity"), spec.nodeAffinity, old.spec.nodeAffinity));
  }
  return errors;
}
