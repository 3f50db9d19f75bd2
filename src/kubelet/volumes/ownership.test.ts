import assert from "node:assert/strict";
import { chmod, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { giveToGroup } from "./ownership.ts";

const skip = process.getgid === undefined;
const group = process.getgid?.() ?? 0;

async function tree(t: { after(f: () => Promise<void>): void }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ownership-"));
  t.after(() => rm(path, { recursive: true }));
  await mkdir(join(path, "d"), { mode: 0o700 });
  await writeFile(join(path, "d/file"), "", { mode: 0o600 });
  await symlink("/etc/hostname", join(path, "d/link"));
  await chmod(path, 0o700);
  return path;
}

const modeOf = async (path: string) => (await lstat(path)).mode & 0o7777;

test("giveToGroup lets the group read, write and enter", { skip }, async (t) => {
  const path = await tree(t);
  await giveToGroup(path, { group });
  assert.deepEqual(
    await Promise.all(["", "d", "d/file"].map((name) => modeOf(join(path, name)))),
    [0o2770, 0o2770, 0o660],
  );
});

test("giveToGroup lets the group only read what is read-only", { skip }, async (t) => {
  const path = await tree(t);
  await giveToGroup(path, { group, readOnly: true });
  assert.deepEqual([await modeOf(join(path, "d")), await modeOf(join(path, "d/file"))], [0o2750, 0o640]);
});

test("giveToGroup leaves a tree alone whose root is given, where the policy says so", { skip }, async (t) => {
  const path = await tree(t);
  await chmod(path, 0o2770);
  await giveToGroup(path, { group, policy: "OnRootMismatch" });
  assert.equal(await modeOf(join(path, "d/file")), 0o600);
  await chmod(path, 0o770);
  await giveToGroup(path, { group, policy: "OnRootMismatch" });
  assert.equal(await modeOf(join(path, "d/file")), 0o660);
});
