/**
 * Makes dist/: the program and the testing entry as bundles that share their chunks, the field descriptions for
 * OpenAPI, and the types of the testing entry. Run by `npm run build`, and by npm itself at the end of `npm ci`; there
 * it must never fail for what is missing, so without the development dependencies it says so and makes nothing.
 */
import { existsSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NEEDED = ["esbuild", "typescript", "@kubernetes/client-node"];

const missing = NEEDED.filter((name) => !existsSync(`${ROOT}node_modules/${name}/package.json`));
if (missing.length > 0) {
  console.log(`Nothing built: ${missing.join(", ")} (development dependencies) are not installed.`);
} else {
  const { bundle } = await import("./bundle.ts");
  const { writeDescriptions } = await import("./openapi-descriptions.ts");
  const { writeTypes } = await import("./types.ts");
  // Built beside and moved at the end, so that a program that starts meanwhile finds all of one build.
  const fresh = `${ROOT}dist.new`;
  rmSync(fresh, { recursive: true, force: true });
  await Promise.all([bundle(ROOT, fresh), writeDescriptions(fresh), writeTypes(ROOT, fresh)]);
  rmSync(`${ROOT}dist`, { recursive: true, force: true });
  await rename(fresh, `${ROOT}dist`);
}
