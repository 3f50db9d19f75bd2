/** Rules that the kinds of storage share. */
import { type FieldError, invalidValue, required, tooLong } from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { byteLength, isDNS1123Subdomain } from "../../machinery/names/names.ts";

const DRIVER_NAME_MAX = 63;
const PARAMETERS_MAX = 512;
const PARAMETERS_BYTES = 256 * 1024;

export function validateDriverName(name: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (name === "") errors.push(required(path));
  if (byteLength(name) > DRIVER_NAME_MAX) errors.push(tooLong(path, DRIVER_NAME_MAX));
  for (const text of isDNS1123Subdomain(name.toLowerCase())) errors.push(invalidValue(path, name, text));
  return errors;
}

/** Free text for a driver; `allowEmpty` tells whether there may be none. */
export function validateParameters(
  parameters: Readonly<Record<string, string>>,
  allowEmpty: boolean,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const entries = Object.entries(parameters);
  if (entries.length > PARAMETERS_MAX) return [tooLong(path, PARAMETERS_MAX)];
  if (entries.length === 0 && !allowEmpty)
    errors.push(required(path, "must contain at least one key/value pair"));
  let size = 0;
  for (const [key, value] of entries) {
    if (key === "") errors.push(invalidValue(path, key, "field can not be empty."));
    size += byteLength(key) + byteLength(value);
  }
  if (size > PARAMETERS_BYTES) errors.push(tooLong(path, PARAMETERS_BYTES));
  return errors;
}
