import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { duplicateKeys } from "./duplicate-keys.ts";
import { bigintOf, compareNumbers, integer, isExactInteger } from "./exact-integer.ts";
import { MAX_DEPTH, parseCounted, parseJSON, stringify } from "./json.ts";
import { decodeUTF8, encodeUTF8 } from "./utf8.ts";

function refusal(text: string | Uint8Array): string {
  try {
    parseJSON(text);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

test("parseJSON gives back what stringify wrote", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(stringify(parseJSON(stringify(value))), JSON.stringify(value));
    }),
  );
});

test("parseJSON agrees with JSON.parse on what is JSON", () => {
  const pieces = ["{", "}", "[", "]", ":", ",", '"a"', "1", "-", "0.5", "1e5", "true", "nul", " ", '"\\u12"'];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), (parts) => {
      const text = parts.join("");
      // Pieces side by side make numbers like 1e511, which JSON.parse takes for Infinity and Go refuses.
      let valid = true;
      try {
        JSON.parse(text, (_key, value) => {
          if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) valid = false;
          return value;
        });
      } catch {
        valid = false;
      }
      const message = refusal(text);
      assert.equal(message === "", valid, text);
      assert.notEqual(message, "invalid JSON", text);
    }),
    { numRuns: 2000, examples: [[["1e5", "1", "1"]]] },
  );
});

test("parseJSON says what is wrong in Go's words", () => {
  assert.equal(refusal("<a>"), "invalid character '<' looking for beginning of value");
  assert.equal(refusal(""), "unexpected end of JSON input");
  assert.equal(refusal('{"a":1'), "unexpected end of JSON input");
  assert.equal(refusal('{"a":1,}'), "invalid character '}' looking for beginning of object key string");
  assert.equal(refusal('{"a" 1}'), "invalid character '1' after object key");
  assert.equal(refusal('{"a":1 "b"}'), "invalid character '\"' after object key:value pair");
  assert.equal(refusal("[1 2]"), "invalid character '2' after array element");
  assert.equal(refusal("{} x"), "invalid character 'x' after top-level value");
  assert.equal(refusal('"\n"'), "invalid character '\\n' in string literal");
  assert.equal(refusal("tru'"), "invalid character '\\'' in literal true (expecting 'e')");
  assert.equal(refusal("\ufeff{}"), "invalid character 'ï' looking for beginning of value");
});

test("parseJSON takes the deepest nesting Go takes and nothing deeper", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.equal(refusal(nested(MAX_DEPTH)), "");
  assert.equal(refusal(nested(MAX_DEPTH + 1)), "exceeded max depth");
  assert.equal(refusal(`[${'{"a":'.repeat(200_000)}`), "exceeded max depth");
  assert.equal(refusal(`["${"[".repeat(20_000)}"]`), "");
});

test("parseJSON keeps integers exact up to the limits of int64", () => {
  for (const text of [
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
  ]) {
    const value = parseJSON(`{"n":${text}}`) as { n: unknown };
    assert.ok(isExactInteger(value.n), text);
    assert.equal(bigintOf(value.n), BigInt(text));
    assert.equal(stringify(value), `{"n":${text}}`);
  }
  assert.equal(parseJSON("9007199254740991"), 9007199254740991);
  assert.equal(stringify(parseJSON("[9223372036854775808]")), "[9223372036854776000]");
  assert.equal(stringify(parseJSON("[1.0, 1234567890123456.0]")), "[1,1234567890123456]");
});

test("parseJSON refuses numbers that no float64 holds", () => {
  assert.equal(refusal('{"a":1e400}'), "json: cannot unmarshal number 1e400 into Go value of type float64");
  assert.notEqual(refusal("9".repeat(400)), "");
});

test("parseJSON keeps the keys of the prototype as data", () => {
  const text = '{"__proto__":{"polluted":1},"constructor":2,"toString":3}';
  const value = parseJSON(text) as Record<string, unknown>;
  assert.deepEqual(Object.keys(value), ["__proto__", "constructor", "toString"]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(stringify(value), text);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test("parseJSON replaces halves of surrogate pairs and keeps whole ones", () => {
  assert.equal(parseJSON('"\\ud800x"'), "\ufffdx");
  assert.equal(parseJSON('"\\ud83d\\ude00"'), "😀");
  assert.equal(parseJSON('"\\\\ud800"'), "\\ud800");
});

test("parseCounted counts the keys of the text", () => {
  assert.equal(parseCounted('{"a":{"b:":":","b:":2}}').keys, 3);
});

test("stringify refuses what is nested too deep for the engine", () => {
  let value: unknown = { toJSON: () => 1 };
  for (let depth = 0; depth < 100_000; depth++) value = [value];
  assert.throws(() => stringify(value), { name: "JSONError", message: "exceeded max depth" });
});

test("duplicateKeys names every place once", () => {
  const text =
    '{"a":{"b":[{"c":1,"c":2,"c":3},1,{"d":[[0],{"e":1,"e":2}]}],"b":1},"x":"{\\"q\\":1,\\"q\\":1}"}';
  assert.deepEqual(duplicateKeys(text), ["a.b[0].c", "a.b[2].d[1].e", "a.b"]);
  assert.deepEqual(duplicateKeys('{"a":1,"\\u0061":2}'), ["a"]);
});

test("decodeUTF8 replaces every wrong byte as Go does", () => {
  assert.equal(decodeUTF8(Uint8Array.of(0x61, 0xe2, 0x82, 0x62)), "a\ufffd\ufffdb");
  assert.equal(decodeUTF8(Uint8Array.of(0xed, 0xa0, 0x80)), "\ufffd\ufffd\ufffd");
  assert.equal(decodeUTF8(encodeUTF8("ä\ufffd😀")), "ä\ufffd😀");
});

test("compareNumbers looks at exact integers digit by digit", () => {
  const big = integer(2n ** 53n + 1n);
  assert.ok(compareNumbers(2 ** 53, big) < 0);
  assert.equal(compareNumbers(big, integer(2n ** 53n + 1n)), 0);
  assert.equal(integer(5n), 5);
});
