import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isQualifiedName } from "../../machinery/names/names.ts";
import type { Event } from "./event.ts";

const MAX_TEXT = 128;
const MAX_MESSAGE = 1024;

export function validateEvent(event: Event): FieldError[] {
  const errors = validateNamespace(event);
  // Without eventTime it comes from a client of before 1.8, and anything goes.
  if (!event.eventTime) return errors;
  const reporter = FieldPath.root("reportingController");
  const { reportingComponent = "", message = "" } = event;
  if (reportingComponent === "") errors.push(required(reporter));
  errors.push(
    ...isQualifiedName(reportingComponent).map((text) => invalidValue(reporter, reportingComponent, text)),
  );
  for (const field of ["reportingInstance", "action", "reason"] as const) {
    const length = event[field]?.length ?? 0;
    if (length === 0) errors.push(required(FieldPath.root(field)));
    if (length > MAX_TEXT) {
      errors.push(invalidValue(FieldPath.root(field), "", `can have at most ${MAX_TEXT} characters`));
    }
  }
  if (message.length > MAX_MESSAGE) {
    errors.push(invalidValue(FieldPath.root("message"), "", `can have at most ${MAX_MESSAGE} characters`));
  }
  return errors;
}

/** An event lives beside its object; events of cluster-scoped objects live in `default`. */
function validateNamespace({ metadata, involvedObject }: Event): FieldError[] {
  const of = involvedObject?.namespace ?? "";
  const own = metadata.namespace ?? "";
  const fits = of === "" ? own === "" || own === "default" : own === of;
  return fits
    ? []
    : [invalidValue(FieldPath.root("involvedObject", "namespace"), of, "does not match event.namespace")];
}
