/** The examples of the testing guide do what the guide says. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";

const GUIDE = new URL("../../docs/guide/testing.md", import.meta.url);
const ENTRY = new URL("../../src/testing/index.ts", import.meta.url);
const EXAMPLE = /^```ts\n([\s\S]*?)^```$/gm;

test("the examples of the testing guide pass as they are written", async (t) => {
  const examples = [...(await readFile(GUIDE, "utf8")).matchAll(EXAMPLE)].map(([, text = ""]) => text);
  assert.ok(examples.length >= 2);
  const folder = await mkdtemp(join(tmpdir(), "kybern-guide-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const files = examples.map((_, i) => join(folder, `example-${i}.test.ts`));
  for (const [i, example] of examples.entries()) {
    assert.ok(example.includes('from "kybern/testing"'));
    await writeFile(files[i]!, example.replace('"kybern/testing"', JSON.stringify(ENTRY.href)));
  }
  // A runner inside a runner would report to the outer one instead of printing.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--test", "--test-reporter=tap", ...files],
    {
      env,
    },
  );
  assert.match(stdout, /^# pass 3$/m);
  assert.match(stdout, /^# fail 0$/m);
});
