/** A template has labels and annotations of its own, but no name. */
import type { FieldError } from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { validateAnnotations } from "../../../machinery/meta/validation.ts";
import { validateLabels } from "../../../machinery/selectors/validate.ts";
import type { ObjectMeta } from "../../object.ts";

export function validateTemplateMetadata(
  metadata: Pick<ObjectMeta, "labels" | "annotations"> | undefined,
  at: FieldPath,
  errors: FieldError[],
): void {
  if (!metadata) return;
  const { labels, annotations } = metadata;
  // Loops: a client may send more wrong keys than a call takes arguments.
  if (labels) for (const error of validateLabels(labels, at.child("labels"))) errors.push(error);
  if (annotations) {
    for (const error of validateAnnotations(annotations, at.child("annotations"))) errors.push(error);
  }
}
