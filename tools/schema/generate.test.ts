import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { generate } from "./generate.ts";

const FOLDER = new URL("../../src/api/schema/", import.meta.url);

test("generate gives the committed files", async () => {
  const files = await generate();
  const committed = readdirSync(FOLDER).filter((name) => name.endsWith(".generated.ts"));
  assert.deepEqual([...files.keys()].sort(), committed.sort());
  for (const [name, text] of files) {
    // Not assert.equal: its message would be the whole file.
    assert.ok(
      readFileSync(new URL(name, FOLDER), "utf8") === text,
      `${name} is not what tools/schema/generate.ts writes; run it`,
    );
  }
});
