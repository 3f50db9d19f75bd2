import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readDescriptions } from "../schema/descriptions.ts";

/** The documentation that /openapi answers with and `kubectl explain` prints. */
export async function writeDescriptions(outdir: string): Promise<void> {
  const descriptions = await readDescriptions();
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, "openapi-descriptions.json"), JSON.stringify(descriptions));
}
