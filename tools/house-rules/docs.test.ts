/** The pages: their links lead somewhere, and ARCHITECTURE.md tells the folders that there are. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import test from "node:test";
import { serverVerb } from "../../src/cli/verbs/server.ts";
import { SETTINGS } from "../../src/kubelet/configuration/settings.ts";
import { readFolderTable, readLayers } from "./import-rules.ts";
import { projectFiles, ROOT, sourceFiles, textOf } from "./sources.ts";

const LONGEST_ARCHITECTURE = 200;
const LINK = /\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g;

const pages = projectFiles().filter((path) => path.endsWith(".md"));

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}

/** What is wrong with a link, or undefined. */
function brokenLink(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : posix.join(posix.dirname(page), path);
  if (!existsSync(ROOT + target)) return `${page} → ${link}: no such file`;
  if (anchor !== undefined && !anchorsOf(target).includes(anchor))
    return `${page} → ${link}: no such heading`;
  return undefined;
}

/** A page without its blocks of code, where brackets are not links. */
function prose(page: string): string {
  return textOf(page).replace(/^```[\s\S]*?^```/gm, "");
}

test("brokenLink tells a missing file and a missing heading", () => {
  assert.equal(brokenLink("README.md", "LICENSE"), undefined);
  assert.equal(brokenLink("README.md", "https://kubernetes.io/"), undefined);
  assert.match(brokenLink("README.md", "nowhere.md") ?? "", /no such file/);
  assert.match(brokenLink("README.md", "ARCHITECTURE.md#nowhere") ?? "", /no such heading/);
});

test("every link of every page leads to a file and a heading", () => {
  assert.ok(pages.length >= 4);
  const broken = pages.flatMap((page) =>
    [...prose(page).matchAll(LINK)].flatMap(([, link = ""]) => brokenLink(page, link) ?? []),
  );
  assert.deepEqual(broken, []);
});

test("every decision and every page of the guide is linked from another page", () => {
  const linked = new Set(
    pages.flatMap((page) =>
      [...prose(page).matchAll(LINK)].map(([, link = ""]) =>
        posix.join(posix.dirname(page), link.split("#")[0] ?? ""),
      ),
    ),
  );
  assert.deepEqual(
    pages.filter((page) => page.startsWith("docs/") && !linked.has(page)),
    [],
  );
});

test("ARCHITECTURE.md tells every folder of src and no other, and its order names the same", () => {
  const folders = readdirSync(`${ROOT}src`).filter((name) => sourceFiles(`src/${name}`).length > 0);
  assert.deepEqual(readFolderTable().sort(), folders.sort());
  assert.deepEqual([...readLayers().keys()].sort(), folders.sort());
});

test(`ARCHITECTURE.md has at most ${LONGEST_ARCHITECTURE} lines`, () => {
  assert.ok(textOf("ARCHITECTURE.md").split("\n").length - 1 <= LONGEST_ARCHITECTURE);
});

test("ARCHITECTURE.md names only files and folders that exist", () => {
  const named = [...textOf("ARCHITECTURE.md").matchAll(/`((?:src|tools|test|bench|bin|docs)\/[\w./-]*)`/g)];
  const missing = named.map(([, path = ""]) => path).filter((path) => !existsSync(ROOT + path));
  assert.deepEqual(missing, []);
});

test("the guide tells every field of the kubelet's configuration, what it decides, and no other", () => {
  const declared = Object.entries(SETTINGS).map(([name, { decides }]) =>
    `${name}: ${decides}.`.toLowerCase(),
  );
  const rows = textOf("docs/guide/kubelet-configuration.md").matchAll(/^\| `(\w+)` \| (.+?) \|/gm);
  const told = [...rows].map(([, name, decides]) => `${name}: ${decides}`.toLowerCase());
  assert.deepEqual(told, declared);
});

test("the guide tells every flag of the server and no other", () => {
  const flags = serverVerb.flags.map(({ syntax }) => syntax.split(" ")[0]);
  const told = [...textOf("docs/guide/server.md").matchAll(/^\| `(--[\w-]+)` \|/gm)].map(([, flag]) => flag);
  assert.deepEqual(told.sort(), flags.sort());
});
