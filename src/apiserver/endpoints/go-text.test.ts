import assert from "node:assert/strict";
import { test } from "node:test";
import { goText } from "./go-text.ts";

test("goText prints maps by their sorted keys, lists, and null as nil", () => {
  assert.equal(goText({ b: [1, "x", null], a: { c: true } }), "map[a:map[c:true] b:[1 x <nil>]]");
  assert.equal(goText({}), "map[]");
});
