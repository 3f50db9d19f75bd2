/**
 * The documentation of definitions and fields, for OpenAPI. It comes from the client's models at build time and goes
 * into dist only, never into the repository.
 */
import { facts } from "../../src/api/schema/facts/index.ts";
import { join } from "./join.ts";
import { readModels } from "./models.ts";

/** By definition id; "" is the definition's own. */
export type Descriptions = Record<string, Record<string, string>>;

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&#x27;": "'",
  "&#x60;": "`",
  "&#x3D;": "=",
  "&#61;": "=",
  "&#123;": "{",
  "&#125;": "}",
  "&amp;": "&",
};

/** Where a paragraph ends: the client's generator turned each line break into a space. */
const PARAGRAPH = /(?<=[.:)`]) {2}(?=\S)/g;

/** Takes back what the client's generator did to put text into a comment, as far as it can be known. */
export function unescapeDoc(doc: string): string {
  return doc
    .replace(/&[#\w]+;/g, (entity) => ENTITIES[entity] ?? entity)
    .replaceAll("/_*", "/*")
    .replaceAll("*_/", "*/")
    .replace(/\\(["'\\])/g, "$1")
    .replace(PARAGRAPH, "\n\n");
}

export async function readDescriptions(): Promise<Descriptions> {
  const descriptions: Descriptions = {};
  for (const { facts: own, definitions } of join(await readModels(), facts)) {
    for (const { kind, model } of definitions) {
      if (model === undefined) continue;
      const texts: Record<string, string> = {};
      if (model.doc !== "") texts[""] = unescapeDoc(model.doc);
      for (const { name, doc } of model.fields) if (doc !== "") texts[name] = unescapeDoc(doc);
      descriptions[`${own.id}.${kind}`] = texts;
    }
  }
  return descriptions;
}
