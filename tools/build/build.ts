/**
 * Makes dist/: the program and the testing entry as bundles that share their chunks, the field descriptions for
 * OpenAPI, and the types of the testing entry. Run by `npm run build`, and by npm itself at the end of `npm ci`; there
 * it must never fail for what is missing, so without the development dependencies it says so and makes nothing.
 */
import { existsSync, renameSync, rmSync } from "node:fs";
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
  // Built apart and moved at the end: a build that fails leaves the last one, and no program finds half of two.
  const fresh = `${ROOT}node_modules/.cache/build-${process.pid}`;
  try {
    await Promise.all([bundle(ROOT, fresh), writeDescriptions(fresh), writeTypes(ROOT, fresh)]);
    rmSync(`${ROOT}dist`, { recursive: true, force: true });
    renameSync(fresh, `${ROOT}dist`);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
