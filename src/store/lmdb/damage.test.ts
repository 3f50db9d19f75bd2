import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Store, StoreDamaged, StoreUnavailable } from "../store.ts";
import { checkLmdbFile } from "./check-file.ts";
import { openLmdb } from "./open-lmdb.ts";

const SPAN = { from: "/registry/", to: "/registry0" };

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kybern-lmdb-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A store with a tree of some depth, values of all sizes and free pages. */
async function fill(directory: string): Promise<void> {
  const store = await openLmdb({ directory });
  await Promise.all(
    Array.from({ length: 400 }, (_, i) =>
      store.write({ key: `/registry/k${i}`, value: new Uint8Array((i * 37) % 9000).fill(i), expect: 0 }),
    ),
  );
  for (let i = 1; i <= 300; i++) {
    if (i % 50 === 0) await store.compact(store.latest!);
    await store.write({ key: `/registry/k${i - 1}`, value: new Uint8Array(i), expect: i });
  }
  await store[Symbol.asyncDispose]();
}

test("checkLmdbFile accepts a store that was filled, compacted and copied", async (t) => {
  const directory = join(await folderOf(t), "store");
  await fill(directory);
  checkLmdbFile(join(directory, "data.mdb"));
  const store = await openLmdb({ directory });
  await store.snapshot(join(directory, "copy"));
  await store[Symbol.asyncDispose]();
  checkLmdbFile(join(directory, "copy"));
});

test("openLmdb gives its files to nobody else", async (t) => {
  const directory = join(await folderOf(t), "deep", "store");
  await fill(directory);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  for (const file of ["data.mdb", "data.mdb-lock", "lock", "format"]) {
    assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file);
  }
});

test("openLmdb refuses a file cut short at any page", async (t) => {
  const directory = join(await folderOf(t), "store");
  await fill(directory);
  const path = join(directory, "data.mdb");
  const whole = readFileSync(path);
  const refused: number[] = [];
  const pages = whole.length / 4096;
  for (let page = 0; page < pages; page += Math.max(1, Math.floor(pages / 40))) {
    writeFileSync(path, whole);
    truncateSync(path, page * 4096 + (page % 2) * 100);
    await assert.rejects(openLmdb({ directory }), (error) => {
      assert.ok(error instanceof StoreDamaged, String(error));
      assert.match(error.message, /copy/);
      return true;
    });
    refused.push(page);
  }
  assert.ok(refused.length >= 40);
  writeFileSync(path, whole);
  const store = await openLmdb({ directory });
  assert.equal((await store.range(SPAN)).entries.length, 400);
  await store[Symbol.asyncDispose]();
});

test("openLmdb says that the file of a known store is gone", async (t) => {
  const directory = join(await folderOf(t), "store");
  await fill(directory);
  await rm(join(directory, "data.mdb"));
  await assert.rejects(openLmdb({ directory }), StoreDamaged);
});

/** Opens, reads everything and writes in a process of its own: were the native library to crash, it would be seen. */
const PROBE = `
const { openLmdb } = await import(process.argv[1]);
const { readFileSync, writeFileSync } = await import("node:fs");
const [directory, from, to] = process.argv.slice(2);
const path = directory + "/data.mdb";
const whole = readFileSync(path);
let seed = Number(from) + 1;
const next = (below) => (seed = (seed * 48271) % 0x7fffffff) % below;
const found = { refused: 0, read: 0, same: 0 };
for (let i = Number(from); i < Number(to); i++) {
  const bytes = Buffer.from(whole);
  const at = i % 4 === 0 ? next(8192) : next(bytes.length / 4096) * 4096 + (i % 4 === 1 ? next(4096) : next(200));
  bytes[at] ^= 1 << next(8);
  writeFileSync(path, bytes);
  try {
    const store = await openLmdb({ directory });
    try {
      const page = await store.range({ from: "/registry/", to: "/registry0" });
      const sum = page.entries.reduce((sum, e) => sum + e.value.length + e.modified, 0);
      if (page.entries.length !== 400 || page.at !== 700 || sum !== Number(process.env.SUM)) throw new Error("byte " + at + ": wrong data " + page.at + " " + sum);
      await store.write({ key: "/registry/new", value: new Uint8Array(5000), expect: 0 });
      found.same++;
    } catch (error) {
      if (error.name !== "StoreDamaged") throw error;
      found.read++;
    } finally {
      await store[Symbol.asyncDispose]();
    }
  } catch (error) {
    if (error.name !== "StoreDamaged") throw error;
    found.refused++;
  }
}
writeFileSync(path, whole);
console.log(JSON.stringify(found));
`;

test("openLmdb never crashes or lies when a bit of its file is flipped", async (t) => {
  const directory = join(await folderOf(t), "store");
  await fill(directory);
  const store = await openLmdb({ directory });
  const sum = (await store.range(SPAN)).entries.reduce((all, e) => all + e.value.length + e.modified, 0);
  await store[Symbol.asyncDispose]();
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      PROBE,
      new URL("./open-lmdb.ts", import.meta.url).href,
      directory,
      "0",
      "300",
    ],
    { encoding: "utf8", env: { ...process.env, SUM: String(sum) } },
  );
  assert.deepEqual([status, signal], [0, null], stderr);
  const found = JSON.parse(stdout) as { refused: number; read: number; same: number };
  assert.equal(found.refused + found.read + found.same, 300);
  assert.ok(found.refused > 20, stdout);
});

test("openLmdb refuses a second process, and the same one, with what to do", async (t) => {
  const directory = join(await folderOf(t), "store");
  const store = await openLmdb({ directory });
  t.after(() => store[Symbol.asyncDispose]());
  await assert.rejects(openLmdb({ directory }), StoreUnavailable);
  const other = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      "const { openLmdb } = await import(process.argv[1]); await openLmdb({ directory: process.argv[2] });",
      new URL("./open-lmdb.ts", import.meta.url).href,
      directory,
    ],
    { encoding: "utf8" },
  );
  assert.match(other.stderr, /StoreUnavailable.*in use by another process: stop it/);
  assert.ok((await store.write({ key: "/a", value: new Uint8Array(1), expect: 0 })).won);
});

async function fillUp(store: Store): Promise<number> {
  for (let i = 0; ; i++) {
    try {
      await store.write({ key: `/registry/f${i}`, value: new Uint8Array(60_000), expect: 0 });
    } catch (error) {
      assert.ok(error instanceof StoreUnavailable, String(error));
      assert.equal(error.maybe, false);
      return i;
    }
  }
}

test("a full store refuses writes, serves reads, takes deletes and goes on after compaction", async (t) => {
  const directory = join(await folderOf(t), "store");
  let store = await openLmdb({ directory, maxSize: 2 << 20 });
  const made = await fillUp(store);
  assert.ok(made > 20);
  assert.equal((await store.range(SPAN)).entries.length, made);
  assert.equal(store.latest, made);
  for (let i = 1; i <= 10; i++) {
    assert.ok((await store.write({ key: `/registry/f${i - 1}`, expect: i })).won);
  }
  await store.compact(store.latest!);
  assert.ok((await store.write({ key: "/registry/again", value: new Uint8Array(60_000), expect: 0 })).won);
  await store[Symbol.asyncDispose]();
  store = await openLmdb({ directory, maxSize: 2 << 20 });
  assert.equal((await store.range(SPAN)).entries.length, made - 9);
  await store[Symbol.asyncDispose]();
});

test("a full disk refuses writes, serves reads and loses nothing", async (t) => {
  const folder = await folderOf(t);
  const disk = join(folder, "disk");
  await mkdir(disk);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", disk]);
  if (mounted.status !== 0) return t.skip("mounting a small disk needs root");
  try {
    const directory = join(disk, "store");
    const store = await openLmdb({ directory });
    const made = await fillUp(store);
    assert.ok(made > 5);
    assert.equal((await store.range(SPAN)).entries.length, made);
    await store[Symbol.asyncDispose]();
    const again = await openLmdb({ directory });
    assert.equal(again.latest, made);
    assert.equal((await again.range(SPAN)).entries.length, made);
    await again[Symbol.asyncDispose]();
  } finally {
    execFileSync("umount", [disk]);
  }
});

test("a value damaged on disk after opening is refused when it is read", async (t) => {
  const directory = join(await folderOf(t), "store");
  const first = await openLmdb({ directory });
  const mark = Buffer.from("find me ".repeat(1000));
  await first.write({ key: "/registry/a", value: mark, expect: 0 });
  await first.write({ key: "/registry/b", value: Buffer.from("fine"), expect: 0 });
  await first[Symbol.asyncDispose]();
  const path = join(directory, "data.mdb");
  const at = readFileSync(path).indexOf(mark.subarray(0, 2000));
  const file = openSync(path, "r+");
  writeSync(file, "X", at + 1000);
  closeSync(file);
  await assert.rejects(openLmdb({ directory }), StoreDamaged);
  const store = await openLmdb({ directory, verifyMs: 0 });
  await assert.rejects(store.get("/registry/a"), StoreDamaged);
  assert.equal(Buffer.from((await store.get("/registry/b"))!.value).toString(), "fine");
  await store[Symbol.asyncDispose]();
});
