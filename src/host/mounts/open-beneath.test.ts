import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readlink, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { NotBeneathError, openBeneath, pathOfHandle } from "./open-beneath.ts";

const skip = process.platform === "linux" ? false : "there is no /proc/self/fd";

async function temporary(t: { after(f: () => Promise<void>): void }): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "beneath-")));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test("openBeneath opens files and directories inside", { skip }, async (t) => {
  const base = await temporary(t);
  await mkdir(join(base, "a/b"), { recursive: true });
  await writeFile(join(base, "a/b/file"), "text");
  for (const parts of [[], ["a"], ["a", "b"], ["a", "b", "file"]]) {
    const { handle } = await openBeneath(base, parts);
    assert.equal(await readlink(pathOfHandle(handle)), join(base, ...parts));
    await handle.close();
  }
});

test("openBeneath follows no link, wherever it stands and leads", { skip }, async (t) => {
  const base = await temporary(t);
  await mkdir(join(base, "a/b"), { recursive: true });
  await symlink("/", join(base, "root"));
  await symlink("b", join(base, "a/link"));
  for (const parts of [["root"], ["root", "etc"], ["a", "link"]]) {
    await assert.rejects(openBeneath(base, parts), NotBeneathError);
    await assert.rejects(openBeneath(base, parts, 0o755), NotBeneathError);
  }
  await symlink(base, join(base, "a/base"));
  await assert.rejects(openBeneath(join(base, "a/base"), []));
});

test("openBeneath takes no names that lead elsewhere", { skip }, async (t) => {
  const base = await temporary(t);
  for (const part of ["..", ".", "", "a/b", "a\0b"]) {
    await assert.rejects(openBeneath(base, [part], 0o755), NotBeneathError);
  }
  assert.deepEqual(await readdir(base), []);
});

test("openBeneath makes what is missing with the mode that is wanted", { skip }, async (t) => {
  const base = await temporary(t);
  await assert.rejects(openBeneath(base, ["a", "b"]), { code: "ENOENT" });
  const opened = await Promise.all([
    openBeneath(base, ["a", "b"], 0o2777),
    openBeneath(base, ["a", "b"], 0o2777),
  ]);
  for (const { handle } of opened) await handle.close();
  assert.equal((await stat(join(base, "a"))).mode & 0o7777, 0o2777);
  assert.equal((await stat(join(base, "a/b"))).mode & 0o7777, 0o2777);
});
