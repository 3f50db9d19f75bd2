import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isDNS1123Subdomain, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { validateLabelSelector } from "../../machinery/selectors/validate.ts";
import { nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { defineResource } from "../resource.ts";
import type { CSIStorageCapacity as CSIStorageCapacityType } from "../schema/storage.v1.generated.ts";

export type CSIStorageCapacity = CSIStorageCapacityType;

/** How much a storage class can still give on some nodes. */
export const CSIStorageCapacity = defineResource<CSIStorageCapacity>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  scope: "Namespaced",
  definition: "storage.v1.CSIStorageCapacity",
  validateName: nameIsDNSSubdomain,
  validate,
  validateUpdate: (now, old) => [
    ...immutableField(FieldPath.root("nodeTopology"), now.nodeTopology, old.nodeTopology),
    ...immutableField(FieldPath.root("storageClassName"), now.storageClassName, old.storageClassName),
  ],
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn,
    { name: "StorageClassName", type: "string", cell: ({ storageClassName }) => storageClassName },
    { name: "Capacity", type: "string", cell: ({ capacity }) => capacity ?? "<unset>" },
  ],
});

function validate(object: CSIStorageCapacity): FieldError[] {
  const errors = validateLabelSelector(object.nodeTopology, FieldPath.root("nodeTopology"));
  const { storageClassName = "" } = object;
  for (const text of isDNS1123Subdomain(storageClassName)) {
    errors.push(invalidValue(FieldPath.root("storageClassName"), storageClassName, text));
  }
  for (const field of ["capacity", "maximumVolumeSize"] as const) {
    const amount = object[field];
    if (amount === undefined || Quantity.parse(amount).sign() >= 0) continue;
    errors.push(invalidValue(FieldPath.root(field), amount, "must be greater than or equal to 0"));
  }
  return errors;
}
