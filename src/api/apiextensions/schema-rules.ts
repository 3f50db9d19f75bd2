/** Which rules a schema is held to: all on create; on update not those that the stored object breaks already. */
import { FieldPath } from "../../machinery/field/path.ts";
import type { CustomResourceDefinitionSpec, JSONSchemaProps } from "../schema/apiextensions.v1.generated.ts";
import { specHas } from "./schema-walk.ts";
import { notStructuralizable, validateStructural } from "./structural-schema.ts";
import { hasAtomicItems, validateListItems } from "./validate-list.ts";

export interface SchemaRules {
  schemaPresent: boolean;
  knownTypes: boolean;
  structural: boolean;
  /** Elements of sets are atomic. */
  atomicSets: boolean;
  /** Keys of list maps are there and not null. */
  mapKeys: boolean;
  /** The versions of ConversionReview have one that is known. */
  reviewVersions: boolean;
}

export const STRICT: SchemaRules = {
  schemaPresent: true,
  knownTypes: true,
  structural: true,
  atomicSets: true,
  mapKeys: true,
  reviewVersions: true,
};

/** Of OpenAPI v3. */
export const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
export const REVIEW_VERSIONS = ["v1", "v1beta1"];

export function rulesOfUpdate(old: CustomResourceDefinitionSpec): SchemaRules {
  const versions = old.versions ?? [];
  const reviewVersions = old.conversion?.webhook?.conversionReviewVersions ?? [];
  return {
    schemaPresent: versions.every(({ schema }) => schema?.openAPIV3Schema !== undefined),
    knownTypes: !specHas(old, ({ type }) => !!type && !TYPES.includes(type)),
    structural: versions.every(({ schema }) => isStructural(schema?.openAPIV3Schema)),
    atomicSets: !specHas(old, (schema) => !hasAtomicItems(schema)),
    mapKeys: !specHas(old, (schema) => validateListItems(schema, FieldPath.root()).length > 0),
    reviewVersions:
      reviewVersions.length === 0 || reviewVersions.some((version) => REVIEW_VERSIONS.includes(version)),
  };
}

function isStructural(schema: JSONSchemaProps | undefined): boolean {
  if (!schema) return true;
  return (
    notStructuralizable(schema) === undefined && validateStructural(schema, FieldPath.root()).length === 0
  );
}
