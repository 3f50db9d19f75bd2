/** The shapes that the rules of several kinds of the group share. Each adds what is wrong to `errors`. */
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import {
  byteLength,
  isCIdentifier,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
} from "../../machinery/names/names.ts";
import type { DeviceToleration } from "../schema/resource.v1.generated.ts";
import { validateDriverName } from "../storage/driver-name.ts";

const POOL_NAME_MAX = 253;
const ID_MAX = 32;
/** Of opaque parameters and of a driver's status data. */
const RAW_MAX = 10 * 1024;
const TOLERATIONS_MAX = 16;

export const TAINT_EFFECTS = ["NoExecute", "NoSchedule", "None"];
const OPERATORS = ["Equal", "Exists"];

/** Too long a list is said once, without a look at its elements. */
export function validateList<T>(
  list: readonly T[] | undefined,
  max: number,
  path: FieldPath,
  errors: FieldError[],
  each: (item: T, at: FieldPath) => void,
): void {
  if (!list) return;
  if (list.length > max) errors.push(tooMany(path, list.length, max));
  else for (const [i, item] of list.entries()) each(item, path.index(i));
}

/** As validateList, and that no two elements have the same key. */
export function validateSet<T>(
  list: readonly T[] | undefined,
  max: number,
  path: FieldPath,
  errors: FieldError[],
  each: (item: T, at: FieldPath) => void,
  keyOf: (item: T) => string,
): void {
  if (!list) return;
  validateList(list, max, path, errors, each);
  if (list.length > max) return;
  const seen = new Set<string>();
  for (const [i, item] of list.entries()) {
    const key = keyOf(item);
    if (seen.has(key)) errors.push(duplicate(path.index(i), key));
    seen.add(key);
  }
}

export function validateLabelName(name: string, path: FieldPath, errors: FieldError[]): void {
  for (const text of isDNS1123Label(name)) errors.push(invalidValue(path, name, text));
}

export function validateSubdomain(name: string, path: FieldPath, errors: FieldError[]): void {
  for (const text of isDNS1123Subdomain(name)) errors.push(invalidValue(path, name, text));
}

export function validateKeyName(name: string, path: FieldPath, errors: FieldError[]): void {
  for (const text of isQualifiedName(name)) errors.push(invalidValue(path, name, text));
}

export function validateDriver(name: string | undefined, path: FieldPath, errors: FieldError[]): void {
  errors.push(...validateDriverName(name ?? "", path));
}

/** One or more subdomains with slashes between them. */
export function validatePoolName(name: string | undefined, path: FieldPath, errors: FieldError[]): void {
  if (!name) {
    errors.push(required(path));
    return;
  }
  if (byteLength(name) > POOL_NAME_MAX) errors.push(tooLong(path, POOL_NAME_MAX));
  for (const part of name.split("/")) validateSubdomain(part, path, errors);
}

/** `theName` or `dra.example.com/theName`: of an attribute or a capacity. */
export function validateAttributeName(name: string, path: FieldPath, errors: FieldError[]): void {
  const parts = name.split("/");
  const [first = "", second = ""] = parts;
  if (parts.length === 1) {
    validateIdentifier(first, path, errors);
    return;
  }
  if (parts.length > 2) {
    errors.push(invalidValue(path, name, "must not contain more than one slash"));
    return;
  }
  if (first === "") errors.push(invalidValue(path, "", "the domain must not be empty"));
  else validateDriver(first, path, errors);
  if (second === "") errors.push(invalidValue(path, "", "the name must not be empty"));
  else validateIdentifier(second, path, errors);
}

/** As validateAttributeName, with the domain. */
export function validateFullAttributeName(name: string, path: FieldPath, errors: FieldError[]): void {
  validateAttributeName(name, path, errors);
  if (name.includes("/")) return;
  const why = "a fully qualified name must be a domain and a name separated by a slash";
  errors.push(invalidValue(path, name, why));
}

function validateIdentifier(id: string, path: FieldPath, errors: FieldError[]): void {
  if (byteLength(id) > ID_MAX) errors.push(tooLong(path, ID_MAX));
  for (const text of isCIdentifier(id)) errors.push(invalidValue(path, id, text));
}

const UUID_SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const UUID_LENGTHS = [32, 36, 38, 45];

/** Which device of an allocation is shared: a UUID in its normalized form. */
export function validateShareID(uid: string, path: FieldPath, errors: FieldError[]): void {
  if (UUID_SHAPE.test(uid) && uid === uid.toLowerCase()) return;
  const length = byteLength(uid);
  if (!UUID_LENGTHS.includes(length)) {
    errors.push(invalidValue(path, uid, `error validating uid: invalid UUID length: ${length}`));
  } else if (length === 36 && !UUID_SHAPE.test(uid)) {
    errors.push(invalidValue(path, uid, "error validating uid: invalid UUID format"));
  } else {
    const why =
      "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";
    errors.push(invalidValue(path, uid, why));
  }
}

/** What only a driver understands: a JSON object. `stored` ones may be longer than new ones. */
export function validateRaw(raw: unknown, stored: boolean, path: FieldPath, errors: FieldError[]): void {
  if (raw === undefined || raw === null) {
    errors.push(required(path));
  } else if (!stored && byteLength(JSON.stringify(raw)) > RAW_MAX) {
    errors.push(tooLong(path, RAW_MAX));
  } else if (typeof raw !== "object" || Array.isArray(raw)) {
    errors.push(invalidValue(path, "<value omitted>", "must be a valid JSON object"));
  }
}

/** The conditions that a device waits for before its pod is bound, and those that say it never will be. */
export function validateBindingConditions(
  { bindingConditions = [], bindingFailureConditions = [] }: BindingConditions,
  path: FieldPath,
  errors: FieldError[],
): void {
  const awaited = path.child("bindingConditions");
  const failing = path.child("bindingFailureConditions");
  const max = 4;
  validateList(bindingConditions, max, awaited, errors, (name, at) => validateKeyName(name, at, errors));
  validateList(bindingFailureConditions, max, failing, errors, (name, at) =>
    validateKeyName(name, at, errors),
  );
  const seen = new Set<string>();
  for (const [i, name] of bindingConditions.entries()) {
    if (seen.has(name)) errors.push(duplicate(awaited.index(i), name));
    seen.add(name);
  }
  const failed = new Set<string>();
  for (const [i, name] of bindingFailureConditions.entries()) {
    if (failed.has(name)) errors.push(duplicate(failing.index(i), name));
    failed.add(name);
    if (seen.has(name)) {
      const why = "bindingFailureConditions must not overlap with bindingConditions";
      errors.push(invalidValue(failing.index(i), name, why));
    }
  }
  if (seen.size === 0 && failed.size > 0) {
    const why = "bindingConditions are required to use bindingFailureConditions";
    errors.push(invalidValue(awaited, bindingConditions, why));
  }
  if (failed.size === 0 && seen.size > 0) {
    const why = "bindingFailureConditions are required to use bindingConditions";
    errors.push(invalidValue(failing, bindingFailureConditions, why));
  }
}

export interface BindingConditions {
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
}

export function validateTolerations(
  tolerations: readonly DeviceToleration[] | undefined,
  path: FieldPath,
  errors: FieldError[],
): void {
  validateList(tolerations, TOLERATIONS_MAX, path, errors, (toleration, at) => {
    const { key = "", operator = "", value = "", effect = "" } = toleration;
    if (key !== "") validateKeyName(key, at.child("key"), errors);
    if (operator === "Exists") {
      if (value !== "") {
        errors.push(invalidValue(at.child("value"), value, "must be empty for operator `Exists`"));
      }
    } else if (operator === "Equal") {
      for (const text of isValidLabelValue(value)) errors.push(invalidValue(at.child("value"), value, text));
    } else if (operator === "") errors.push(required(at.child("operator")));
    else errors.push(notSupported(at.child("operator"), operator, OPERATORS));
    if (effect !== "" && !TAINT_EFFECTS.includes(effect)) {
      errors.push(notSupported(at.child("effect"), effect, TAINT_EFFECTS));
    }
  });
}
