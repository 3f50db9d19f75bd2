import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { apiVersionOf } from "../object.ts";
import { defineResource } from "../resource.ts";
import type { VolumeAttributesClass as VolumeAttributesClassType } from "../schema/storage.v1.generated.ts";
import { validateDriverName, validateParameters } from "./driver-name.ts";

export type VolumeAttributesClass = VolumeAttributesClassType;

const GROUP = "storage.k8s.io";

/** Properties of a volume that may change while it is in use. */
export const VolumeAttributesClass = defineResource<VolumeAttributesClass>({
  group: GROUP,
  version: "v1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  scope: "Cluster",
  shortNames: ["vac"],
  definition: "storage.v1.VolumeAttributesClass",
  validateName: nameIsDNSSubdomain,
  alternates: [
    {
      group: GROUP,
      version: "v1beta1",
      kind: "VolumeAttributesClass",
      definition: "storage.v1beta1.VolumeAttributesClass",
      toStored: (object) => ({
        ...(object as VolumeAttributesClass),
        apiVersion: apiVersionOf({ group: GROUP, version: "v1" }),
      }),
      fromStored: (object) => ({ ...object, apiVersion: apiVersionOf({ group: GROUP, version: "v1beta1" }) }),
    },
  ],
  validate: ({ driverName = "", parameters = {} }) => [
    ...validateDriverName(driverName, FieldPath.root("driverName")),
    ...validateParameters(parameters, false, FieldPath.root("parameters")),
  ],
  validateUpdate: (now, old) => [
    ...immutableField(FieldPath.root("driverName"), now.driverName, old.driverName),
    ...immutableField(FieldPath.root("parameters"), now.parameters, old.parameters),
  ],
  columns: [
    nameColumn,
    { name: "DriverName", type: "string", cell: ({ driverName }) => driverName },
    ageColumn,
  ],
});
