import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OrderedMap } from "./ordered-map.ts";

function contents(map: OrderedMap<number>, from = "", to = ""): [string, number][] {
  const found: [string, number][] = [];
  map.visit(from, to, (value, key) => {
    found.push([key, value]);
    return true;
  });
  return found;
}

test("OrderedMap behaves as a sorted Map under any sequence of writes, and old versions stay", () => {
  const key = fc.integer({ min: 0, max: 400 }).map((n) => `k${n}`);
  const step = fc.record({ key, remove: fc.boolean(), value: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 900, size: "max" }), key, key, (steps, a, b) => {
      let map = new OrderedMap<number>();
      const model = new Map<string, number>();
      let kept: { map: OrderedMap<number>; was: [string, number][] } | undefined;
      for (const [i, { key, remove, value }] of steps.entries()) {
        if (remove) model.delete(key);
        else model.set(key, value);
        map = remove ? map.delete(key) : map.set(key, value);
        if (i === steps.length >> 1) kept = { map, was: contents(map) };
      }
      const sorted = [...model].sort(([x], [y]) => (x < y ? -1 : 1));
      assert.deepEqual(contents(map), sorted);
      assert.equal(map.size, model.size);
      const [from, to] = a < b ? [a, b] : [b, a];
      const inside = sorted.filter(([k]) => k >= from && k < to);
      assert.deepEqual(contents(map, from, to), from === to ? [] : inside);
      assert.equal(map.count(from, to), inside.length);
      for (const [k, v] of sorted) assert.equal(map.get(k), v);
      if (kept) assert.deepEqual(contents(kept.map), kept.was);
    }),
    { numRuns: 60 },
  );
});

test("OrderedMap.fromSorted builds the same map as single writes", () => {
  const entries = Array.from({ length: 5000 }, (_, i) => [String(i).padStart(6, "0"), i] as const);
  const map = OrderedMap.fromSorted(entries);
  assert.deepEqual(contents(map), entries);
  assert.equal(map.delete("000100").size, 4999);
  assert.equal(map.size, 5000);
});
