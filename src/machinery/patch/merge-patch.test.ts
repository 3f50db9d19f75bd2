import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseJSON, stringify } from "../json/json.ts";
import { mergePatch } from "./merge-patch.ts";

// The examples of RFC 7386, appendix A, whose document and patch are objects.
const rfc: [document: string, patch: string, result: string][] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', "{}"],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

for (const [document, patch, result] of rfc) {
  test(`mergePatch of ${document} with ${patch}`, () => {
    assert.equal(JSON.stringify(mergePatch(JSON.parse(document), JSON.parse(patch))), result);
  });
}

test("mergePatch takes an integer that no double holds as a number, not as an object", () => {
  const merged = mergePatch(
    { a: { b: 1 } },
    parseJSON('{"a":9007199254740993,"c":{"d":-9223372036854775808}}'),
  );
  assert.equal(stringify(merged), '{"a":9007199254740993,"c":{"d":-9223372036854775808}}');
});

test("mergePatch refuses a patch that is no object", () => {
  assert.throws(() => mergePatch({}, [1]), {
    reason: "BadRequest",
    message: "json: cannot unmarshal array into Go value of type map[string]interface {}",
  });
});

test("mergePatch neither changes its arguments nor any prototype, whatever the keys", () => {
  const key = fc.constantFrom("__proto__", "constructor", "prototype", "toString", "a", "b");
  const { tree } = fc.letrec<{ tree: string; leaf: string }>((tie) => ({
    leaf: fc.constantFrom("1", '"x"', "null", "[]"),
    tree: fc.oneof(
      { maxDepth: 3 },
      tie("leaf"),
      fc
        .array(fc.tuple(key, tie("tree")), { maxLength: 4 })
        .map((pairs) => `{${pairs.map(([k, v]) => `"${k}":${v}`).join(",")}}`),
    ),
  }));
  const object = tree.filter((text) => text.startsWith("{"));
  const before = Object.getOwnPropertyNames(Object.prototype).join();
  fc.assert(
    fc.property(object, object, (document, patch) => {
      const target = JSON.parse(document);
      const change = JSON.parse(patch);
      const texts = [JSON.stringify(target), JSON.stringify(change)];
      const result = mergePatch(target, change);
      assert.deepEqual([JSON.stringify(target), JSON.stringify(change)], texts);
      for (const name of Object.keys(change)) {
        assert.equal(Object.hasOwn(result, name), change[name] !== null, name);
      }
      assert.equal(Object.getPrototypeOf(result), Object.prototype);
    }),
    { numRuns: 10_000 },
  );
  assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), before);
});
