/** What a browser must be able to run: base, machinery and api. */
import assert from "node:assert/strict";
import test from "node:test";
import { transformSync } from "esbuild";
import { importsOf, isTest, sourceFiles, textOf } from "./sources.ts";

const FOLDERS = ["src/base", "src/machinery", "src/api"];
/** Packages that run in browsers. */
const PACKAGES = ["re2js", "yaml"];
/** Names that only Node has; esbuild puts a mark in the place of each that is not a variable of the file. */
const NODE_ONLY = [
  "Buffer",
  "process",
  "global",
  "require",
  "module",
  "__dirname",
  "__filename",
  "setImmediate",
];
const MARK = "houseRuleMark_";
const define = Object.fromEntries(NODE_ONLY.map((name) => [name, MARK + name]));

/** Globals of Node that the code uses. */
function nodeGlobals(code: string): string[] {
  const marked = transformSync(code, { loader: "ts", define, logLevel: "silent" }).code;
  return NODE_ONLY.filter((name) => marked.includes(MARK + name));
}

const files = FOLDERS.flatMap((folder) => sourceFiles(folder)).filter((path) => !isTest(path));

test("nodeGlobals finds a global and not a variable or a word", () => {
  assert.deepEqual(nodeGlobals("export const size = Buffer.byteLength('process');"), ["Buffer"]);
  assert.deepEqual(nodeGlobals("export function f(process: number) { return process; } // Buffer"), []);
});

test("base, machinery and api import no module of Node and no package that needs it", () => {
  const wrong = files.flatMap((path) =>
    importsOf(path)
      .filter(({ specifier, path: target }) => target === undefined && !PACKAGES.includes(specifier))
      .map(({ specifier }) => `${path} → ${specifier}`),
  );
  assert.deepEqual(wrong, []);
});

test("base, machinery and api use no global of Node", () => {
  const wrong = files.flatMap((path) => nodeGlobals(textOf(path)).map((name) => `${path}: ${name}`));
  assert.deepEqual(wrong, []);
});
