import type { FieldError } from "../../machinery/field/field-error.ts";
import { forbiddenField } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { validateTemplateMetadata } from "../core/pod/validate-template-metadata.ts";
import { defineResource, type RequestContext } from "../resource.ts";
import type { ResourceClaimTemplate as ResourceClaimTemplateType } from "../schema/resource.v1.generated.ts";
import { validateAdminRequests } from "./admin-access.ts";
import { defaultClaimSpec } from "./claim-defaults.ts";
import { validateDeviceClaim } from "./validate-claim.ts";

export type ResourceClaimTemplate = ResourceClaimTemplateType;

/** What the claims look like that are made for pods. */
export const ResourceClaimTemplate = defineResource<ResourceClaimTemplate>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaimTemplate",
  plural: "resourceclaimtemplates",
  scope: "Namespaced",
  definition: "resource.v1.ResourceClaimTemplate",
  validateName: nameIsDNSSubdomain,
  defaults: ({ spec }) => defaultClaimSpec(spec?.spec),
  validate,
  validateUpdate: ({ spec }, old) => immutableField(FieldPath.root("spec"), spec, old.spec),
  validatesAll: true,
  returnsDeletedObject: true,
  columns: [nameColumn, ageColumn],
});

const COPIED = ["annotations", "labels"];

function validate({ metadata, spec }: ResourceClaimTemplate, context: RequestContext): FieldError[] {
  const path = FieldPath.root("spec");
  const { devices } = spec?.spec ?? {};
  const errors = validateAdminRequests(devices?.requests, metadata.namespace ?? "", context);
  const own = spec?.metadata;
  const at = path.child("metadata");
  validateTemplateMetadata(own, at, errors);
  for (const [field, value] of Object.entries(own ?? {})) {
    if (COPIED.includes(field) || isEmpty(value)) continue;
    errors.push(forbiddenField(at.child(field), "cannot be set"));
  }
  validateDeviceClaim(devices, path.child("spec", "devices"), errors);
  return errors;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0) return true;
  return Array.isArray(value) && value.length === 0;
}
