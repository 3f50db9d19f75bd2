import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJSON, stringify } from "../json/json.ts";
import type { JsonObject } from "../json/json-object.ts";
import type { StatusError } from "../status/status-error.ts";
import { jsonPatch } from "./json-patch.ts";

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}

const document = freeze({ a: { b: [1, 2, 3], "c/d~e": "x" }, keep: { deep: true } });

const cases: [name: string, operations: unknown[], expected: unknown][] = [
  ["adds a key", [{ op: "add", path: "/a/new", value: 1 }], { ...document, a: { ...document.a, new: 1 } }],
  [
    "takes a value that is not given for null",
    [
      { op: "add", path: "/a/new" },
      { op: "replace", path: "/keep" },
    ],
    { a: { ...document.a, new: null }, keep: null },
  ],
  [
    "inserts in a list, and appends with a dash",
    [
      { op: "add", path: "/a/b/1", value: 9 },
      { op: "add", path: "/a/b/-", value: 10 },
    ],
    { ...document, a: { ...document.a, b: [1, 9, 2, 3, 10] } },
  ],
  [
    "counts negative indices from the end",
    [{ op: "remove", path: "/a/b/-1" }],
    { ...document, a: { ...document.a, b: [1, 2] } },
  ],
  [
    "unescapes pointers",
    [{ op: "replace", path: "/a/c~1d~0e", value: "y" }],
    { ...document, a: { b: [1, 2, 3], "c/d~e": "y" } },
  ],
  [
    "moves",
    [{ op: "move", from: "/a/b", path: "/moved" }],
    { a: { "c/d~e": "x" }, keep: { deep: true }, moved: [1, 2, 3] },
  ],
  [
    "copies without sharing what is changed later",
    [
      { op: "add", path: "/keep/x", value: 1 },
      { op: "copy", from: "/keep", path: "/copy" },
      { op: "add", path: "/copy/y", value: 2 },
    ],
    { ...document, keep: { deep: true, x: 1 }, copy: { deep: true, x: 1, y: 2 } },
  ],
  ["passes a test that holds", [{ op: "test", path: "/a/b", value: [1, 2, 3] }], document],
  ["takes an absent value for null in a test", [{ op: "test", path: "/nothing", value: null }], document],
];

for (const [name, operations, expected] of cases) {
  test(`jsonPatch ${name}`, () => assert.deepEqual(jsonPatch(document, operations), expected));
}

test("jsonPatch shares what it does not touch", () => {
  assert.equal(jsonPatch(document, [{ op: "add", path: "/z", value: 1 }]).keep, document.keep);
});

for (const operation of [
  { op: "test", path: "/a/b/0", value: 2 },
  { op: "remove", path: "/a/none" },
  { op: "replace", path: "/a/none", value: 1 },
  { op: "add", path: "/none/x", value: 1 },
  { op: "add", path: "/a/b/7", value: 1 },
  { op: "add", path: "/a/b/x", value: 1 },
  { op: "add", path: "", value: {} },
  { op: "add", path: "/toString/x", value: 1 },
  { op: "move", from: "/a", path: "/a/b/-" },
  { op: "unknown", path: "/a" },
]) {
  test(`jsonPatch answers 422 for ${JSON.stringify(operation)}`, () => {
    assert.throws(
      () => jsonPatch(document, [operation]),
      (error: StatusError) =>
        error.code === 422 &&
        error.reason === "Invalid" &&
        error.message === "the server rejected our request due to an error in our request",
    );
  });
}

test("jsonPatch refuses a patch that is no list", () => {
  assert.throws(() => jsonPatch(document, { op: "add" }), {
    reason: "BadRequest",
    message: "json: cannot unmarshal object into Go value of type jsonpatch.Patch",
  });
});

test("jsonPatch refuses more than 10,000 operations", () => {
  const operations = new Array(10_001).fill({ op: "test", path: "/keep/deep", value: true });
  assert.throws(() => jsonPatch(document, operations), {
    code: 413,
    message: "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
  });
  assert.equal(jsonPatch(document, operations.slice(1)), document);
});

test("jsonPatch stops copies that double", () => {
  const doubling = [{ op: "add", path: "/l", value: ["0123456789"] as unknown }] as Record<string, unknown>[];
  for (let i = 0; i < 40; i++) doubling.push({ op: "copy", from: "/l", path: "/l/-" });
  assert.throws(() => jsonPatch(document, doubling), { code: 422 });
});

test("jsonPatch keeps __proto__ and constructor as keys", () => {
  const value = JSON.parse('{"polluted":true}');
  const patched = jsonPatch({}, [
    { op: "add", path: "/__proto__", value },
    { op: "add", path: "/__proto__/more", value: 1 },
    { op: "add", path: "/constructor", value: {} },
  ]);
  assert.equal(JSON.stringify(patched), '{"__proto__":{"polluted":true,"more":1},"constructor":{}}');
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  assert.throws(() => jsonPatch({}, [{ op: "add", path: "/__proto__/polluted", value: 1 }]), { code: 422 });
});

test("jsonPatch copies an integer that no double holds digit for digit, and finds nothing below it", () => {
  const document = parseJSON('{"a":{"n":9007199254740993}}') as JsonObject;
  const copied = jsonPatch(document, [{ op: "copy", from: "/a", path: "/b" }]);
  assert.equal(stringify(copied), '{"a":{"n":9007199254740993},"b":{"n":9007199254740993}}');
  assert.throws(() => jsonPatch(document, [{ op: "add", path: "/a/n/x", value: 1 }]), { reason: "Invalid" });
});
