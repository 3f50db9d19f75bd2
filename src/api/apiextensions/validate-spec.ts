import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import type { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { byteLength, isDNS1035Label, isDNS1123Subdomain } from "../../machinery/names/names.ts";
import type {
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from "../schema/apiextensions.v1.generated.ts";
import type { SchemaRules } from "./schema-rules.ts";
import { misshapen, specHas } from "./schema-walk.ts";
import { validateConversion } from "./validate-conversion.ts";
import { requireNames, validateNames } from "./validate-names.ts";
import { validateSchema } from "./validate-schema.ts";
import { validateColumns, validateSelectableFields, validateSubresources } from "./validate-version.ts";

const SCOPES = ["Cluster", "Namespaced"];
const WARNING_MAX = 256;

export function validateSpec(
  spec: CustomResourceDefinitionSpec,
  given: SchemaRules,
  path: FieldPath,
): FieldError[] {
  const { versions = [] } = spec;
  for (const [i, { schema }] of versions.entries()) {
    const at = path.child("versions").index(i).child("schema", "openAPIV3Schema");
    const wrong = schema?.openAPIV3Schema ? misshapen(schema.openAPIV3Schema, at) : [];
    if (wrong.length > 0) return wrong;
  }
  const rules = rulesFor(spec, given);
  const shared = {
    schema: same(versions, "schema"),
    subresources: same(versions, "subresources"),
    columns: same(versions, "additionalPrinterColumns"),
    selectableFields: same(versions, "schema") && same(versions, "selectableFields"),
  };
  const errors = [...validateGroup(spec.group ?? "", path.child("group")), ...validateScope(spec, path)];
  validateSchemaPresence(spec, rules, path, errors);
  for (const [i, version] of versions.entries()) {
    const at = path.child("versions").index(i);
    const wrong = isDNS1035Label(version.name ?? "");
    if (wrong.length > 0) errors.push(invalidValue(at.child("name"), version.name ?? "", wrong.join(",")));
    for (const text of warningWrong(version)) {
      errors.push(invalidValue(at.child("deprecationWarning"), version.deprecationWarning, text));
    }
    const status = version.subresources?.status !== undefined;
    validateParts(version, rules, at.child("schema"), status, at, errors, (part) => !shared[part]);
  }
  validateVersionNames(versions, path, errors);
  errors.push(...requireNames(spec.names ?? {}, path.child("names")));
  errors.push(...validateNames(spec.names ?? {}, path.child("names")));
  if (versions[0]) {
    const status = versions.some(({ subresources }) => subresources?.status !== undefined);
    const at = path.child("validation");
    validateParts(versions[0], rules, at, status, path, errors, (part) => shared[part]);
  }
  const { strategy } = spec.conversion ?? {};
  if (spec.preserveUnknownFields && strategy !== undefined && strategy !== "None") {
    const why = "must be None if spec.preserveUnknownFields is true";
    errors.push(invalidValue(path.child("conversion", "strategy"), strategy, why));
  }
  errors.push(...validateConversion(spec.conversion, rules, path.child("conversion")));
  return errors;
}

function rulesFor(spec: CustomResourceDefinitionSpec, given: SchemaRules): SchemaRules {
  const extended = specHas(
    spec,
    (schema) =>
      schema.default !== undefined ||
      Boolean(schema["x-kubernetes-embedded-resource"] || schema["x-kubernetes-int-or-string"]) ||
      schema["x-kubernetes-preserve-unknown-fields"] !== undefined ||
      schema["x-kubernetes-list-type"] !== undefined ||
      (schema["x-kubernetes-list-map-keys"] ?? []).length > 0 ||
      (schema["x-kubernetes-validations"] ?? []).length > 0,
  );
  return given.structural || (spec.preserveUnknownFields && !extended)
    ? given
    : { ...given, structural: true };
}

/** Whether all versions say the same there, or nothing: then messages name a field of `spec`. */
function same(
  versions: readonly CustomResourceDefinitionVersion[],
  field: "schema" | "subresources" | "additionalPrinterColumns" | "selectableFields",
): boolean {
  // Unlike elsewhere, an empty schema is not the same as none.
  return versions.every(
    (version) =>
      semanticEqual(version[field], versions[0]?.[field]) &&
      (version[field] === undefined) === (versions[0]?.[field] === undefined),
  );
}

type Part = "schema" | "subresources" | "columns" | "selectableFields";

function validateParts(
  version: CustomResourceDefinitionVersion,
  rules: SchemaRules,
  schemaPath: FieldPath,
  status: boolean,
  path: FieldPath,
  errors: FieldError[],
  is: (part: Part) => boolean,
): void {
  const { schema, subresources, additionalPrinterColumns = [], selectableFields = [] } = version;
  if (is("schema") && schema) {
    errors.push(...validateSchema(schema.openAPIV3Schema, status, rules, schemaPath));
  }
  if (is("subresources")) errors.push(...validateSubresources(subresources, path.child("subresources")));
  if (is("columns")) {
    errors.push(...validateColumns(additionalPrinterColumns, path.child("additionalPrinterColumns")));
  }
  if (is("selectableFields") && selectableFields.length > 0) {
    const at = path.child("selectableFields");
    errors.push(...validateSelectableFields(selectableFields, schema?.openAPIV3Schema, at));
  }
}

function validateGroup(group: string, path: FieldPath): FieldError[] {
  if (group === "") return [required(path)];
  const wrong = isDNS1123Subdomain(group);
  if (wrong.length > 0) return [invalidValue(path, group, wrong.join(","))];
  return group.includes(".") ? [] : [invalidValue(path, group, "should be a domain with at least one dot")];
}

function validateScope({ scope }: CustomResourceDefinitionSpec, path: FieldPath): FieldError[] {
  if (!scope) return [required(path.child("scope"))];
  return SCOPES.includes(scope) ? [] : [notSupported(path.child("scope"), scope, SCOPES)];
}

function validateSchemaPresence(
  spec: CustomResourceDefinitionSpec,
  rules: SchemaRules,
  path: FieldPath,
  errors: FieldError[],
): void {
  for (const [i, { schema, served }] of (spec.versions ?? []).entries()) {
    if (schema?.openAPIV3Schema) continue;
    const at = path.child("versions").index(i).child("schema", "openAPIV3Schema");
    if (rules.schemaPresent) errors.push(required(at, "schemas are required"));
    else if (served && !spec.preserveUnknownFields) {
      errors.push(required(at, "because otherwise all fields are pruned"));
    }
  }
  if (spec.preserveUnknownFields && specHas(spec, (schema) => schema.default !== undefined)) {
    const why = "must be false in order to use defaults in the schema";
    errors.push(invalidValue(path.child("preserveUnknownFields"), true, why));
  }
}

function validateVersionNames(
  versions: readonly CustomResourceDefinitionVersion[],
  path: FieldPath,
  errors: FieldError[],
): void {
  const at = path.child("versions");
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(invalidValue(at, versions, "must contain unique version names"));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const why = "must have exactly one version marked as storage version";
    errors.push(invalidValue(at, versions, why));
  }
  // The first version is `spec.version` too, as it was when there was one only.
  const first = versions[0]?.name ?? "";
  const wrong = first === "" ? [] : isDNS1035Label(first);
  if (wrong.length > 0) errors.push(invalidValue(path.child("version"), first, wrong.join(",")));
}

function warningWrong({ deprecated, deprecationWarning: text }: CustomResourceDefinitionVersion): string[] {
  if (text === undefined) return [];
  if (!deprecated) return ["can only be set for deprecated versions"];
  const wrong: string[] = [];
  if (byteLength(text) > WARNING_MAX) wrong.push(`must be <= ${WARNING_MAX} characters long`);
  if (text === "") wrong.push("must not be an empty string");
  const bad = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(text);
  if (bad) {
    const at = byteLength(text.slice(0, bad.index));
    wrong.push(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`);
  }
  return wrong;
}
