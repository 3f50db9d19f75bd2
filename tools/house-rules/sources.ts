/** The project's own files, and what each imports, for the house rules. */
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDERS = ["src", "test", "tools", "bench", "bin", "docs", ".ci"];

export interface Import {
  /** As written. */
  specifier: string;
  /** From the root, for a relative import. */
  path: string | undefined;
  /** `import type`, of which nothing is left at run time. */
  typeOnly: boolean;
}

const STATIC = /^(?:import|export)\s+(type\s+)?(?:[^"';]*?\s?from\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

/** Files of the project by their path from the root, those of `git` or not: what is there is what is checked. */
export function projectFiles(): string[] {
  const patterns = FOLDERS.flatMap((folder) => [`${folder}/**/*.*`, `${folder}/*`]);
  const entries = globSync([...patterns, "*.*", "LICENSE"], { cwd: ROOT, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath.slice(ROOT.length), entry.name));
  return [...new Set(files)].sort();
}

export function sourceFiles(folder = "src"): string[] {
  return globSync(`${folder}/**/*.ts`, { cwd: ROOT }).sort();
}

export function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

const texts = new Map<string, string>();

export function textOf(path: string): string {
  let text = texts.get(path);
  if (text === undefined) {
    text = readFileSync(ROOT + path, "utf8");
    texts.set(path, text);
  }
  return text;
}

export function importsIn(text: string, path: string): Import[] {
  const found: Import[] = [];
  for (const [, type, specifier = ""] of text.matchAll(STATIC)) {
    found.push({ specifier, path: resolve(path, specifier), typeOnly: type !== undefined });
  }
  for (const [, specifier = ""] of text.matchAll(DYNAMIC)) {
    found.push({ specifier, path: resolve(path, specifier), typeOnly: false });
  }
  return found;
}

export function importsOf(path: string): Import[] {
  return importsIn(textOf(path), path);
}

function resolve(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
}
