import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Heap } from "./heap.ts";

interface Item {
  place: number;
  key: number;
}

const byKey = (a: Item, b: Item): boolean => a.key < b.key;

test("a heap gives what it holds in order, whatever is pushed, changed and taken out before", () => {
  const steps = fc.array(
    fc.record({ what: fc.constantFrom("push", "pop", "remove", "change"), at: fc.nat(50), key: fc.nat(100) }),
  );
  fc.assert(
    fc.property(steps, (plan) => {
      const heap = new Heap<Item>(byKey);
      const model: Item[] = [];
      for (const { what, at, key } of plan) {
        const item = model[at % model.length];
        if (what === "push" || !item) {
          const pushed = { place: -1, key };
          model.push(pushed);
          heap.push(pushed);
        } else if (what === "pop") {
          const least = heap.pop()!;
          assert.equal(least.key, Math.min(...model.map((each) => each.key)));
          assert.equal(least.place, -1);
          model.splice(model.indexOf(least), 1);
        } else if (what === "remove") {
          heap.remove(item);
          model.splice(model.indexOf(item), 1);
        } else {
          item.key = key;
          heap.moved(item);
        }
        assert.equal(heap.size, model.length);
      }
      const rest = Array.from({ length: heap.size }, () => heap.pop()!.key);
      assert.deepEqual(
        rest,
        model.map((each) => each.key).sort((a, b) => a - b),
      );
    }),
  );
});
