/** A template has labels and annotations of its own, but no name. */
import { type FieldError, tooLong } from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { byteLength, isQualifiedName } from "../../../machinery/names/names.ts";
import type { ObjectMeta } from "../../object.ts";
import { eachInvalid } from "./checks.ts";
import { validateLabels } from "./validate-spec.ts";

const MAX_ANNOTATIONS_SIZE = 256 * 1024;

export function validateTemplateMetadata(
  metadata: Pick<ObjectMeta, "labels" | "annotations"> | undefined,
  at: FieldPath,
  errors: FieldError[],
): void {
  if (metadata?.labels) validateLabels(metadata.labels, at.child("labels"), errors);
  const annotations = metadata?.annotations;
  if (!annotations) return;
  let size = 0;
  for (const key of Object.keys(annotations)) {
    eachInvalid(errors, isQualifiedName(key.toLowerCase()), at.child("annotations"), key);
    size += byteLength(key) + byteLength(annotations[key] as string);
  }
  if (size > MAX_ANNOTATIONS_SIZE) errors.push(tooLong(at.child("annotations"), MAX_ANNOTATIONS_SIZE));
}
