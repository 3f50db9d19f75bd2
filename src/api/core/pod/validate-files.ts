/** Files that a volume is made of. */
import { invalidValue } from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import type { KeyToPath } from "../../schema/core.v1.generated.ts";
import { localNonReservedPath, needs, type Rules } from "./checks.ts";

const FILE_MODE_RANGE = "must be a number between 0 and 0777 (octal), both inclusive";

export function validateKeyToPath(item: KeyToPath, at: FieldPath, rules: Rules): void {
  needs(rules.errors, item.key, at, "key");
  needs(rules.errors, item.path, at, "path");
  localNonReservedPath(rules.errors, item.path ?? "", at.child("path"));
  validateMode(item.mode, at, "mode", rules);
}

export function validateMode(mode: number | undefined, at: FieldPath, name: string, { errors }: Rules): void {
  if (mode !== undefined && (mode > 0o777 || mode < 0)) {
    errors.push(invalidValue(at.child(name), mode, FILE_MODE_RANGE));
  }
}
