/**
 * Writes src/api/schema/*.generated.ts from the models of npm @kubernetes/client-node and the facts beside them.
 * Run it after changing a table of facts or raising the version of the package.
 */
import { writeFileSync } from "node:fs";
import { facts } from "../../src/api/schema/facts/index.ts";
import { join } from "./join.ts";
import { readModels } from "./models.ts";
import { renderDefinitions, renderInterfaces } from "./render.ts";

const FOLDER = new URL("../../src/api/schema/", import.meta.url);

/** The generated files by name. */
export async function generate(): Promise<Map<string, string>> {
  const blocks = join(await readModels(), facts);
  const files = new Map([["definitions.generated.ts", renderDefinitions(blocks)]]);
  for (const block of blocks) {
    if (block.facts.unserved) continue;
    files.set(`${block.facts.id}.generated.ts`, renderInterfaces(block));
  }
  return files;
}

if (import.meta.main) {
  for (const [name, text] of await generate()) writeFileSync(new URL(name, FOLDER), text);
}
