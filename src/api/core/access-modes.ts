import {
  type FieldError,
  forbiddenField,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";

const SHORT: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};
const KNOWN = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

export function validateAccessModes(
  modes: readonly string[] = [],
  path: FieldPath,
  whyRequired = "",
): FieldError[] {
  const errors: FieldError[] = [];
  if (modes.length === 0) errors.push(required(path, whyRequired));
  for (const mode of modes) if (!KNOWN.includes(mode)) errors.push(notSupported(path, mode, KNOWN));
  if (modes.includes("ReadWriteOncePod") && modes.some((mode) => mode !== "ReadWriteOncePod")) {
    errors.push(forbiddenField(path, "may not use ReadWriteOncePod with other access modes"));
  }
  return errors;
}

/** `RWO,ROX`, in a fixed order and each once. */
export function formatAccessModes(modes: readonly string[] = []): string {
  const shown = Object.keys(SHORT).filter((mode) => modes.includes(mode));
  return shown.map((mode) => SHORT[mode]).join(",");
}
