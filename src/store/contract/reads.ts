import assert from "node:assert/strict";
import { FutureRevision } from "../store.ts";
import { type ContractOptions, contractTest, type Open, text } from "./harness.ts";

export function readContract(name: string, open: Open, options: ContractOptions): void {
  contractTest(name, "ranges in the order of UTF-8 bytes", open, options, async ({ set, names }) => {
    const keys = ["b", "a/2", "a/10", "a", "ä", "\u{ffee}", "\u{1f600}", "Z", "a-", "ab"];
    for (const key of keys) await set(key, key);
    const byBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(await names(), byBytes);
  });

  contractTest(
    name,
    "stops a range at its limit and says whether there is more",
    open,
    options,
    async (bench) => {
      const { set, store, span, key } = bench;
      for (const one of ["a", "b", "c", "d"]) await set(one, one);
      const first = await store.range(span, { limit: 3 });
      assert.deepEqual([first.entries.map(text).join(""), first.more], ["abc", true]);
      const whole = await store.range(span, { limit: 4 });
      assert.deepEqual([whole.entries.length, whole.more], [4, false]);
      const rest = await store.range({ from: `${key("c")}\0`, to: span.to }, { limit: 3, at: first.at });
      assert.deepEqual([rest.entries.map(text).join(""), rest.more], ["d", false]);
    },
  );

  contractTest(name, "does not count deleted keys as more", open, options, async (bench) => {
    const { set, drop, store, span } = bench;
    await set("a", "a");
    await drop("b", await set("b", "b"));
    assert.equal((await store.range(span, { limit: 1 })).more, false);
  });

  contractTest(name, "gives the page's own revision", open, options, async ({ set, store, span }) => {
    const last = await set("a", "a");
    assert.equal((await store.range(span)).at, last);
    assert.equal(await store.current(), last);
    const empty = await store.range({ from: "/nothing/", to: "/nothing0" });
    assert.deepEqual(empty, { at: last, entries: [], more: false });
  });

  contractTest(
    name,
    "ranges as of a revision, also before a delete and a new start",
    open,
    options,
    async (b) => {
      const first = await b.set("a", "one");
      const second = await b.set("a", "two", first);
      const gone = await b.drop("a", second);
      const again = await b.set("a", "three");
      const at = async (revision: number) => (await b.store.range(b.span, { at: revision })).entries;
      assert.deepEqual((await at(first)).map(text), ["one"]);
      assert.deepEqual((await at(second)).map(text), ["two"]);
      assert.equal((await at(second))[0]?.created, first);
      assert.deepEqual(await at(gone), []);
      assert.deepEqual(
        (await at(again)).map((entry) => [text(entry), entry.created]),
        [["three", again]],
      );
      assert.equal((await b.store.range(b.span, { at: second })).at, second);
    },
  );

  contractTest(name, "refuses to range at a revision of the future", open, options, async (bench) => {
    const last = await bench.set("a", "a");
    await assert.rejects(bench.store.range(bench.span, { at: last + 1000 }), FutureRevision);
  });

  contractTest(
    name,
    "keeps a long range at one revision while writes go on",
    open,
    options,
    async (bench) => {
      const { store, span, set, put } = bench;
      const revisions = await Promise.all(Array.from({ length: 1200 }, (_, i) => set(`k${i}`, "old")));
      const reading = store.range(span);
      const writing = Promise.all(revisions.map((at, i) => put(`k${i}`, "new", at)));
      const page = await reading;
      assert.equal(page.entries.length, 1200);
      assert.ok(page.entries.every((entry) => entry.modified <= page.at));
      await writing;
      const again = await store.range(span, { at: page.at });
      assert.deepEqual(
        again.entries.map((entry) => entry.modified),
        page.entries.map((entry) => entry.modified),
      );
    },
  );
}
