/** API types as JSON schemas of OpenAPI, in the forms of versions 2 and 3. */
import { openApiNameOf, openApiNameOfLeaf } from "../../api/schema/open-api-name.ts";
import type { Definition, Field, FieldType, Scalar } from "../../machinery/schema/schema.ts";

/** By definition id and field name; "" is the definition's own. Made at build; may be absent. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type JSONObject = Record<string, unknown>;

export type Form = 2 | 3;

const REFS = { 2: "#/definitions/", 3: "#/components/schemas/" } as const;

export function refTo(name: string, form: Form): JSONObject {
  return { $ref: REFS[form] + name };
}

const SCALARS: Readonly<Partial<Record<Scalar, JSONObject>>> = {
  string: { type: "string" },
  boolean: { type: "boolean" },
  int32: { format: "int32", type: "integer" },
  int64: { format: "int64", type: "integer" },
  float64: { format: "double", type: "number" },
  bytes: { format: "byte", type: "string" },
  any: { type: "object" },
};

const EITHER = { 2: {}, 3: { oneOf: [{ type: "integer" }, { type: "string" }] } } as const;

/** The definitions of leaves, by what openApiNameOfLeaf knows them by. */
export function leafSchema(leaf: string, form: Form): JSONObject {
  switch (leaf) {
    case "Time":
    case "MicroTime":
      return { format: "date-time", type: "string" };
    case "Duration":
      return { type: "string" };
    case "Quantity":
      return form === 2 ? { type: "string" } : { oneOf: [{ type: "string" }, { type: "number" }] };
    case "IntOrString":
      return form === 2
        ? { format: "int-or-string", type: "string" }
        : { format: "int-or-string", ...EITHER[3] };
    case "RawExtension":
    case "FieldsV1":
      return { type: "object" };
    default:
      // apiextensions' JSON: of any type.
      return {};
  }
}

/** Structs of which one member counts, each chosen by its name capitalised: `[discriminator, ...members]`. */
const UNIONS: Readonly<Record<string, readonly (string | undefined)[]>> = {
  "core.v1.AppArmorProfile": ["type", "localhostProfile"],
  "core.v1.PodSchedulingGroup": [undefined, "podGroupName"],
  "core.v1.SeccompProfile": ["type", "localhostProfile"],
  "flowcontrol.v1.LimitResponse": ["type", "queuing"],
  "flowcontrol.v1.PriorityLevelConfigurationSpec": ["type", "exempt", "limited"],
  "flowcontrol.v1.Subject": ["kind", "group", "serviceAccount", "user"],
  "scheduling.v1alpha2.PodGroupSchedulingPolicy": [undefined, "basic", "gang"],
  "scheduling.v1alpha2.PodGroupTemplateReference": [undefined, "workload"],
};

function unionsOf(id: string): JSONObject {
  const union = Object.hasOwn(UNIONS, id) ? UNIONS[id] : undefined;
  if (!union) return {};
  const [discriminator, ...members] = union;
  const choices = members.map((name = "") => [name, name.charAt(0).toUpperCase() + name.slice(1)]);
  const chosen = { "fields-to-discriminateBy": Object.fromEntries(choices) };
  return { "x-kubernetes-unions": [discriminator === undefined ? chosen : { discriminator, ...chosen }] };
}

/** Called with the name of every definition that is referred to. */
export type Seen = (id: string | undefined, leaf: string | undefined) => void;

/** Field has `wire` where the scalar alone does not tell the type. */
export function typeSchema(type: FieldType, wire: string | undefined, form: Form, seen: Seen): JSONObject {
  if (typeof type === "string") {
    const leaf = wire !== undefined && openApiNameOfLeaf(wire) ? wire : type;
    const name = openApiNameOfLeaf(leaf);
    if (name === undefined) return SCALARS[type] ?? { type: "object" };
    seen(undefined, leaf);
    return refTo(name, form);
  }
  if ("ref" in type) {
    seen(type.ref, undefined);
    return refTo(openApiNameOf(type.ref), form);
  }
  if ("list" in type) return { items: typeSchema(type.list, wire, form, seen), type: "array" };
  return { additionalProperties: typeSchema(type.map, wire, form, seen), type: "object" };
}

export function definitionSchema(
  definition: Definition,
  form: Form,
  descriptions: Descriptions | undefined,
  seen: Seen,
): JSONObject {
  const texts =
    descriptions && Object.hasOwn(descriptions, definition.id) ? descriptions[definition.id] : undefined;
  const schema: JSONObject = {};
  if (texts?.[""]) schema.description = texts[""];
  const required: string[] = [];
  const properties: JSONObject = Object.create(null);
  for (const field of definition.fields) {
    const text = texts?.[field.name] ?? (form === 3 ? ownText(field.type, descriptions) : undefined);
    properties[field.name] = fieldSchema(field, form, text, seen);
    if (field.required) required.push(field.name);
  }
  if (definition.fields.length > 0) schema.properties = properties;
  if (required.length > 0) schema.required = required;
  schema.type = "object";
  if (definition.kinds && definition.kinds.length > 0) {
    schema["x-kubernetes-group-version-kind"] = definition.kinds.map(({ group, version, kind }) => ({
      group,
      kind,
      version,
    }));
  }
  if (definition.mapType) schema["x-kubernetes-map-type"] = definition.mapType;
  return { ...schema, ...unionsOf(definition.id) };
}

/** What is known of fields that refer to a definition is what it says of itself; `kubectl explain` shows it. */
function ownText(type: FieldType, descriptions: Descriptions | undefined): string | undefined {
  if (typeof type === "string" || !("ref" in type) || !descriptions) return undefined;
  return Object.hasOwn(descriptions, type.ref) ? descriptions[type.ref]?.[""] : undefined;
}

function fieldSchema(field: Field, form: Form, description: string | undefined, seen: Seen): JSONObject {
  const { type, wire, listType, listMapKeys, mapType, patchStrategy, patchMergeKey } = field;
  let schema: JSONObject = { ...typeSchema(type, wire, form, seen) };
  // Beside a $ref nothing counts in version 3.
  if (form === 3 && "$ref" in schema) schema = { allOf: [schema] };
  if (description) schema = { description, ...schema };
  if (form === 3 && field.enum) schema.enum = field.enum;
  if (form === 3 && field.default !== undefined) schema.default = field.default;
  if (listMapKeys) schema["x-kubernetes-list-map-keys"] = listMapKeys;
  if (listType) schema["x-kubernetes-list-type"] = listType;
  if (mapType) schema["x-kubernetes-map-type"] = mapType;
  if (patchMergeKey) schema["x-kubernetes-patch-merge-key"] = patchMergeKey;
  if (patchStrategy) schema["x-kubernetes-patch-strategy"] = patchStrategy.join(",");
  return schema;
}
