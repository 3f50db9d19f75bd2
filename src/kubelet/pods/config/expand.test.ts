import assert from "node:assert/strict";
import test from "node:test";
import { expand } from "./expand.ts";

const values = new Map([
  ["A", "1"],
  ["EMPTY", ""],
  ["NESTED", "$(A)"],
]);

for (const [text, expected] of [
  ["$(A)", "1"],
  ["x$(A)y$(A)", "x1y1"],
  ["$(EMPTY)", ""],
  ["$(NESTED)", "$(A)"],
  ["$(NONE)", "$(NONE)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$$$$(A)", "$$(A)"],
  ["$(A", "$(A"],
  ["$A", "$A"],
  ["a$", "a$"],
  ["$", "$"],
  ["$()", "$()"],
  ["no dollar", "no dollar"],
] as const) {
  test(`expand makes ${JSON.stringify(expected)} of ${JSON.stringify(text)}`, () => {
    assert.equal(
      expand(text, (name) => values.get(name)),
      expected,
    );
  });
}
