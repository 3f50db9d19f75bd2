import assert from "node:assert/strict";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { writeAtomically, writeNow } from "./atomic-writer.ts";
import type { Payload } from "./payload.ts";

const NOW = Date.parse("2026-11-21T16:30:00Z");

function payload(files: Record<string, string>, mode = 0o644): Payload {
  return new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));
}

async function temporary(t: { after(f: () => Promise<void>): void }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "atomic-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

const visible = async (directory: string) =>
  (await readdir(directory)).filter((name) => !name.startsWith("..")).sort();
const hidden = async (directory: string) =>
  (await readdir(directory)).filter((name) => name.startsWith("..")).sort();

test("writeAtomically shows files through ..data, with their modes", async (t) => {
  const directory = await temporary(t);
  assert.equal(await writeAtomically(directory, payload({ a: "1", "b/c/d": "2" }, 0o464), NOW), true);
  assert.deepEqual(await visible(directory), ["a", "b"]);
  assert.equal(await readlink(join(directory, "a")), "..data/a");
  assert.match(await readlink(join(directory, "..data")), /^\.\.2026_11_21_16_30_00\./);
  assert.equal(await readFile(join(directory, "b/c/d"), "utf8"), "2");
  assert.equal((await lstat(join(directory, "..data/a"))).mode & 0o7777, 0o464);
});

test("writeNow makes what writeAtomically finds as it would have made it", async (t) => {
  const directory = await temporary(t);
  const files = payload({ a: "1", "b/c/d": "2", "b/e": "3" }, 0o464);
  writeNow(directory, files, NOW);
  assert.deepEqual(await visible(directory), ["a", "b"]);
  assert.match(await readlink(join(directory, "..data")), /^\.\.2026_11_21_16_30_00\./);
  assert.equal((await lstat(join(directory, "..data/a"))).mode & 0o7777, 0o464);
  assert.equal((await lstat(join(directory, "..data/b/c"))).mode & 0o7777, 0o755);
  assert.equal(await writeAtomically(directory, files, NOW), false);
  assert.throws(() => writeNow(directory, payload({ "../x": "1" }), NOW), /invalid path/);
});

test("writeAtomically changes all at once, and removes what was before", async (t) => {
  const directory = await temporary(t);
  await writeAtomically(directory, payload({ a: "1", b: "1" }), NOW);
  const before = await readlink(join(directory, "..data"));
  assert.equal(await writeAtomically(directory, payload({ a: "1", b: "1" }), NOW), false);
  assert.equal(await readlink(join(directory, "..data")), before);
  await writeAtomically(directory, payload({ a: "2", c: "2" }), NOW);
  assert.deepEqual(await visible(directory), ["a", "c"]);
  assert.deepEqual(await hidden(directory), [await readlink(join(directory, "..data")), "..data"].sort());
  await writeAtomically(directory, payload({}), NOW);
  assert.deepEqual(await visible(directory), []);
});

test("writeAtomically lets what finishes the new directory fail without a trace", async (t) => {
  const directory = await temporary(t);
  await writeAtomically(directory, payload({ a: "1" }), NOW);
  const fail = () => Promise.reject(new Error("no"));
  await assert.rejects(writeAtomically(directory, payload({ a: "2" }), NOW, fail), { message: "no" });
  assert.equal(await readFile(join(directory, "a"), "utf8"), "1");
  assert.equal((await hidden(directory)).length, 2);
});

test("writeAtomically touches nothing outside, whatever a pod put in the place of its links", async (t) => {
  const outside = await temporary(t);
  await writeFile(join(outside, "precious"), "kept");
  const evil = [
    async (directory: string) => {
      await rm(join(directory, "..data"));
      await symlink(outside, join(directory, "..data"));
    },
    async (directory: string) => {
      const current = await readlink(join(directory, "..data"));
      await rm(join(directory, current), { recursive: true });
      await symlink(outside, join(directory, current));
    },
    async (directory: string) => {
      await rm(join(directory, "..data"));
      await mkdir(join(directory, "..data"));
      await symlink(outside, join(directory, "..data/a"));
    },
    async (directory: string) => {
      await rm(join(directory, "a"));
      await symlink(outside, join(directory, "a"));
      await symlink(outside, join(directory, "..data_tmp"));
      await symlink(outside, join(directory, "..2020_01_01"));
    },
    async (directory: string) => {
      await rm(join(directory, "..data"));
      await symlink("../../..", join(directory, "..data"));
    },
  ];
  for (const attack of evil) {
    const directory = await temporary(t);
    await writeAtomically(directory, payload({ a: "1" }), NOW);
    await attack(directory);
    await writeAtomically(directory, payload({ a: "2", b: "2" }), NOW);
    assert.equal(await readFile(join(directory, "a"), "utf8"), "2");
    assert.equal(await readlink(join(directory, "a")), "..data/a");
    assert.deepEqual(await readdir(outside), ["precious"]);
    assert.equal(await readFile(join(outside, "precious"), "utf8"), "kept");
  }
});

test("writeAtomically refuses paths that lead outside", async (t) => {
  const directory = await temporary(t);
  for (const path of ["/a", "a/../../b", "..", "..a", "", "a\0b", "x".repeat(256)]) {
    await assert.rejects(writeAtomically(directory, payload({ [path]: "1" }), NOW), /invalid path/);
  }
  assert.deepEqual(await readdir(directory), []);
});
