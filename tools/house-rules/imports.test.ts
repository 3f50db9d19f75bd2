/** Who may import whom in src/. */
import assert from "node:assert/strict";
import test from "node:test";
import { findCycles, folderOf, readLayers } from "./import-rules.ts";
import { importsIn, importsOf, isTest, sourceFiles, textOf } from "./sources.ts";

/** Only these use the store; everyone else goes through the API. */
const STORE_USERS = ["store", "apiserver", "testing", "main"];

/** Families whose members never import each other: each file or folder of `folder` that `declares` is one. */
const FAMILIES = [
  { folder: "src/admission/", declares: /^export const \w+ = defineAdmission\(/m },
  { folder: "src/controllers/", declares: /^export const \w+ = defineController\b/m },
  { folder: "src/scheduler/plugins/", declares: /^export const \w+ = definePlugin\b/m },
  { folder: "src/cli/verbs/", declares: /^export const \w+: Verb</m },
];

const files = sourceFiles();
const code = files.filter((path) => !isTest(path));
const imports = new Map(files.map((path) => [path, importsOf(path)]));

function importsWithinSource(path: string) {
  return (imports.get(path) ?? []).flatMap(({ path: target, typeOnly }) =>
    target?.startsWith("src/") ? [{ target, typeOnly }] : [],
  );
}

test("importsIn finds every form of import", () => {
  const text = `
import assert from "node:assert";
import { a, type B } from "./b.ts";
import type { C } from "../c.ts";
import {
  d,
  e,
} from "./d.ts";
export * from "./f.ts";
export type { G } from "./g.ts";
import "./h.ts";
const later = await import("./i.ts");
`;
  assert.deepEqual(
    importsIn(text, "src/x/y.ts").map(({ specifier, path, typeOnly }) => [specifier, path, typeOnly]),
    [
      ["node:assert", undefined, false],
      ["./b.ts", "src/x/b.ts", false],
      ["../c.ts", "src/c.ts", true],
      ["./d.ts", "src/x/d.ts", false],
      ["./f.ts", "src/x/f.ts", false],
      ["./g.ts", "src/x/g.ts", true],
      ["./h.ts", "src/x/h.ts", false],
      ["./i.ts", "src/x/i.ts", false],
    ],
  );
});

test("code imports only from lower folders, and never from a sibling", () => {
  const layers = readLayers();
  const wrong: string[] = [];
  for (const path of code) {
    const own = folderOf(path);
    for (const { target } of importsWithinSource(path)) {
      const other = folderOf(target);
      if (own === other) continue;
      const [from, to] = [layers.get(own), layers.get(other)];
      if (from === undefined || to === undefined || to >= from) wrong.push(`${path} → ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("only the API server and what wires it import the store", () => {
  const wrong = code.flatMap((path) =>
    STORE_USERS.includes(folderOf(path))
      ? []
      : importsWithinSource(path).flatMap(({ target }) =>
          folderOf(target) === "store" ? [`${path} → ${target}`] : [],
        ),
  );
  assert.deepEqual(wrong, []);
});

for (const { folder, declares } of FAMILIES) {
  test(`members of ${folder} never import each other`, () => {
    const memberOf = (path: string) => path.slice(folder.length).split("/")[0] ?? "";
    const inside = code.filter((path) => path.startsWith(folder));
    const members = new Set(
      inside.filter((path) => path !== `${folder}index.ts` && declares.test(textOf(path))).map(memberOf),
    );
    assert.ok(members.size > 0, "none was found");
    const wrong: string[] = [];
    for (const path of inside) {
      const own = memberOf(path);
      if (!members.has(own)) continue;
      for (const { target } of importsWithinSource(path)) {
        const other = target.startsWith(folder) ? memberOf(target) : own;
        if (other !== own && members.has(other)) wrong.push(`${path} → ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}

test("findCycles finds a cycle and nothing else", () => {
  const graph = new Map([
    ["a", ["b"]],
    ["b", ["c", "d"]],
    ["c", ["a"]],
    ["d", ["e"]],
    ["e", []],
  ]);
  assert.deepEqual(findCycles(graph), [["a", "b", "c"]]);
});

test("no files import each other in a circle", () => {
  const graph = new Map(
    code.map((path) => [
      path,
      importsWithinSource(path).flatMap(({ target, typeOnly }) => (typeOnly ? [] : [target])),
    ]),
  );
  assert.deepEqual(findCycles(graph), []);
});

test("every relative import names its file's extension", () => {
  const wrong: string[] = [];
  for (const folder of ["src", "test", "tools", "bench"]) {
    for (const path of sourceFiles(folder)) {
      for (const { specifier, path: target } of importsOf(path)) {
        if (target !== undefined && !/\.(ts|js|json)$/.test(target)) wrong.push(`${path} → ${specifier}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

/** `@scope/name/file` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

test("package.json lists the packages that the code imports, and no other", () => {
  const imported = code.flatMap((path) =>
    (imports.get(path) ?? [])
      .filter(({ specifier, path: target }) => target === undefined && !specifier.startsWith("node:"))
      .map(({ specifier }) => packageOf(specifier)),
  );
  const { dependencies } = JSON.parse(textOf("package.json")) as { dependencies: Record<string, string> };
  assert.deepEqual([...new Set(imported)].sort(), Object.keys(dependencies).sort());
});
