import type { Definition, Field } from "./schema.ts";

const FIRST: readonly string[] = ["apiVersion", "kind", "metadata"];

/** A definition's fields in the order in which decoded objects have them: apiVersion, kind and metadata come first. */
export function fieldOrder(definition: Definition): readonly Field[] {
  const first = FIRST.flatMap((name) => definition.fields.filter((field) => field.name === name));
  return [...first, ...definition.fields.filter((field) => !FIRST.includes(field.name))];
}
