import assert from "node:assert/strict";
import { type ContractOptions, contractTest, type Open } from "./harness.ts";

export function watchContract(name: string, open: Open, options: ContractOptions): void {
  contractTest(
    name,
    "tells a watch of creates, updates and deletes with what was",
    open,
    options,
    async (b) => {
      const watch = await b.watch(await b.store.current());
      const first = await b.set("a", "1");
      const second = await b.set("a", "2", first);
      const gone = await b.drop("a", second);
      assert.deepEqual(await watch.until(3), ["+a=1", "~a=1>2", "-a=2"]);
      assert.deepEqual(
        watch.changes.map((change) => change.at),
        [first, second, gone],
      );
      assert.equal(watch.changes[1]?.now?.created, first);
      assert.equal(watch.changes[2]?.was?.modified, second);
      watch.close();
    },
  );

  contractTest(name, "replays from a revision, then goes on live", open, options, async (b) => {
    const first = await b.set("a", "1");
    const second = await b.set("a", "2", first);
    await b.set("b", "1");
    const watch = await b.watch(first);
    await b.drop("a", second);
    assert.deepEqual(await watch.until(3), ["~a=1>2", "+b=1", "-a=2"]);
    watch.close();
  });

  contractTest(name, "tells only what is in the span", open, options, async (b) => {
    const watch = await b.watch(await b.store.current());
    await b.store.write({ key: b.span.to, value: Uint8Array.of(1), expect: 0 });
    await b.store.write({ key: `${b.key("")}`.slice(0, -1), value: Uint8Array.of(1), expect: 0 });
    await b.set("in", "x");
    assert.deepEqual(await watch.until(1), ["+in=x"]);
    watch.close();
  });

  contractTest(
    name,
    "tells everything once and in order to watches that start at any time",
    open,
    options,
    async (b) => {
      const total = 600;
      const start = await b.store.current();
      const writing = Array.from({ length: total }, (_, i) => b.set(`k${i}`, `${i}`));
      const watches = [await b.watch(start)];
      await writing[100];
      watches.push(await b.watch(start));
      const revisions = await Promise.all(writing);
      watches.push(await b.watch(start));
      const expected = revisions.toSorted((x, y) => x - y);
      for (const watch of watches) {
        await watch.until(total);
        assert.deepEqual(
          watch.changes.map((change) => change.at),
          expected,
        );
        watch.close();
      }
    },
  );

  contractTest(name, "tells nothing after close", open, options, async (b) => {
    const watch = await b.watch(await b.store.current());
    const other = await b.watch(await b.store.current());
    await b.set("a", "1");
    await watch.until(1);
    watch.close();
    watch.close();
    await b.set("b", "1");
    await other.until(2);
    assert.deepEqual(watch.lines, ["+a=1"]);
    other.close();
  });

  if (!options.embedded) return;

  contractTest(name, "tells watches before a write resolves", open, options, async (b) => {
    const watch = await b.watch(0);
    for (let i = 0; i < 20; i++) {
      const at = await b.set(`k${i}`, "x");
      assert.equal(watch.told, at);
      assert.equal(b.store.latest, at);
    }
    watch.close();
  });

  contractTest(name, "tells a quiet watch how far the store has come", open, options, async (b) => {
    const watch = await b.watch(0);
    const { at } = (await b.store.write({ key: "/elsewhere", value: Uint8Array.of(1), expect: 0 })) as {
      at: number;
    };
    assert.deepEqual([watch.told, watch.changes.length], [at, 0]);
    watch.close();
  });

  contractTest(name, "ends only the watch whose observer throws", open, options, async (b) => {
    let failed: Error | undefined;
    await b.store.watch(b.span, 0, {
      changed() {
        throw new Error("broken");
      },
      failed: (error) => {
        failed = error;
      },
    });
    const good = await b.watch(0);
    await b.set("a", "1");
    assert.deepEqual(good.lines, ["+a=1"]);
    assert.equal(failed?.message, "broken");
    good.close();
  });
}
