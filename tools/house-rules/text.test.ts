/** What a file may be like: its length, and what it must not say. */
import assert from "node:assert/strict";
import { homedir } from "node:os";
import { dirname } from "node:path";
import test from "node:test";
import { projectFiles, ROOT, sourceFiles, textOf } from "./sources.ts";

const LONGEST = 600;
/** Files that may be longer, each with the reason. */
const LONG: Readonly<Record<string, string>> = {};

/** Words of work left undone; written so that this file does not say them. */
const UNDONE = /\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/;

const isText = (path: string) => /\.(?:ts|js|json|md|sh|txt|ya?ml)$|^\.ci\//.test(path);
const files = projectFiles().filter(isText);

test("the project's files are found", () => {
  for (const path of ["README.md", "package.json", ".ci/run", "bin/node.js", "src/store/store.ts"]) {
    assert.ok(files.includes(path), path);
  }
});

test(`no file is longer than ${LONGEST} lines without a reason`, () => {
  const wrong = ["src", "test", "tools", "bench"]
    .flatMap((folder) => sourceFiles(folder))
    .filter((path) => !path.endsWith(".generated.ts") && !Object.hasOwn(LONG, path))
    .map((path) => ({ path, lines: textOf(path).split("\n").length - 1 }))
    .filter(({ lines }) => lines > LONGEST);
  assert.deepEqual(wrong, []);
});

test("no file says that something is left undone", () => {
  const wrong = files.filter((path) => path !== "package-lock.json" && UNDONE.test(textOf(path)));
  assert.deepEqual(wrong, []);
});

test("no file names a place on a developer's machine", () => {
  const checkout = ROOT.replace(/\/$/, "");
  const around = dirname(checkout);
  const places = [checkout, homedir()];
  // Beside "/" or "/tmp" anything may lie that a file may well name.
  if (!["/", "/tmp", "/var", "/opt", "/usr", "/home", "/root", "/srv", "/mnt"].includes(around))
    places.push(around);
  const known = /(?:^|[\s"'`(=])(?:\/home\/|\/Users\/|[A-Z]:\\Users\\)\w/m;
  const named = places.filter((place) => place !== "/" && place !== "/root").map((place) => `${place}/`);
  const wrong = files.filter((path) => {
    const text = textOf(path);
    return known.test(text) || named.some((place) => saysPlace(text, place));
  });
  assert.deepEqual(wrong, []);
});

/** Whether the text has the path, not as the end of a longer one. */
function saysPlace(text: string, place: string): boolean {
  for (let at = text.indexOf(place); at >= 0; at = text.indexOf(place, at + 1)) {
    if (!/[\w.}$-]/.test(text[at - 1] ?? " ")) return true;
  }
  return false;
}

test("package-lock.json names no registry", () => {
  const wrong = textOf("package-lock.json")
    .split("\n")
    .filter((line) => line.includes('"resolved"'));
  assert.deepEqual(wrong, []);
});
