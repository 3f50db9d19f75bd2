/** The declarations of `kybern/testing`, for tests written in TypeScript. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ENTRY = "testing/index";

export async function writeTypes(root: string, outdir: string): Promise<void> {
  mkdirSync(outdir, { recursive: true });
  const config = join(outdir, "tsconfig.json");
  const types = join(outdir, "types");
  const options = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    // `npm run check` finds type errors; the build only writes down what is there.
    noCheck: true,
    typeRoots: [join(root, "node_modules/@types")],
    rootDir: join(root, "src"),
    outDir: types,
  };
  const text = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: options,
    include: [],
    files: [join(root, `src/${ENTRY}.ts`)],
  };
  writeFileSync(config, JSON.stringify(text));
  const tsc = spawn(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", config], {
    stdio: "inherit",
  });
  const [code] = (await once(tsc, "exit")) as [number | null];
  rmSync(config);
  if (code !== 0) throw new Error(`tsc ended with ${code}`);
  writeFileSync(join(outdir, "testing.d.ts"), `export * from "./types/${ENTRY}.js";\n`);
}
