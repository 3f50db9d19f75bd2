import {
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { defineResource } from "../resource.ts";
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaim as PersistentVolumeClaimType,
} from "../schema/core.v1.generated.ts";
import { formatAccessModes, validateAccessModes } from "./access-modes.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { CLASS_ANNOTATION, phaseText, storageClassOf, unset } from "./persistent-volume.ts";
import { take } from "./take.ts";
import { classNameErrors, validateVolumeMode } from "./validate-persistent-volume.ts";

export type { PersistentVolumeClaimSpec };
/** Defaults give every claim a spec. */
export interface PersistentVolumeClaim extends PersistentVolumeClaimType {
  spec: PersistentVolumeClaimSpec;
}

const at = FieldPath.root("spec");

export const PersistentVolumeClaim = defineResource<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  scope: "Namespaced",
  shortNames: ["pvc"],
  definition: "core.v1.PersistentVolumeClaim",
  returnsDeletedObject: true,
  validateName: nameIsDNSSubdomain,
  defaults,
  prepareForCreate(claim) {
    claim.status = { phase: "Pending" };
  },
  prepareForUpdate: (claim, old) => take(claim, old, "status"),
  validate,
  validateUpdate,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: (claim, old) => take(claim, old, "spec"),
      resets: ["spec"],
    },
  },
  columns: [
    nameColumn,
    { name: "Status", type: "string", cell: ({ metadata, status }) => phaseText(metadata, status?.phase) },
    { name: "Volume", type: "string", cell: ({ spec }) => spec.volumeName ?? "" },
    {
      name: "Capacity",
      type: "string",
      cell: (claim) => bound(claim, claim.status?.capacity?.storage ?? "0"),
    },
    { name: "Access Modes", type: "string", cell: (c) => bound(c, formatAccessModes(c.status?.accessModes)) },
    { name: "StorageClass", type: "string", cell: storageClassOf },
    {
      name: "VolumeAttributesClass",
      type: "string",
      cell: ({ spec }) => unset(spec.volumeAttributesClassName),
    },
    ageColumn,
    { name: "VolumeMode", type: "string", priority: 1, cell: ({ spec }) => unset(spec.volumeMode) },
  ],
  fields: { name: ({ metadata }) => metadata.name ?? "" },
});

/** Until there is a volume there is nothing to say of it. */
function bound({ spec }: PersistentVolumeClaim, text: string): string {
  return spec.volumeName ? text : "";
}

function defaults(claim: PersistentVolumeClaim): void {
  claim.spec ??= {};
  claim.status ??= {};
  claim.status.phase ||= "Pending";
  const { spec } = claim;
  spec.volumeMode ??= "Filesystem";
  // The older field knows no namespace; without one both say the same.
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
    spec.dataSource = { ...spec.dataSourceRef };
  }
}

export function validateClaimSpec(spec: PersistentVolumeClaimSpec): FieldError[] {
  const modesPath = at.child("accessModes");
  const errors = validateAccessModes(spec.accessModes, modesPath, "at least 1 access mode is required");
  const storage = spec.resources?.requests?.storage;
  const path = at.child("resources").key("storage");
  if (storage === undefined) errors.push(required(path));
  else if (Quantity.parse(storage).sign() <= 0) {
    errors.push(invalidValue(path, storage, "must be greater than zero"));
  }
  if (spec.storageClassName) errors.push(...classNameErrors(spec.storageClassName, "storageClassName"));
  if (spec.volumeAttributesClassName) {
    errors.push(...classNameErrors(spec.volumeAttributesClassName, "volumeAttributesClassName"));
  }
  errors.push(...validateVolumeMode(spec.volumeMode));
  for (const field of ["dataSource", "dataSourceRef"] as const) {
    const source = spec[field];
    if (!source) continue;
    if (!source.name) errors.push(required(at.child(field, "name")));
    if (!source.kind) errors.push(required(at.child(field, "kind")));
    if (!source.apiGroup && source.kind !== "PersistentVolumeClaim") {
      const why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
      errors.push(invalidValue(at.child(field), source.kind, why));
    }
  }
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && dataSourceRef && !dataSourceRef.namespace && !semanticEqual(dataSource, dataSourceRef)) {
    errors.push(invalidValue(at, spec, "must match dataSourceRef"));
  }
  return errors;
}

function validate({ spec }: PersistentVolumeClaim): FieldError[] {
  return validateClaimSpec(spec);
}

/** A claim that never named a class may be given the default one that came after it. */
function takesDefaultClass(now: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  if (old.spec.storageClassName !== undefined || now.spec.storageClassName === undefined) return false;
  return ![now, old].some(({ metadata }) => metadata.annotations?.[CLASS_ANNOTATION] !== undefined);
}

function validateUpdate(now: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  const isBound = old.status?.phase === "Bound";
  const givenClass = takesDefaultClass(now, old);
  const fixed = ({ spec }: PersistentVolumeClaim): unknown => {
    const { volumeName, resources, volumeAttributesClassName, ...rest } = spec;
    return {
      ...rest,
      storageClassName: givenClass ? undefined : rest.storageClassName,
      volumeName: old.spec.volumeName ? volumeName : undefined,
      resources: isBound ? { limits: resources?.limits } : resources,
      volumeAttributesClassName: isBound ? undefined : volumeAttributesClassName,
    };
  };
  if (!semanticEqual(fixed(now), fixed(old))) {
    const why =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    errors.push(forbiddenField(at, why));
  }
  const [size, before] = [now, old].map((claim) => claim.spec.resources?.requests?.storage);
  if (
    size === undefined ||
    before === undefined ||
    Quantity.parse(size).compare(Quantity.parse(before)) >= 0
  ) {
    return errors;
  }
  const has = old.status?.capacity?.storage;
  // An expansion that never worked may be taken back, though not to what there is already.
  if (has === undefined || Quantity.parse(size).compare(Quantity.parse(has)) <= 0) {
    const path = at.child("resources", "requests", "storage");
    errors.push(forbiddenField(path, "field can not be less than status.capacity"));
  }
  return errors;
}
