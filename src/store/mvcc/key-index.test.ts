import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyIndex, orderOf } from "./key-index.ts";

test("orderOf sorts any keys as their UTF-8 bytes do", () => {
  const key = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(key, key, (a, b) => {
      const bytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const order = orderOf(a) < orderOf(b) ? -1 : orderOf(a) > orderOf(b) ? 1 : 0;
      assert.equal(order, bytes);
    }),
  );
});

test("KeyIndex holds the same keys as a sorted list under any inserts and removals", () => {
  const index = new KeyIndex();
  const model = new Set<string>();
  let seed = 1;
  for (let i = 0; i < 6000; i++) {
    seed = (seed * 48271) % 0x7fffffff;
    const key = `k${seed % 2500}`;
    const slot = index.get(key);
    if (slot && seed % 3 === 0) {
      index.remove(slot);
      model.delete(key);
    } else {
      index.ensure(key);
      model.add(key);
    }
  }
  const sorted = [...model].sort();
  assert.deepEqual(
    index.all().map((slot) => slot.key),
    sorted,
  );
  const seen: string[] = [];
  index.scan({ from: "k1", to: "k2" }, (slot) => seen.push(slot.key) < 100);
  assert.deepEqual(seen, sorted.filter((key) => key >= "k1" && key < "k2").slice(0, 100));
});
