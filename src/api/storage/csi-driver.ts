import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isBelow } from "../../machinery/json/exact-integer.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { defineResource } from "../resource.ts";
import type { CSIDriver as CSIDriverType } from "../schema/storage.v1.generated.ts";
import { validateDriverName } from "./driver-name.ts";

export type CSIDriver = CSIDriverType;

const GROUP_POLICIES = ["File", "None", "ReadWriteOnceWithFSType"];
const MODES = ["Ephemeral", "Persistent"];
const REQUIRED = ["attachRequired", "podInfoOnMount", "storageCapacity"] as const;

/** What a storage driver wants of the cluster. */
export const CSIDriver = defineResource<CSIDriver>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  scope: "Cluster",
  definition: "storage.v1.CSIDriver",
  returnsDeletedObject: true,
  validateName: nameIsDNSSubdomain,
  defaults(object) {
    object.spec ??= {};
    const { spec } = object;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ["Persistent"];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  validate,
  validateUpdate,
  generationOf: ({ spec }) => spec,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn,
    { name: "AttachRequired", type: "boolean", cell: ({ spec }) => spec.attachRequired ?? true },
    { name: "PodInfoOnMount", type: "boolean", cell: ({ spec }) => spec.podInfoOnMount ?? false },
    { name: "StorageCapacity", type: "boolean", cell: ({ spec }) => spec.storageCapacity ?? false },
    {
      name: "TokenRequests",
      type: "string",
      cell: ({ spec }) => (spec.tokenRequests ?? []).map(({ audience }) => audience).join(",") || "<unset>",
    },
    { name: "RequiresRepublish", type: "boolean", cell: ({ spec }) => spec.requiresRepublish ?? false },
    {
      name: "Modes",
      type: "string",
      cell: ({ spec }) => (spec.volumeLifecycleModes ?? []).join(",") || "<none>",
    },
    ageColumn,
  ],
});

function validate({ metadata, spec }: CSIDriver): FieldError[] {
  const errors = validateDriverName(metadata.name ?? "", FieldPath.root("metadata", "name"));
  const path = FieldPath.root("spec");
  for (const field of REQUIRED) if (spec[field] === undefined) errors.push(required(path.child(field)));
  if (spec.fsGroupPolicy !== undefined && !GROUP_POLICIES.includes(spec.fsGroupPolicy)) {
    errors.push(notSupported(path.child("fsGroupPolicy"), spec.fsGroupPolicy, GROUP_POLICIES));
  }
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (!MODES.includes(mode)) errors.push(notSupported(path.child("volumeLifecycleModes"), mode, MODES));
  }
  const audiences = new Set<string>();
  for (const [i, { audience, expirationSeconds }] of (spec.tokenRequests ?? []).entries()) {
    const at = path.child("tokenRequests").index(i);
    if (audiences.has(audience)) errors.push(duplicate(at.child("audience"), audience));
    audiences.add(audience);
    if (expirationSeconds === undefined) continue;
    const where = at.child("expirationSeconds");
    if (isBelow(expirationSeconds, 600)) {
      errors.push(invalidValue(where, expirationSeconds, "may not specify a duration less than 10 minutes"));
    } else if (!isBelow(expirationSeconds, 2 ** 32 + 1)) {
      errors.push(
        invalidValue(where, expirationSeconds, "may not specify a duration larger than 2^32 seconds"),
      );
    }
  }
  return errors;
}

function validateUpdate({ spec }: CSIDriver, { spec: old }: CSIDriver): FieldError[] {
  const path = FieldPath.root("spec");
  return [
    ...immutableField(path.child("attachRequired"), spec.attachRequired, old.attachRequired),
    ...immutableField(
      path.child("volumeLifecycleModes"),
      spec.volumeLifecycleModes,
      old.volumeLifecycleModes,
    ),
  ];
}
