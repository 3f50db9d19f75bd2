import assert from "node:assert/strict";
import { Compacted, FutureRevision } from "../store.ts";
import { type ContractOptions, contractTest, type Open, text } from "./harness.ts";

export function compactionContract(name: string, open: Open, options: ContractOptions): void {
  contractTest(name, "keeps the newest values and forgets the history before", open, options, async (b) => {
    const first = await b.set("a", "1");
    await b.set("quiet", "q");
    const second = await b.set("a", "2", first);
    const third = await b.set("a", "3", second);
    await b.store.compact(second);
    assert.equal((await b.store.status()).compacted >= second, true);
    await assert.rejects(b.store.range(b.span, { at: first }), Compacted);
    const at = await b.store.range(b.span, { at: second });
    assert.deepEqual(at.entries.map(text), ["2", "q"]);
    assert.deepEqual((await b.store.range(b.span, { at: third })).entries.map(text), ["3", "q"]);
    assert.equal((await b.store.get(b.key("a")))?.created, first);
  });

  contractTest(
    name,
    "fails a watch from before the compaction, and none that runs",
    open,
    options,
    async (b) => {
      const first = await b.set("a", "1");
      const running = await b.watch(first);
      const second = await b.set("a", "2", first);
      const third = await b.set("a", "3", second);
      await running.until(2);
      await b.store.compact(third);
      const late = await b.watch(first).then(
        async (watch) => {
          await watch.when(() => watch.failure !== undefined);
          return watch.failure;
        },
        (error: unknown) => error,
      );
      assert.ok(late instanceof Compacted);
      assert.ok(late.compacted >= third);
      await b.set("a", "4", third);
      assert.deepEqual(await running.until(3), ["~a=1>2", "~a=2>3", "~a=3>4"]);
      assert.equal(running.failure, undefined);
      running.close();
    },
  );

  contractTest(name, "lets deleted keys go", open, options, async (b) => {
    const gone = await b.drop("a", await b.set("a", "1"));
    const last = await b.set("b", "1");
    await b.store.compact(last);
    assert.deepEqual(await b.names({ at: last }), ["b"]);
    const again = await b.set("a", "2");
    assert.ok(again > gone);
    assert.equal((await b.store.get(b.key("a")))?.created, again);
  });

  contractTest(name, "compacts the same revision twice, and none of the future", open, options, async (b) => {
    const last = await b.set("a", "1");
    await b.store.compact(last);
    await b.store.compact(last);
    await assert.rejects(b.store.compact(last + 1000), FutureRevision);
  });

  contractTest(name, "compacts much while writes and reads go on", open, options, async (b) => {
    let stands = await b.set("hot", "0");
    for (let round = 0; round < 3; round++) {
      const writes = Array.from({ length: 400 }, (_, i) => b.set(`k${round}-${i}`, "x"));
      await Promise.all(writes);
      const upTo = await b.store.current();
      const compacting = b.store.compact(upTo);
      stands = await b.set("hot", `${round}`, stands);
      assert.equal((await b.names()).length, 1 + 400 * (round + 1));
      await compacting;
      await assert.rejects(b.store.range(b.span, { at: upTo - 1 }), Compacted);
    }
    assert.equal(text(await b.store.get(b.key("hot"))), "2");
  });
}
