/** Paths into a schema, as selectableFields and the fieldPath of rules write them: `.spec.color`, `.spec['a.b']`. */
import type { JSONSchemaProps } from "../schema/apiextensions.v1.generated.ts";
import { additionalPropertiesOf, propertyOf } from "./schema-walk.ts";

export interface FieldReference {
  parts: readonly string[];
  schema: JSONSchemaProps;
}

/** What the path leads to; a text is what is wrong with it. */
export function findField(
  path: string,
  root: JSONSchemaProps,
  { brackets }: { brackets: boolean },
): FieldReference | string {
  const parts: string[] = [];
  let schema = root;
  let rest = path;
  while (rest !== "") {
    const [part, taken] = nextPart(rest, brackets);
    if (taken === 0) return part;
    const values = rest.startsWith("[") && !schema.properties ? additionalPropertiesOf(schema) : undefined;
    const found = values ?? propertyOf(schema, part);
    if (!found) return "does not refer to a valid field";
    parts.push(part);
    schema = found;
    rest = rest.slice(taken);
  }
  return parts.length === 0 ? "must not be empty" : { parts, schema };
}

/** The first part and how much of the text it is; 0 with what is wrong. */
function nextPart(text: string, brackets: boolean): [string, number] {
  if (text.startsWith(".")) {
    let end = 1;
    while (end < text.length && text[end] !== "." && text[end] !== "[") end++;
    return end === 1 ? ["unexpected end of JSON path", 0] : [text.slice(1, end), end];
  }
  if (!text.startsWith("[")) return [`expected [ or . but got: ${text}`, 0];
  if (!brackets) return ["array notation is not allowed", 0];
  const quote = text[1];
  if (quote !== "'" && quote !== '"') return ["expected a quoted name", 0];
  const end = text.indexOf(`${quote}]`, 2);
  return end < 0 ? ["unexpected end of JSON path", 0] : [text.slice(2, end), end + 2];
}
