import assert from "node:assert/strict";
import { ValueTooLarge } from "../store.ts";
import { type ContractOptions, contractTest, type Open, text, won } from "./harness.ts";

export function writeContract(name: string, open: Open, options: ContractOptions): void {
  contractTest(name, "gives each write the next revision", open, options, async ({ set, drop, embedded }) => {
    const seen = [await set("a", "1"), await set("b", "1")];
    seen.push(await set("a", "2", seen[0]), await drop("b", seen[1]!), await set("b", "3"));
    if (embedded) assert.deepEqual(seen, [1, 2, 3, 4, 5]);
    else assert.ok(seen.every((at, i) => i === 0 || at > seen[i - 1]!));
  });

  contractTest(name, "creates only where nothing is", open, options, async ({ put, set, key, store }) => {
    const first = await set("a", "one");
    const lost = await put("a", "two");
    assert.equal(lost.won, false);
    assert.equal(text(!lost.won ? lost.now : undefined), "one");
    const entry = await store.get(key("a"));
    assert.deepEqual(
      [entry?.key, text(entry), entry?.created, entry?.modified],
      [key("a"), "one", first, first],
    );
  });

  contractTest(name, "updates and deletes only what is expected", open, options, async (bench) => {
    const { put, set, drop, key, store } = bench;
    const first = await set("a", "one");
    const second = await set("a", "two", first);
    const late = await put("a", "three", first);
    assert.ok(!late.won);
    assert.equal(late.now?.modified, second);
    assert.equal(late.now?.created, first);
    const lateDelete = await store.write({ key: key("a"), expect: first });
    assert.ok(!lateDelete.won);
    assert.equal(text(lateDelete.now), "two");
    await drop("a", second);
    assert.equal(await store.get(key("a")), undefined);
    const gone = await put("a", "four", second);
    assert.deepEqual(gone.won ? "won" : gone.now, undefined);
  });

  contractTest(name, "starts `created` anew after a delete", open, options, async (bench) => {
    const { set, drop, key, store } = bench;
    const first = await set("a", "one");
    const dropped = await drop("a", first);
    const again = await set("a", "two");
    assert.ok(again > dropped);
    assert.equal((await store.get(key("a")))?.created, again);
    const updated = await set("a", "three", again);
    const entry = await store.get(key("a"));
    assert.equal(entry?.created, again);
    assert.equal(entry?.modified, updated);
  });

  contractTest(name, "lets exactly one of many writers win a revision", open, options, async (bench) => {
    const { put, key, store, set } = bench;
    let stands = await set("a", "start");
    for (let round = 0; round < 5; round++) {
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, i) => put("a", `${round}.${i}`, stands)),
      );
      const winners = outcomes.filter((outcome) => outcome.won);
      assert.equal(winners.length, 1);
      const at = won(winners[0]!);
      for (const outcome of outcomes) if (!outcome.won) assert.equal(outcome.now?.modified, at);
      assert.equal((await store.get(key("a")))?.modified, at);
      stands = at;
    }
  });

  contractTest(name, "takes writes of many keys at once", open, options, async ({ set, names, embedded }) => {
    const revisions = await Promise.all(Array.from({ length: 300 }, (_, i) => set(`k${i}`, `${i}`)));
    assert.equal(new Set(revisions).size, 300);
    if (embedded) assert.equal(Math.max(...revisions), 300);
    assert.equal((await names()).length, 300);
  });

  contractTest(name, "keeps every byte of a value", open, options, async ({ put, key, store }) => {
    const value = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) & 0xff);
    won(await put("binary", value));
    const zeros = new Uint8Array(3);
    won(await put("zeros", zeros));
    assert.deepEqual(Uint8Array.from((await store.get(key("binary")))!.value), value);
    assert.deepEqual(Uint8Array.from((await store.get(key("zeros")))!.value), zeros);
  });

  contractTest(name, "refuses a value of 10 MB and goes on", open, options, async (bench) => {
    await assert.rejects(bench.put("huge", new Uint8Array(10 << 20)), ValueTooLarge);
    assert.equal(await bench.store.get(bench.key("huge")), undefined);
    await bench.set("small", "fits");
    assert.deepEqual(await bench.names(), ["small"]);
  });

  contractTest(name, "answers a delete of nothing that expects nothing", open, options, async (bench) => {
    const before = await bench.store.current();
    const outcome = await bench.store.write({ key: bench.key("none"), expect: 0 });
    assert.deepEqual(outcome, { won: true, at: before });
    assert.equal(await bench.store.current(), before);
  });
}
