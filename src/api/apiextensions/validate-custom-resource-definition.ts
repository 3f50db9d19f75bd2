/**
 * The rules of custom resource definitions. Upstream's internal type holds what all versions have in common beside the
 * versions (`spec.validation`, `spec.subresources` …), and its messages name those fields: so do these.
 *
 * Neither the rules of x-kubernetes-validations nor defaults are held against the schema here: both are for what serves
 * custom resources.
 */
import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { immutableField } from "../core/immutable.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
} from "../schema/apiextensions.v1.generated.ts";
import { validateApiApproval } from "./api-approval.ts";
import { rulesOfUpdate, type SchemaRules, STRICT } from "./schema-rules.ts";
import { validateNames } from "./validate-names.ts";
import { validateSpec } from "./validate-spec.ts";

const SPEC = FieldPath.root("spec");
const STATUS = FieldPath.root("status");

export function validateCustomResourceDefinition(object: CustomResourceDefinition): FieldError[] {
  if (!object.spec) return [required(SPEC)];
  const { name = "" } = object.metadata;
  const errors: FieldError[] = [];
  if (name !== "" && name !== `${object.spec.names?.plural ?? ""}.${object.spec.group ?? ""}`) {
    const why = 'must be spec.names.plural+"."+spec.group';
    errors.push(invalidValue(FieldPath.root("metadata", "name"), name, why));
  }
  return [...errors, ...validateWhole(object, STRICT)];
}

export function validateCustomResourceDefinitionUpdate(
  object: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  if (!object.spec) return [required(SPEC)];
  return validateWhole(object, rulesOfUpdate(old.spec), old);
}

function validateWhole(
  object: CustomResourceDefinition,
  rules: SchemaRules,
  old?: CustomResourceDefinition,
): FieldError[] {
  const { spec } = object;
  const errors = validateSpec(spec, rules, SPEC);
  if (old) errors.push(...validateFixed(spec, old));
  errors.push(
    ...validateCustomResourceDefinitionStatus(object),
    ...validateStoredVersions(object),
    ...validateApiApproval(object, old),
  );
  if (spec.preserveUnknownFields && !old?.spec.preserveUnknownFields) {
    const why =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    errors.push(invalidValue(SPEC.child("preserveUnknownFields"), true, why));
  }
  return errors;
}

/** Where objects are, or may be, stored depends on these. */
function validateFixed(spec: CustomResourceDefinitionSpec, old: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = [];
  const established = old.status?.conditions?.some(
    ({ type, status }) => type === "Established" && status === "True",
  );
  if (established) {
    errors.push(...immutableField(SPEC.child("scope"), spec.scope, old.spec.scope));
    errors.push(...immutableField(SPEC.child("names", "kind"), spec.names?.kind, old.spec.names.kind));
  }
  errors.push(...immutableField(SPEC.child("group"), spec.group, old.spec.group));
  errors.push(...immutableField(SPEC.child("names", "plural"), spec.names?.plural, old.spec.names.plural));
  return errors;
}

export function validateCustomResourceDefinitionStatus({ status }: CustomResourceDefinition): FieldError[] {
  return validateNames(status?.acceptedNames ?? {}, STATUS.child("acceptedNames"));
}

function validateStoredVersions({ spec, status }: CustomResourceDefinition): FieldError[] {
  const path = STATUS.child("storedVersions");
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [invalidValue(path, stored, "must have at least one stored version")];
  const errors: FieldError[] = [];
  const versions = spec.versions ?? [];
  for (const { name, storage } of versions) {
    if (storage && !stored.includes(name)) {
      errors.push(invalidValue(path, stored, `must have the storage version ${name}`));
    }
  }
  for (const [i, name] of stored.entries()) {
    if (versions.some((version) => version.name === name)) continue;
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalidValue(path.index(i), name, why));
  }
  return errors;
}
