import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { pauseImage, pauseProgram } from "./pause.ts";

test("pauseProgram is a static executable of its processor, of a few hundred bytes", () => {
  for (const [architecture, machine] of [
    ["amd64", 62],
    ["arm64", 183],
  ] as const) {
    const program = Buffer.from(pauseProgram(architecture));
    assert.equal(program.toString("latin1", 0, 4), "\x7fELF");
    assert.equal(program.readUInt16LE(18), machine);
    const [entry, start, length] = [24, 80, 96].map((at) => Number(program.readBigUInt64LE(at)));
    assert.ok(entry! > start! && entry! < start! + length!);
    assert.equal(length, program.length);
    // The signals that it waits for are its last eight bytes, at a multiple of eight.
    assert.equal(program.length % 8, 0);
    assert.equal(program.readBigUInt64LE(program.length - 8), (1n << 1n) | (1n << 14n) | (1n << 16n));
  }
});

const runs = process.platform === "linux" && (process.arch === "x64" || process.arch === "arm64");

test("the pause program goes on at SIGCHLD, and ends in good order at SIGTERM and SIGINT", {
  skip: runs ? false : "it is a program for Linux",
  timeout: 120_000,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "kybern-pause-"));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, "pause");
  await writeFile(path, pauseProgram(process.arch === "x64" ? "amd64" : "arm64"), { mode: 0o755 });
  for (const end of ["SIGTERM", "SIGINT"] as const) {
    const child = spawn(path);
    await once(child, "spawn");
    // It sleeps as soon as it waits for signals.
    while (!/^State:\s*S/m.test(await readFile(`/proc/${child.pid}/status`, "utf8"))) await turn();
    child.kill("SIGCHLD");
    child.kill(end);
    assert.deepEqual(await once(child, "exit"), [0, null]);
  }
});

test("pauseImage names what it runs, as nobody", () => {
  const { name, config, layers, manifest } = pauseImage("arm64");
  assert.equal(name, "localhost/kybern/pause:1");
  const { architecture, config: run, rootfs } = JSON.parse(Buffer.from(config.bytes).toString());
  assert.equal(architecture, "arm64");
  assert.deepEqual(run.Entrypoint, ["/pause"]);
  assert.equal(run.User, "65535:65535");
  assert.deepEqual(rootfs.diff_ids, [layers[0]!.descriptor.digest]);
  assert.deepEqual(JSON.parse(Buffer.from(manifest.bytes).toString()).config, config.descriptor);
});
