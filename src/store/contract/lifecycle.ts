import assert from "node:assert/strict";
import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreUnavailable } from "../store.ts";
import { type ContractOptions, contractTest, type Open, text } from "./harness.ts";

export function lifecycleContract(name: string, open: Open, options: ContractOptions): void {
  contractTest(name, "writes a snapshot to a file that was not there", open, options, async (b) => {
    await b.set("a", "1");
    const path = join(b.folder, "snapshot");
    await b.store.snapshot(path);
    const { size, mode } = await stat(path);
    assert.ok(size > 0);
    assert.equal(mode & 0o777, 0o600);
    await assert.rejects(b.store.snapshot(path));
    assert.equal((await stat(path)).size, size);
  });

  contractTest(name, "opens a snapshot as it was when it was taken", open, options, async (b, t) => {
    if (!b.openCopy) return t.skip("opening a copy takes another program");
    const first = await b.set("a", "1");
    const second = await b.set("a", "2", first);
    await b.drop("gone", await b.set("gone", "x"));
    const path = join(b.folder, "snapshot");
    await b.store.snapshot(path);
    const at = await b.store.current();
    await b.set("late", "x");
    const copy = await b.openCopy(path);
    try {
      assert.equal(await copy.current(), at);
      const page = await copy.range(b.span);
      assert.deepEqual(page.entries.map(text), ["2"]);
      assert.deepEqual((await copy.range(b.span, { at: first })).entries.map(text), ["1"]);
      const outcome = await copy.write({ key: b.key("a"), value: Uint8Array.of(1), expect: second });
      assert.deepEqual(outcome, { won: true, at: at + 1 });
    } finally {
      await copy[Symbol.asyncDispose]();
      await rm(path, { force: true });
    }
  });

  contractTest(name, "settles every write under way when it is closed", open, options, async (b) => {
    const writes = Array.from({ length: 200 }, (_, i) => b.put(`k${i}`, "x"));
    const settled = Promise.allSettled(writes);
    await b.store[Symbol.asyncDispose]();
    const outcomes = await settled;
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") assert.ok(outcome.reason instanceof StoreUnavailable);
    }
    await assert.rejects(b.put("late", "x"), StoreUnavailable);
    const won = outcomes.flatMap((outcome, i) => (outcome.status === "fulfilled" ? [`k${i}`] : []));
    if (!b.reopen) return;
    const again = await b.reopen();
    try {
      const kept = new Set((await again.range(b.span)).entries.map((entry) => entry.key));
      for (const one of won) assert.ok(kept.has(b.key(one)), `${one} was acknowledged and is gone`);
    } finally {
      await again[Symbol.asyncDispose]();
    }
  });

  contractTest(name, "tells its watches when it is closed", open, options, async (b) => {
    const watch = await b.watch(await b.store.current());
    await b.store[Symbol.asyncDispose]();
    assert.ok(watch.failure instanceof StoreUnavailable);
  });

  if (!options.embedded) return;

  contractTest(name, "deletes a key after its time to live", open, options, async (b) => {
    const watch = await b.watch(0);
    await b.put("event", "e", 0, 60);
    await b.set("other", "o");
    b.clock.advance(59_999);
    await b.set("tick", "t");
    assert.deepEqual(await b.names(), ["event", "other", "tick"]);
    b.clock.advance(1);
    assert.deepEqual((await watch.until(4)).at(-1), "-event=e");
    assert.deepEqual(await b.names(), ["other", "tick"]);
    assert.equal(watch.changes.at(-1)?.at, 4);
    watch.close();
  });

  contractTest(name, "counts the time to live from the last write", open, options, async (b) => {
    const watch = await b.watch(0);
    await b.put("renewed", "1", 0, 60);
    await b.put("kept", "1", 0, 60);
    b.clock.advance(30_000);
    await b.put("renewed", "2", 1, 60);
    await b.set("kept", "2", 2);
    b.clock.advance(59_000);
    await b.set("tick", "t");
    assert.deepEqual(await b.names(), ["kept", "renewed", "tick"]);
    b.clock.advance(1000);
    assert.equal((await watch.until(6)).at(-1), "-renewed=2");
    watch.close();
  });

  contractTest(name, "keeps everything over a restart", open, options, async (b, t) => {
    if (!b.reopen) return t.skip("nothing stays after a close");
    const first = await b.set("a", "1");
    await b.set("a", "2", first);
    await b.put("event", "e", 0, 60);
    await b.drop("gone", await b.set("gone", "x"));
    await b.store.compact(2);
    await b.store[Symbol.asyncDispose]();
    await writeFile(join(b.folder, "unrelated"), "");
    const again = await b.reopen();
    try {
      assert.deepEqual(
        [again.latest, (await again.status()).compacted, (await again.range(b.span)).entries.map(text)],
        [5, 2, ["2", "e"]],
      );
      const expired = Promise.withResolvers<void>();
      const lines: string[] = [];
      await again.watch(b.span, 2, {
        changed(changes) {
          for (const { key, now, at } of changes) lines.push(`${at}${now ? "+" : "-"}${key.slice(-5)}`);
          if (lines.length === 4) expired.resolve();
        },
        failed() {},
      });
      b.clock.advance(60_000);
      await expired.promise;
      assert.deepEqual(lines, ["3+event", "4+/gone", "5-/gone", "6-event"]);
    } finally {
      await again[Symbol.asyncDispose]();
    }
  });
}
