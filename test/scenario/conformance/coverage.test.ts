/** Holds the behaviours written here against the list of the conformance suite, where that is at hand. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";

const SUITE = new URL("../../../../shared/reference/conformance.yaml", import.meta.url);
/** On simulated nodes, and on a real one. */
const PLACES = [new URL("./", import.meta.url), new URL("../../node/conformance/", import.meta.url)];

const MEANT =
  /^\[sig-(apps|network|node|scheduling|storage)\]|^\[sig-api-machinery\] (Garbage collector|Namespaces|OrderedNamespaceDeletion|ResourceQuota)/;

/** A name in a template literal has one gap, filled by the first argument of each call of the function it is in. */
const GAP = /\$\{\w+\}/;

function written(): string[] {
  const found: string[] = [];
  const texts = PLACES.flatMap((place) =>
    readdirSync(place)
      .filter((file) => file.endsWith(".test.ts") && file !== "coverage.test.ts")
      .map((file) => readFileSync(new URL(file, place), "utf8")),
  );
  for (const text of texts) {
    for (const [, , name = ""] of text.matchAll(/(["'`])(\[sig-(?:(?!\1).)*\[Conformance\])\1/g)) {
      if (GAP.test(name)) found.push(...filled(name, text));
      else found.push(name);
    }
  }
  return found;
}

function filled(name: string, text: string): string[] {
  const made = /^function (\w+)/gm;
  const before = [...text.slice(0, text.indexOf(name)).matchAll(made)].at(-1)?.[1];
  const calls = text.matchAll(new RegExp(`^${before}\\(\\s*"([^"]+)"`, "gm"));
  return [...calls].map(([, what = ""]) => name.replace(GAP, what));
}

test("every behaviour written is one of the suite, and of those meant none is forgotten", (context) => {
  if (!existsSync(SUITE)) {
    context.skip("the list of the suite is not at hand");
    return;
  }
  const suite = (parse(readFileSync(SUITE, "utf8")) as { codename: string }[]).map(
    ({ codename }) => codename,
  );
  const own = written();
  assert.deepEqual(
    own.filter((name) => !suite.includes(name)),
    [],
    "not of the suite",
  );
  assert.deepEqual(own, [...new Set(own)], "written twice");
  const forgotten = suite.filter((name) => MEANT.test(name) && !own.includes(name));
  assert.deepEqual(forgotten, []);
});
