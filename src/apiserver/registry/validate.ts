/** Metadata's rules and the kind's own, collected and failed once. */
import type { KubeObject } from "../../api/object.ts";
import type { RequestContext } from "../../api/resource.ts";
import { type FieldError, invalid } from "../../machinery/field/field-error.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../machinery/meta/validation.ts";
import { isDNS1123Subdomain } from "../../machinery/names/names.ts";
import type { Served } from "./registry.ts";

export function validateNew(served: Served, object: KubeObject, context: RequestContext): void {
  const { resource } = served;
  const errors = validateObjectMeta(object.metadata, {
    namespaced: resource.scope === "Namespaced",
    name: resource.validateName ?? isDNS1123Subdomain,
  });
  collect(errors, resource.validate?.(object, context));
  if (errors.length > 0) {
    const { name, generateName } = object.metadata;
    throw invalid({ group: served.group, kind: served.kind }, name ?? generateName ?? "", errors);
  }
}

export function validateChanged(
  served: Served,
  object: KubeObject,
  old: KubeObject,
  context: RequestContext,
  own?: (object: KubeObject, old: KubeObject, context: RequestContext) => FieldError[],
): void {
  const { resource } = served;
  const errors = validateObjectMetaUpdate(object.metadata, old.metadata);
  if (own) collect(errors, own(object, old, context));
  else {
    if (!resource.validatesAll) collect(errors, resource.validate?.(object, context));
    collect(errors, resource.validateUpdate?.(object, old, context));
  }
  if (errors.length > 0) {
    throw invalid({ group: served.group, kind: served.kind }, object.metadata.name ?? "", errors);
  }
}

/** A loop: as arguments of one call, the errors of a hostile object would be more than the stack holds. */
function collect(errors: FieldError[], more: readonly FieldError[] = []): void {
  for (const error of more) errors.push(error);
}
