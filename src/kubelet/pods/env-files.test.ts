import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Container } from "../../api/schema/core.v1.generated.ts";
import { PodError } from "../ports.ts";
import { readEnvFiles } from "./env-files.ts";

const container = (path: string, key = "A", volumeName = "notes"): Container => ({
  name: "main",
  env: [{ name: "X", valueFrom: { fileKeyRef: { volumeName, path, key } } }],
});

async function volume(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-env-files-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The variable in the file, in a volume whose directory is `directory`. */
async function valueIn(directory: string, path: string, key = "A"): Promise<string | undefined> {
  const directoryOf = (name: string): string | undefined => (name === "notes" ? directory : undefined);
  const keys = await readEnvFiles(container(path, key), { directoryOf });
  return keys("notes", path, key);
}

const says = (message: RegExp) => (error: unknown) =>
  error instanceof PodError && error.reason === "CreateContainerConfigError" && message.test(error.message);

test("readEnvFiles reads files at any depth of a volume", async (t) => {
  const directory = await volume(t);
  await mkdir(join(directory, "deep"));
  await writeFile(join(directory, "deep", "env"), "A='1'\nB='2'\n");
  assert.equal(await valueIn(directory, "deep/env", "B"), "2");
  assert.equal(await valueIn(directory, "./deep//env", "C"), undefined);
});

test("readEnvFiles has nothing where there is no file", async (t) => {
  assert.equal(await valueIn(await volume(t), "none/env"), undefined);
});

test("readEnvFiles follows no link out of the volume, nor any", async (t) => {
  const [directory, outside] = [await volume(t), await volume(t)];
  await writeFile(join(outside, "env"), "A='secret'\n");
  await symlink(join(outside, "env"), join(directory, "env"));
  await symlink(outside, join(directory, "deep"));
  const link = says(/is a symbolic link$/);
  await assert.rejects(valueIn(directory, "env"), link);
  await assert.rejects(valueIn(directory, "deep/env"), link);
  await assert.rejects(valueIn(directory, "../env"), says(/is no name of a file$/));
});

test("readEnvFiles refuses what is no file, and what is too large for one", async (t) => {
  const directory = await volume(t);
  await mkdir(join(directory, "env"));
  await writeFile(join(directory, "large"), "");
  await truncate(join(directory, "large"), 2 ** 30);
  await assert.rejects(
    valueIn(directory, "env"),
    says(/^couldn't read env file "env": it is no regular file$/),
  );
  await assert.rejects(valueIn(directory, "large"), says(/it is larger than 1048576 bytes$/));
});

test("readEnvFiles says what is wrong with the file, the volume or the key", async (t) => {
  const directory = await volume(t);
  await writeFile(join(directory, "env"), "A=secret\n");
  const wrong =
    /^couldn't parse env file "env": invalid environment variable format at line 1: value must be /;
  await assert.rejects(valueIn(directory, "env"), says(wrong));
  const other = readEnvFiles(container("env", "A", "other"), { directoryOf: () => undefined });
  await assert.rejects(other, says(/^cannot find the volume "other" referenced by FileKeyRef$/));
  await assert.rejects(valueIn(directory, "env", "K".repeat(129)), says(/maximum length of 128 characters/));
});
