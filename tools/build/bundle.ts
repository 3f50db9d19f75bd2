/** The bundles, and the licences of what went into them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";

const ENTRIES = { kybern: "src/main/kybern.ts", testing: "src/testing/index.ts" };
/** Stays a package: it finds its native part by where its own files lie. */
const EXTERNAL = ["lmdb"];
/** CommonJS packages ask for Node's own modules by `require`, which an ES module has not. */
const REQUIRE =
  'import { createRequire as bundledRequire } from "node:module"; const require = bundledRequire(import.meta.url);';

/**
 * Packages are bundled too: the program then starts a quarter sooner than with their many files. It is not minified,
 * which gained nothing once the compile cache is filled, and so that a stack names the function it came from.
 */
export async function bundle(root: string, outdir: string): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ENTRIES,
    outdir,
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    mainFields: ["module", "main"],
    external: EXTERNAL,
    banner: { js: REQUIRE },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, "licenses.txt"), licenses(root, metafile));
}

function licenses(root: string, { outputs }: Metafile): string {
  const folders = new Set<string>();
  for (const { inputs } of Object.values(outputs)) {
    for (const path of Object.keys(inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      if (folder) folders.add(join(root, folder));
    }
  }
  return [...folders].sort().map(licenseOf).join("\n");
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license: string;
  };
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  return [`${name} ${version} (${license})`, "", ...texts, ""].join("\n");
}
