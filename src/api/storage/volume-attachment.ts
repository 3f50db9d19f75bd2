import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isDNS1123Subdomain, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { VolumeAttachment as VolumeAttachmentType } from "../schema/storage.v1.generated.ts";
import { validateDriverName } from "./driver-name.ts";

export type VolumeAttachment = VolumeAttachmentType;

/** That a volume is to be attached to a node, and whether it is. */
export const VolumeAttachment = defineResource<VolumeAttachment>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  scope: "Cluster",
  definition: "storage.v1.VolumeAttachment",
  returnsDeletedObject: true,
  validateName: nameIsDNSSubdomain,
  prepareForCreate(object) {
    object.status = { attached: false };
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  validateUpdate: (now, old) => immutableField(FieldPath.root("spec"), now.spec, old.spec),
  allowUnconditionalUpdate: false,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare(object, old) {
        take(object, old, "spec");
        object.metadata = { ...old.metadata, managedFields: object.metadata.managedFields };
      },
      resets: ["spec", "metadata"],
    },
  },
  columns: [
    nameColumn,
    { name: "Attacher", type: "string", format: "name", cell: ({ spec }) => spec.attacher },
    { name: "PV", type: "string", cell: ({ spec }) => spec.source.persistentVolumeName ?? "" },
    { name: "Node", type: "string", cell: ({ spec }) => spec.nodeName },
    { name: "Attached", type: "boolean", cell: ({ status }) => status?.attached ?? false },
    ageColumn,
  ],
});

function validate({ spec }: VolumeAttachment): FieldError[] {
  const path = FieldPath.root("spec");
  const { attacher = "", nodeName = "", source } = spec;
  const errors = validateDriverName(attacher, path.child("attacher"));
  const { inlineVolumeSpec, persistentVolumeName } = source ?? {};
  const at = path.child("source");
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) {
    errors.push(required(at, "must specify exactly one of inlineVolumeSpec and persistentVolumeName"));
  } else if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) {
    const why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    errors.push(invalidValue(at, source, why));
  } else if (persistentVolumeName === "") {
    errors.push(required(at.child("persistentVolumeName"), "must specify non empty persistentVolumeName"));
  }
  for (const text of isDNS1123Subdomain(nodeName))
    errors.push(invalidValue(path.child("nodeName"), nodeName, text));
  return errors;
}
