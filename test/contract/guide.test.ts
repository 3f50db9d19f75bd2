/** The example of the testing guide does what the guide says. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";

const GUIDE = new URL("../../docs/guide/testing.md", import.meta.url);
const ENTRY = new URL("../../src/testing/index.ts", import.meta.url);
const EXAMPLE = /^```ts\n([\s\S]*?)^```$/m;

test("the example of the testing guide passes as it is written", async (t) => {
  const example = EXAMPLE.exec(await readFile(GUIDE, "utf8"))?.[1] ?? "";
  assert.ok(example.includes('from "kybern/testing"'));
  const folder = await mkdtemp(join(tmpdir(), "kybern-guide-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "example.test.ts");
  await writeFile(file, example.replace('"kybern/testing"', JSON.stringify(ENTRY.href)));
  // A runner inside a runner would report to the outer one instead of printing.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const { stdout } = await promisify(execFile)(process.execPath, ["--test", "--test-reporter=tap", file], {
    env,
  });
  assert.match(stdout, /^# pass 2$/m);
  assert.match(stdout, /^# fail 0$/m);
});
