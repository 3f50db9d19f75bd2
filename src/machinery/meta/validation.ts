/** Validation of metadata on create and update (apimachinery/pkg/api/validation/objectmeta.go). */

import { type FieldError, forbiddenField, invalidValue, required, tooLong } from "../field/field-error.ts";
import { FieldPath } from "../field/path.ts";
import { compareNumbers, isBelow } from "../json/exact-integer.ts";
import { byteLength, isDNS1123Label, isQualifiedName } from "../names/names.ts";
import { validateLabels } from "../selectors/validate.ts";
import type { OwnerReference } from "./owner.ts";

const ANNOTATIONS_MAX = 256 * 1024;
const MANAGER_MAX = 128;
const SUBRESOURCE_MAX = 256;
const IMMUTABLE = "field is immutable";

export interface MetaFields {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: {
    manager?: string;
    operation?: string;
    fieldsType?: string;
    subresource?: string;
  }[];
}

export interface MetaRules {
  namespaced: boolean;
  /** What is wrong with a name, or with a generateName where `prefix` is set. */
  name(name: string, prefix: boolean): string[];
}

const META = FieldPath.root("metadata");
const LABELS = META.child("labels");

/** On create, after a generated name was filled in. */
export function validateObjectMeta(meta: MetaFields, rules: MetaRules): FieldError[] {
  const errors: FieldError[] = [];
  const { name = "", generateName = "", namespace = "" } = meta;
  if (generateName !== "") {
    for (const text of rules.name(generateName, true)) {
      errors.push(invalidValue(META.child("generateName"), generateName, text));
    }
  }
  if (name === "") errors.push(required(META.child("name"), "name or generateName is required"));
  else for (const text of rules.name(name, false)) errors.push(invalidValue(META.child("name"), name, text));
  if (!rules.namespaced) {
    if (namespace !== "") errors.push(forbiddenField(META.child("namespace"), "not allowed on this type"));
  } else if (namespace === "") errors.push(required(META.child("namespace")));
  else {
    for (const text of isDNS1123Label(namespace)) {
      errors.push(invalidValue(META.child("namespace"), namespace, text));
    }
  }
  if (meta.generation !== undefined && isBelow(meta.generation, 0)) {
    errors.push(
      invalidValue(META.child("generation"), meta.generation, "must be greater than or equal to 0"),
    );
  }
  validateMaps(meta, errors);
  if (meta.finalizers) validateFinalizers(meta.finalizers, errors);
  if (meta.managedFields) validateManagedFields(meta.managedFields, errors);
  return errors;
}

const FIXED = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

/** On update, after the server took over what clients may leave out (uid, creationTimestamp …). */
export function validateObjectMetaUpdate(meta: MetaFields, old: MetaFields): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) validateNoNewFinalizers(meta, old, errors);
  if (!meta.resourceVersion) {
    errors.push(invalidValue(META.child("resourceVersion"), "", "must be specified for an update"));
  }
  if (compareNumbers(meta.generation ?? 0, old.generation ?? 0) < 0) {
    errors.push(invalidValue(META.child("generation"), meta.generation ?? 0, "must not be decremented"));
  }
  for (const field of FIXED) {
    const value = meta[field];
    // Absent and empty are one to a Go string, but an absent time or number is null.
    if (value === old[field] || ((value ?? "") === "" && (old[field] ?? "") === "")) continue;
    const text = field === "name" || field === "namespace" || field === "uid";
    errors.push(invalidValue(META.child(field), text ? (value ?? "") : value, IMMUTABLE));
  }
  validateMaps(meta, errors);
  if (meta.managedFields) validateManagedFields(meta.managedFields, errors);
  return errors;
}

function validateMaps({ labels, annotations, ownerReferences }: MetaFields, errors: FieldError[]): void {
  // Loops: a client may send more wrong keys than a call takes arguments.
  if (labels) for (const error of validateLabels(labels, LABELS)) errors.push(error);
  if (annotations) {
    for (const error of validateAnnotations(annotations, META.child("annotations"))) errors.push(error);
  }
  if (ownerReferences) validateOwnerReferences(ownerReferences, errors);
}

/** Also for the annotations of a pod template. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>>,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in annotations) {
    for (const text of isQualifiedName(key.toLowerCase())) errors.push(invalidValue(path, key, text));
    size += byteLength(key) + byteLength(annotations[key]!);
  }
  if (size > ANNOTATIONS_MAX) errors.push(tooLong(path, ANNOTATIONS_MAX));
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[], errors: FieldError[]): void {
  const path = META.child("ownerReferences");
  let controller = "";
  for (const reference of references) {
    const { apiVersion = "", kind = "", name = "", uid = "" } = reference;
    const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
    if (version === "") {
      errors.push(invalidValue(path.child("apiVersion"), apiVersion, "version must not be empty"));
    }
    if (kind === "") errors.push(invalidValue(path.child("kind"), kind, "must not be empty"));
    if (name === "") errors.push(invalidValue(path.child("name"), name, "must not be empty"));
    if (uid === "") errors.push(invalidValue(path.child("uid"), uid, "must not be empty"));
    if (apiVersion === "v1" && kind === "Event") {
      errors.push(invalidValue(path, reference, "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (reference.controller !== true) continue;
    const found = `${kind}/${name}`;
    if (controller !== "") {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${found}`;
      errors.push(invalidValue(path, references, why));
    } else controller = found;
  }
}

function validateFinalizers(finalizers: readonly string[], errors: FieldError[]): void {
  const path = META.child("finalizers");
  for (const finalizer of finalizers) {
    for (const text of isQualifiedName(finalizer)) errors.push(invalidValue(path, finalizer, text));
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    const why = "finalizer orphan and foregroundDeletion cannot be both set";
    errors.push(invalidValue(path, finalizers, why));
  }
}

function validateNoNewFinalizers(meta: MetaFields, old: MetaFields, errors: FieldError[]): void {
  const added = (meta.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer));
  if (added.length === 0) return;
  const list = [...new Set(added)].sort().map((finalizer) => JSON.stringify(finalizer));
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list.join(", ")}}`;
  errors.push(forbiddenField(META.child("finalizers"), why));
}

/** The name of a field manager, of managedFields and of the fieldManager parameter. */
export function validateFieldManager(manager: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (byteLength(manager) > MANAGER_MAX) errors.push(tooLong(path, MANAGER_MAX));
  let at = 0;
  for (const char of manager) {
    const code = char.codePointAt(0)!;
    if (code < 0x20 || (code >= 0x7f && code < 0xa1) || code === 0xad) {
      const shown = code < 0xa0 ? "" : ` '${char}'`;
      const hex = code.toString(16).toUpperCase().padStart(4, "0");
      errors.push(invalidValue(path, manager, `invalid character U+${hex}${shown} (at position ${at})`));
    }
    at += byteLength(char);
  }
  return errors;
}

function validateManagedFields(
  entries: NonNullable<MetaFields["managedFields"]>,
  errors: FieldError[],
): void {
  for (const [i, { operation = "", fieldsType = "", manager = "", subresource = "" }] of entries.entries()) {
    const applied = operation === "Apply" || operation === "Update";
    if (
      applied &&
      fieldsType === "FieldsV1" &&
      manager.length <= 42 &&
      subresource === "" &&
      isPlain(manager)
    ) {
      continue;
    }
    const path = META.child("managedFields").index(i);
    if (!applied)
      errors.push(invalidValue(path.child("operation"), operation, "must be `Apply` or `Update`"));
    if (fieldsType !== "" && fieldsType !== "FieldsV1") {
      errors.push(invalidValue(path.child("fieldsType"), fieldsType, "must be `FieldsV1`"));
    }
    errors.push(...validateFieldManager(manager, path.child("manager")));
    if (byteLength(subresource) > SUBRESOURCE_MAX)
      errors.push(tooLong(path.child("subresource"), SUBRESOURCE_MAX));
  }
}

/** Whether all is printable ASCII. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code >= 0x7f) return false;
  }
  return true;
}
