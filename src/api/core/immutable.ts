/** The rules that ConfigMap and Secret share. */
import { type FieldError, forbiddenField, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { isConfigMapKey } from "../../machinery/names/names.ts";

/** All values of a ConfigMap or Secret together, in bytes. */
export const MAX_DATA_BYTES = 1024 * 1024;

/** Forbids changes of `fields` once `immutable` is true. */
export function validateImmutable<T extends { immutable?: boolean }>(
  now: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const errors: FieldError[] = [];
  const why = "field is immutable when `immutable` is set";
  if (now.immutable !== true) errors.push(forbiddenField(FieldPath.root("immutable"), why));
  for (const field of fields) {
    if (!semanticEqual(now[field], old[field])) errors.push(forbiddenField(FieldPath.root(field), why));
  }
  return errors;
}

/** "field is immutable" where the values differ. */
export function immutableField(path: FieldPath, now: unknown, old: unknown): FieldError[] {
  return semanticEqual(now, old) ? [] : [invalidValue(path, now ?? "", "field is immutable")];
}

export function validateDataKey(path: FieldPath, key: string): FieldError[] {
  return isConfigMapKey(key).map((text) => invalidValue(path.key(key), key, text));
}

/** The number of bytes that base64 text stands for. */
export function decodedLength(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}
