import assert from "node:assert/strict";
import { Compacted } from "../store.ts";
import { type ContractOptions, contractTest, type Open } from "./harness.ts";

/** One test for each bug that was found in etcd itself and that a store of this shape could repeat. */
export function regressionContract(name: string, open: Open, options: ContractOptions): void {
  contractTest(
    name,
    "keeps the delete when compacting at it (etcd-io/etcd#18089)",
    open,
    options,
    async (b) => {
      const first = await b.set("a", "1");
      const gone = await b.drop("a", first);
      await b.set("b", "1");
      const watch = await b.watch(gone - 1);
      await watch.until(2);
      await b.store.compact(gone - 1);
      const late = await b.watch(gone - 1);
      assert.deepEqual(await late.until(2), ["-a=1", "+b=1"]);
      assert.deepEqual(watch.lines, ["-a=1", "+b=1"]);
      watch.close();
      late.close();
    },
  );

  contractTest(
    name,
    "fails a watch that would miss a compacted delete (etcd-io/etcd#19179)",
    open,
    // etcd 3.4 has this bug.
    options.embedded ? options : { ...options, skip: options.skip ?? "etcd before 3.4.36 has the bug" },
    async (b) => {
      const gone = await b.drop("a", await b.set("a", "1"));
      await b.store.compact(gone);
      await assert.rejects(b.watch(gone - 1), Compacted);
      const watch = await b.watch(gone);
      await b.set("b", "1");
      assert.deepEqual(await watch.until(1), ["+b=1"]);
      watch.close();
    },
  );

  contractTest(
    name,
    "tells a watch of the future nothing old (etcd-io/etcd#20221)",
    open,
    options,
    async (b) => {
      const first = await b.set("a", "1");
      const watch = await b.watch(first + 2);
      const second = await b.set("a", "2", first);
      const third = await b.set("a", "3", second);
      assert.deepEqual([watch.lines, watch.told], [[], 0]);
      await b.set("a", "4", third);
      assert.deepEqual(await watch.until(1), ["~a=3>4"]);
      watch.close();
    },
  );

  contractTest(
    name,
    "loses no event under a slow observer (etcd-io/etcd#17529)",
    open,
    options,
    async (b) => {
      const start = await b.store.current();
      let stands = await b.set("hot", "0");
      const watch = await b.watch(start);
      for (let i = 1; i < 50; i++) {
        const others = Array.from({ length: 20 }, (_, k) => b.set(`k${i}-${k}`, "x"));
        stands = await b.set("hot", `${i}`, stands);
        await Promise.all(others);
      }
      await watch.until(50 + 49 * 20);
      const seen = watch.changes.filter((change) => change.key === b.key("hot"));
      assert.deepEqual(
        seen.map((change) => change.was?.modified ?? 0),
        [0, ...seen.slice(0, -1).map((change) => change.at)],
      );
      watch.close();
    },
  );

  if (!options.embedded) return;

  contractTest(
    name,
    "tells progress only with what came before (etcd-io/etcd#15220)",
    open,
    options,
    async (b) => {
      const watch = await b.watch(0);
      const progress: [told: number, changes: number][] = [];
      await b.store.watch({ from: "/other/", to: "/other0" }, 0, {
        changed() {},
        progressed: (at) => progress.push([at, watch.changes.length]),
        failed() {},
      });
      await Promise.all(Array.from({ length: 30 }, (_, i) => b.set(`k${i}`, "x")));
      assert.ok(progress.length > 0);
      for (const [at, changes] of progress) assert.equal(changes, at);
      watch.close();
    },
  );

  contractTest(
    name,
    "has one revision after compaction and restart (etcd-io/etcd#17780)",
    open,
    options,
    async (b, t) => {
      if (!b.reopen) return t.skip("nothing stays after a close");
      const gone = await b.drop("a", await b.set("a", "1"));
      await b.store.compact(gone);
      await b.store[Symbol.asyncDispose]();
      const again = await b.reopen();
      try {
        assert.equal(again.latest, gone);
        const outcome = await again.write({ key: b.key("b"), value: Uint8Array.of(1), expect: 0 });
        assert.deepEqual(outcome, { won: true, at: gone + 1 });
      } finally {
        await again[Symbol.asyncDispose]();
      }
    },
  );
}
