import { type FieldError, invalidValue, tooLong } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { byteLength, nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { decodedLength, MAX_DATA_BYTES, validateDataKey, validateImmutable } from "./immutable.ts";

export interface ConfigMap extends KubeObject {
  immutable?: boolean;
  data?: Record<string, string>;
  /** Base64. */
  binaryData?: Record<string, string>;
}

export const ConfigMap = defineResource<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  scope: "Namespaced",
  shortNames: ["cm"],
  definition: "core.v1.ConfigMap",
  validateName: nameIsDNSSubdomain,
  validate,
  validateUpdate: (now, old) => validateImmutable(now, old, ["data", "binaryData"]),
  columns: [
    nameColumn,
    { name: "Data", type: "string", cell: ({ data, binaryData }) => count(data) + count(binaryData) },
    ageColumn,
  ],
});

function count(map: Record<string, string> | undefined): number {
  return map ? Object.keys(map).length : 0;
}

function validate({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key of Object.keys(data)) {
    errors.push(...validateDataKey(FieldPath.root("data"), key));
    if (Object.hasOwn(binaryData, key)) {
      const path = FieldPath.root("data").key(key);
      errors.push(invalidValue(path, key, "duplicate of key present in binaryData"));
    }
    size += byteLength(data[key] as string);
  }
  for (const key of Object.keys(binaryData)) {
    errors.push(...validateDataKey(FieldPath.root("binaryData"), key));
    size += decodedLength(binaryData[key] as string);
  }
  if (size > MAX_DATA_BYTES) errors.push(tooLong(FieldPath.root(""), MAX_DATA_BYTES));
  return errors;
}
