/**
 * What validation says of a field, in upstream's words (apimachinery/pkg/util/validation/field). Validation collects
 * every FieldError and fails once, with `invalid()` below.
 */
import { type GroupKind, qualified, StatusError } from "../status/status-error.ts";
import type { FieldPath } from "./path.ts";

export type FieldErrorType =
  | "FieldValueNotFound"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "InternalError"
  | "FieldValueTypeInvalid";

export interface FieldError {
  type: FieldErrorType;
  field: string;
  /** `<text>: <value>: <detail>` without the field. */
  body: string;
}

function made(type: FieldErrorType, path: FieldPath, body: string): FieldError {
  return { type, field: path.toString(), body };
}

/** A value as Go prints it in an error: strings quoted, objects as JSON. */
export function printed(value: unknown): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(value);
}

function withDetail(text: string, detail: string): string {
  return detail ? `${text}: ${detail}` : text;
}

export function required(path: FieldPath, detail = ""): FieldError {
  return made("FieldValueRequired", path, withDetail("Required value", detail));
}

export function invalidValue(path: FieldPath, value: unknown, detail = ""): FieldError {
  return made("FieldValueInvalid", path, withDetail(`Invalid value: ${printed(value)}`, detail));
}

export function duplicate(path: FieldPath, value: unknown): FieldError {
  return made("FieldValueDuplicate", path, `Duplicate value: ${printed(value)}`);
}

export function notSupported(path: FieldPath, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.map((s) => JSON.stringify(s)).join(", ");
  return made(
    "FieldValueNotSupported",
    path,
    withDetail(
      `Unsupported value: ${printed(value)}`,
      supported.length > 0 ? `supported values: ${list}` : "",
    ),
  );
}

export function forbiddenField(path: FieldPath, detail: string): FieldError {
  return made("FieldValueForbidden", path, withDetail("Forbidden", detail));
}

export function tooLong(path: FieldPath, max: number): FieldError {
  return made(
    "FieldValueTooLong",
    path,
    withDetail("Too long", max >= 0 ? `may not be more than ${max} bytes` : "value is too long"),
  );
}

export function tooMany(path: FieldPath, actual: number, max: number): FieldError {
  const items = max === 1 ? "item" : "items";
  return made("FieldValueTooMany", path, `Too many: ${actual}: must have at most ${max} ${items}`);
}

export function notFoundValue(path: FieldPath, value: unknown): FieldError {
  return made("FieldValueNotFound", path, `Not found: ${printed(value)}`);
}

export function typeInvalid(path: FieldPath, value: unknown, detail: string): FieldError {
  return made("FieldValueTypeInvalid", path, withDetail(`Invalid value: ${printed(value)}`, detail));
}

/** Errors that one answer tells of. What a small body can cause must not become an answer of many megabytes. */
const MAX_TOLD = 1000;

/** 422 with one cause per error; errors that are equal are said once. */
export function invalid(kind: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const seen = new Set<string>();
  const texts: string[] = [];
  const causes = [];
  for (const { type, field, body } of errors) {
    if (causes.length === MAX_TOLD) {
      texts.push(`and ${errors.length - MAX_TOLD} more errors`);
      break;
    }
    causes.push({ reason: type, message: body, field });
    const text = field === "" ? body : `${field}: ${body}`;
    if (seen.has(text)) continue;
    seen.add(text);
    texts.push(text);
  }
  const said = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const details: Record<string, unknown> = {};
  if (name !== "") details.name = name;
  if (kind.group !== "") details.group = kind.group;
  if (kind.kind !== "") details.kind = kind.kind;
  return new StatusError("Invalid", `${qualified(kind.kind, kind.group)} "${name}" is invalid: ${said}`, {
    ...details,
    causes,
  });
}
