/**
 * Kills a process that writes to the embedded store, again and again at random moments, and checks each time that every
 * acknowledged write is there, that revisions have no gap and that a watch from the last kill on tells all of it.
 *
 *     node test/crash/store-kill.ts [kills, 20 by default] [seed]
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openLmdb } from "../../src/store/lmdb/open-lmdb.ts";
import type { Change } from "../../src/store/store.ts";

const kills = Number(process.argv[2] ?? "20");
let seed = Number(process.argv[3] ?? Date.now() % 0x7fffffff) || 1;
console.log(`${kills} kills, seed ${seed}`);

type Ack = [at: number, key: string, value: string | null];

const folder = await mkdtemp(join(tmpdir(), "kybern-kill-"));
const directory = join(folder, "store");
let checked = 0;
let last = 0;
let compacted = 0;
try {
  for (let run = 0; run < kills; run++) {
    seed = (seed * 48271) % 0x7fffffff;
    const acks = await writeAndKill(run, 20 + (seed % 280), seed % 10);
    await check(acks);
    checked += acks.length;
  }
  assert.ok(checked > kills, "hardly anything was written");
  assert.ok(kills < 10 || compacted > 0, "no compaction was met");
  console.log(`${checked} acknowledged writes, none lost; revision ${last}, compacted up to ${compacted}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Kills the writer some milliseconds after so many acknowledgements, however long they take. */
async function writeAndKill(run: number, enough: number, ms: number): Promise<Ack[]> {
  const writer = fileURLToPath(new URL("./store-writer.ts", import.meta.url));
  const child = spawn(process.execPath, [writer, directory, String(run)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  let left = enough;
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    said += text;
    if (left <= 0) return;
    left -= text.split("\n").length - 1;
    if (left <= 0) setTimeout(() => child.kill("SIGKILL"), ms);
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  assert.equal(signal, "SIGKILL", `the writer ended by itself with ${code}`);
  return said
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Ack);
}

async function check(acks: readonly Ack[]): Promise<void> {
  const store = await openLmdb({ directory });
  try {
    const status = await store.status();
    assert.ok(status.revision >= last && status.compacted >= compacted, "time went back");
    const from = Math.max(last, status.compacted);
    const seen = new Map<number, Change>();
    const watch = await store.watch({ from: "", to: "\u{10ffff}" }, from, {
      changed(changes) {
        for (const change of changes) {
          assert.equal(change.at, from + seen.size + 1, "a gap in the revisions");
          seen.set(change.at, change);
        }
      },
      failed: (error) => assert.fail(error),
    });
    watch.close();
    assert.equal(from + seen.size, status.revision);
    for (const [at, key, value] of acks) {
      assert.ok(at <= status.revision, `acknowledged revision ${at} is gone`);
      if (at <= from) continue;
      const change = seen.get(at);
      assert.equal(change?.key, key, `revision ${at} is of another key`);
      const stored = change?.now ? Buffer.from(change.now.value).toString().slice(0, 20) : null;
      assert.equal(stored, value, `revision ${at} has another value`);
    }
    last = status.revision;
    compacted = status.compacted;
  } finally {
    await store[Symbol.asyncDispose]();
  }
}
