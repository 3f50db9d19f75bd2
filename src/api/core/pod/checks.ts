/** The few shapes that nearly every rule of a pod has. Each adds to `errors` and allocates nothing where all is well. */

import type { FieldError } from "../../../machinery/field/field-error.ts";
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { isBelow } from "../../../machinery/json/exact-integer.ts";

/** What the rules of one object share. */
export interface Rules {
  errors: FieldError[];
  /** The spec is a pod's own, not a template's. */
  isPod: boolean;
  /** Of a pod: the name, where there is one yet. */
  podName: string;
}

export function rulesOf(errors: FieldError[], isPod: boolean, podName = ""): Rules {
  return { errors, isPod, podName };
}

/** One error for each of `messages`, which a check of `value` gave. */
export function eachInvalid(
  errors: FieldError[],
  messages: readonly string[],
  at: FieldPath,
  value: unknown,
): void {
  for (const message of messages) errors.push(invalidValue(at, value, message));
}

export function nonNegative(
  errors: FieldError[],
  value: number | undefined | null,
  at: FieldPath,
  name: string,
): void {
  if (value !== undefined && value !== null && isBelow(value, 0)) {
    errors.push(invalidValue(at.child(name), value, "must be greater than or equal to 0"));
  }
}

export function needs(errors: FieldError[], value: unknown, at: FieldPath, name: string, detail = ""): void {
  if (value === undefined || value === null || value === "") errors.push(required(at.child(name), detail));
}

/** A required word of a closed list. */
export function needsOneOf(
  errors: FieldError[],
  value: string | undefined,
  words: readonly string[],
  at: FieldPath,
  name: string,
): void {
  if (value === undefined || value === null || value === "") errors.push(required(at.child(name)));
  else if (!words.includes(value)) errors.push(notSupported(at.child(name), value, words));
}

/** A word of a closed list, where there is one. */
export function maybeOneOf(
  errors: FieldError[],
  value: string | undefined,
  words: readonly string[],
  at: FieldPath,
  name: string,
): void {
  if (value !== undefined && value !== null && !words.includes(value)) {
    errors.push(notSupported(at.child(name), value, words));
  }
}

export function inRange(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

/** Set, as Go's zero values see it: an empty text, list or map is not. */
export function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return false;
  if (Array.isArray(value)) return value.length > 0;
  return true;
}

export function forbidAll(
  errors: FieldError[],
  from: object | undefined,
  names: readonly string[],
  at: FieldPath,
  why: string,
): void {
  if (!from) return;
  for (const name of names) {
    const value = (from as Record<string, unknown>)[name];
    if (value === undefined || value === null) continue;
    if (name === "sysctls" && (value as unknown[]).length === 0) continue;
    errors.push(forbiddenField(at.child(name), why));
  }
}

/** A path below where it is mounted: relative, without `..`. */
export function localDescendingPath(errors: FieldError[], path: string, at: FieldPath): void {
  if (path.startsWith("/")) errors.push(invalidValue(at, path, "must be a relative path"));
  noBacksteps(errors, path, at);
}

export function hasBackstep(path: string): boolean {
  return path.includes("..") && path.split("/").includes("..");
}

export function noBacksteps(errors: FieldError[], path: string, at: FieldPath): void {
  if (hasBackstep(path)) errors.push(invalidValue(at, path, "must not contain '..'"));
}

/** As localDescendingPath, and not beginning with `..`, which the kubelet keeps to itself. */
export function localNonReservedPath(errors: FieldError[], path: string, at: FieldPath): void {
  localDescendingPath(errors, path, at);
  if (path.startsWith("..") && !path.startsWith("../")) {
    errors.push(invalidValue(at, path, "must not start with '..'"));
  }
}
