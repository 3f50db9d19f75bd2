import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { defineResource } from "../resource.ts";
import { sameShape } from "../same-shape.ts";
import type { VolumeAttributesClass as VolumeAttributesClassType } from "../schema/storage.v1.generated.ts";
import { validateDriverName, validateParameters } from "./driver-name.ts";

export type VolumeAttributesClass = VolumeAttributesClassType;

/** Properties of a volume that may change while it is in use. */
export const VolumeAttributesClass = defineResource<VolumeAttributesClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  scope: "Cluster",
  shortNames: ["vac"],
  definition: "storage.v1.VolumeAttributesClass",
  returnsDeletedObject: true,
  validateName: nameIsDNSSubdomain,
  alternates: [
    sameShape(
      "storage.k8s.io",
      "VolumeAttributesClass",
      "v1",
      "v1beta1",
      "storage.v1beta1.VolumeAttributesClass",
    ),
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
