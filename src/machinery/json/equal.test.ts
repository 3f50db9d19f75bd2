import assert from "node:assert/strict";
import { it } from "node:test";
import { deepEqual, semanticEqual } from "./equal.ts";

const both = (a: unknown, b: unknown) => [deepEqual(a, b), deepEqual(b, a)];
const bothSemantic = (a: unknown, b: unknown) => [semanticEqual(a, b), semanticEqual(b, a)];

it("deepEqual takes an undefined member for an absent one, and no other", () => {
  assert.deepEqual(both({ a: [1, { b: "c" }], d: undefined }, { a: [1, { b: "c" }] }), [true, true]);
  assert.deepEqual(both({ x: 1, y: 2 }, { y: 2, x: 1 }), [true, true]);
  const different: [unknown, unknown][] = [
    [{ a: undefined }, { a: 1 }],
    [{ a: null }, {}],
    [{ a: 1 }, { a: 1, b: 2 }],
    [[], {}],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 2]],
    ["1", 1],
    [JSON.parse('{"__proto__":{}}'), {}],
    [{ constructor: Object }, {}],
  ];
  for (const [a, b] of different) assert.deepEqual(both(a, b), [false, false], JSON.stringify([a, b]));
});

it("semanticEqual takes what is empty for absent", () => {
  const alike: [unknown, unknown][] = [
    [undefined, {}],
    [null, []],
    [{ a: { b: [] } }, { a: {} }],
    [{ a: null, c: 1 }, { c: 1 }],
  ];
  for (const [a, b] of alike) assert.deepEqual(bothSemantic(a, b), [true, true], JSON.stringify([a, b]));
  const different: [unknown, unknown][] = [
    ["", undefined],
    [0, undefined],
    [false, {}],
    [[undefined], []],
    [{ a: 1 }, { a: 2 }],
    [[1], { 0: 1 }],
    [JSON.parse('{"__proto__":1}'), {}],
  ];
  for (const [a, b] of different)
    assert.deepEqual(bothSemantic(a, b), [false, false], JSON.stringify([a, b]));
});
