import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { isQualifiedName, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { defineResource } from "../resource.ts";
import type { StorageClass as StorageClassType } from "../schema/storage.v1.generated.ts";
import { isDefaultClass } from "./binding/storage-classes.ts";
import { validateParameters } from "./driver-name.ts";

export type StorageClass = StorageClassType;

const RECLAIM_POLICIES = ["Delete", "Retain"];
const BINDING_MODES = ["Immediate", "WaitForFirstConsumer"];

/** How volumes of a class are made. */
export const StorageClass = defineResource<StorageClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  scope: "Cluster",
  shortNames: ["sc"],
  definition: "storage.v1.StorageClass",
  returnsDeletedObject: true,
  validateName: nameIsDNSSubdomain,
  defaults(object) {
    object.reclaimPolicy ??= "Delete";
    object.volumeBindingMode ??= "Immediate";
  },
  validate,
  validateUpdate,
  columns: [
    { name: "Name", type: "string", format: "name", cell: nameCell },
    { name: "Provisioner", type: "string", cell: ({ provisioner }) => provisioner },
    { name: "ReclaimPolicy", type: "string", cell: ({ reclaimPolicy }) => reclaimPolicy ?? "Delete" },
    {
      name: "VolumeBindingMode",
      type: "string",
      cell: ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate",
    },
    {
      name: "AllowVolumeExpansion",
      type: "string",
      cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
});

function nameCell(object: StorageClass): string {
  const { name = "" } = object.metadata;
  return isDefaultClass(object) ? `${name} (default)` : name;
}

function validate(object: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  const { provisioner = "", parameters = {}, reclaimPolicy, volumeBindingMode } = object;
  const path = FieldPath.root("provisioner");
  if (provisioner === "") errors.push(required(path));
  else
    for (const text of isQualifiedName(provisioner.toLowerCase()))
      errors.push(invalidValue(path, provisioner, text));
  errors.push(...validateParameters(parameters, true, FieldPath.root("parameters")));
  if (reclaimPolicy !== undefined && !RECLAIM_POLICIES.includes(reclaimPolicy)) {
    errors.push(notSupported(FieldPath.root("reclaimPolicy"), reclaimPolicy, RECLAIM_POLICIES));
  }
  if (volumeBindingMode === undefined) errors.push(required(FieldPath.root("volumeBindingMode")));
  else if (!BINDING_MODES.includes(volumeBindingMode)) {
    errors.push(notSupported(FieldPath.root("volumeBindingMode"), volumeBindingMode, BINDING_MODES));
  }
  return errors;
}

function validateUpdate(now: StorageClass, old: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ["parameters", "provisioner", "reclaimPolicy"] as const) {
    if (semanticEqual(now[field], old[field])) continue;
    errors.push(forbiddenField(FieldPath.root(field), `updates to ${field} are forbidden.`));
  }
  const path = FieldPath.root("volumeBindingMode");
  errors.push(...immutableField(path, now.volumeBindingMode, old.volumeBindingMode));
  return errors;
}
