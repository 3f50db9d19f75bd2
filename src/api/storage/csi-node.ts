import { duplicate, type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { byteLength, isQualifiedName, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type { CSINodeDriver, CSINode as CSINodeType } from "../schema/storage.v1.generated.ts";
import { validateDriverName } from "./driver-name.ts";

export type CSINode = CSINodeType;

const NODE_ID_MAX = 256;

/** Which storage drivers a node has. */
export const CSINode = defineResource<CSINode>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  scope: "Cluster",
  definition: "storage.v1.CSINode",
  returnsDeletedObject: true,
  validateName: nameIsDNSSubdomain,
  validate,
  validateUpdate,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn,
    { name: "Drivers", type: "integer", cell: ({ spec }) => (spec.drivers ?? []).length },
    ageColumn,
  ],
});

function validate({ spec }: CSINode): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, driver] of (spec.drivers ?? []).entries()) {
    const path = FieldPath.root("spec", "drivers").index(i);
    validateDriver(driver, path, errors);
    if (names.has(driver.name)) errors.push(duplicate(path.child("name"), driver.name));
    names.add(driver.name);
  }
  return errors;
}

function validateDriver(
  { name = "", nodeID = "", topologyKeys = [], allocatable }: CSINodeDriver,
  path: FieldPath,
  errors: FieldError[],
): void {
  errors.push(...validateDriverName(name, path.child("name")));
  if (nodeID === "") errors.push(required(path.child("nodeID")));
  else if (byteLength(nodeID) > NODE_ID_MAX) {
    errors.push(invalidValue(path.child("nodeID"), nodeID, `must be ${NODE_ID_MAX} characters or less`));
  }
  const seen = new Set<string>();
  for (const key of topologyKeys) {
    const at = path.child("topologyKeys");
    if (key === "") errors.push(required(at));
    else if (seen.has(key)) errors.push(duplicate(at, key));
    seen.add(key);
    for (const text of isQualifiedName(key)) errors.push(invalidValue(at, key, text));
  }
  const count = allocatable?.count;
  if (count !== undefined && count < 0) {
    errors.push(
      invalidValue(path.child("allocatable", "count"), count, "must be greater than or equal to 0"),
    );
  }
}

/** A driver may come and go, but stays as it is while it is there, but for what it can take. */
function validateUpdate(now: CSINode, old: CSINode): FieldError[] {
  const errors: FieldError[] = [];
  for (const was of old.spec.drivers ?? []) {
    const is = (now.spec.drivers ?? []).find(({ name }) => name === was.name);
    if (!is) continue;
    const { allocatable: _a, ...kept } = was;
    const { allocatable: _b, ...given } = is;
    if (semanticEqual(kept, given)) continue;
    errors.push(invalidValue(FieldPath.root("CSINodeDriver"), is, "field is immutable"));
  }
  return errors;
}
