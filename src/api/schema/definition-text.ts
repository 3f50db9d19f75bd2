/**
 * The form in which definitions are generated: a line each, expanded when first asked for.
 *
 *     Volume name!:string:1 hostPath:HostPathVolumeSource:2/1 …
 *     PodSpec containers!:[Container]:2:map(name)+merge(name) …
 *
 * A field is name, type, numbers and facts between colons. Types without a dot are scalars or of the same group
 * version. `Pod@` is a kind of the block's group; `Table@meta.k8s.io/v1` of that one; `DeleteOptions@*` of every group.
 */
import type { Definition, Field, FieldType, Scalar } from "../../machinery/schema/schema.ts";

const SCALARS: ReadonlySet<string> = new Set<Scalar>([
  "string",
  "boolean",
  "int32",
  "int64",
  "float64",
  "bytes",
  "Time",
  "MicroTime",
  "Duration",
  "Quantity",
  "IntOrString",
  "any",
]);

const LIST_OF_STRINGS: FieldType = { list: "string" };

/** Messages of protobuf that are plain values in JSON. */
const CARRIED: ReadonlyMap<string, FieldType> = new Map<string, FieldType>([
  ["RawExtension", "any"],
  ["FieldsV1", "any"],
  ["JSON", "any"],
  ["JSONSchemaPropsOrArray", "any"],
  ["JSONSchemaPropsOrBool", "any"],
  ["JSONSchemaPropsOrStringArray", "any"],
  ["ExtraValue", LIST_OF_STRINGS],
  ["Verbs", LIST_OF_STRINGS],
]);

/** `[Container]` of core.v1 is a list of core.v1.Container; `wire` is set where protobuf wraps the leaf. */
export function parseType(text: string, block: string): { type: FieldType; wire?: string } {
  const first = text.charCodeAt(0);
  if (first === 91 /* [ */ || first === 123 /* { */) {
    const inner = parseType(text.slice(1, -1), block);
    const type = first === 91 ? { list: inner.type } : { map: inner.type };
    return inner.wire === undefined ? { type } : { type, wire: inner.wire };
  }
  if (SCALARS.has(text)) return { type: text as Scalar };
  const carried = CARRIED.get(text);
  if (carried !== undefined) return { type: carried, wire: text };
  return { type: { ref: text.includes(".") ? text : `${block}.${text}` } };
}

/** `map(ip,port)` gives `["map", "ip,port"]`. */
export function splitFact(fact: string): [name: string, argument: string | undefined] {
  const open = fact.indexOf("(");
  return open < 0 ? [fact, undefined] : [fact.slice(0, open), fact.slice(open + 1, -1)];
}

/** Writes one fact of merging, enums or defaults into a field. */
export function applyFact(field: Field, fact: string): void {
  const [name, argument] = splitFact(fact);
  if (name === "map" && argument !== undefined) {
    field.listType = "map";
    field.listMapKeys = argument.split(",");
  } else if (name === "set") field.listType = "set";
  else if (name === "granular") field.mapType = "granular";
  else if (name === "atomic") {
    if (typeof field.type === "object" && !("list" in field.type)) field.mapType = "atomic";
    else field.listType = "atomic";
  } else if (name === "merge" || name === "replace" || name === "retainKeys") {
    field.patchStrategy = [...(field.patchStrategy ?? []), name];
    if (argument !== undefined) field.patchMergeKey = argument;
  } else if (name === "enum" && argument !== undefined) field.enum = argument.split("|");
  else if (name === "default" && argument !== undefined) field.default = argument;
  else if (name === "pointer") field.pointer = true;
  else if (name === "keptEmpty") field.keptEmpty = true;
  else throw new Error(`unknown fact ${fact} of field ${field.name}`);
}

function parseField(text: string, block: string): Field {
  const [head = "", type = "", numbers = "", facts = ""] = text.split(":");
  const required = head.endsWith("!");
  const field: Field = { name: required ? head.slice(0, -1) : head, ...parseType(type, block) };
  if (required) field.required = true;
  if (numbers !== "") {
    const path = numbers.split("/").map(Number);
    field.number = path[path.length - 1];
    if (path.length > 1) field.embedded = path.slice(0, -1);
  }
  if (facts !== "") for (const fact of facts.split("+")) applyFact(field, fact);
  return field;
}

type Kinds = NonNullable<Definition["kinds"]>;

/** Expands one line; `kindsOf` gives the group versions that a mark stands for. */
export function parseDefinition(
  line: string,
  block: string,
  kindsOf: (mark: string, kind: string) => Kinds,
): Definition {
  const [head = "", ...texts] = line.split(" ");
  const [marked = "", mapType] = head.split("~");
  const at = marked.indexOf("@");
  const kind = at < 0 ? marked : marked.slice(0, at);
  const definition: Definition = {
    id: `${block}.${kind}`,
    fields: texts.map((text) => parseField(text, block)),
  };
  if (mapType === "atomic") definition.mapType = "atomic";
  if (at >= 0) definition.kinds = kindsOf(marked.slice(at + 1), kind);
  return definition;
}
