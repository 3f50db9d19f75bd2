import assert from "node:assert/strict";
import { test } from "node:test";
import type { Definition, Schemas } from "../schema/schema.ts";
import { strategicMergePatch } from "./strategic-merge-patch.ts";

const definitions: Record<string, Definition> = {
  Thing: {
    id: "Thing",
    fields: [
      {
        name: "containers",
        type: { list: { ref: "Container" } },
        patchStrategy: ["merge"],
        patchMergeKey: "name",
      },
      { name: "finalizers", type: { list: "string" }, patchStrategy: ["merge"] },
      { name: "args", type: { list: "string" } },
      { name: "labels", type: { map: "string" } },
      { name: "strategy", type: { ref: "Strategy" }, patchStrategy: ["retainKeys"] },
      { name: "whole", type: { ref: "Strategy" }, patchStrategy: ["replace"] },
      { name: "byName", type: { map: { ref: "Thing" } } },
      { name: "keyless", type: { list: { ref: "Container" } }, patchStrategy: ["merge"] },
    ],
  },
  Container: {
    id: "Container",
    fields: [
      { name: "name", type: "string" },
      { name: "image", type: "string" },
      {
        name: "ports",
        type: { list: { ref: "Port" } },
        patchStrategy: ["merge"],
        patchMergeKey: "containerPort",
      },
    ],
  },
  Port: { id: "Port", fields: [{ name: "containerPort", type: "int32" }] },
  Strategy: {
    id: "Strategy",
    fields: [
      { name: "type", type: "string" },
      { name: "rollingUpdate", type: "any" },
    ],
  },
};
const schemas: Schemas = {
  definition(id) {
    const found = definitions[id];
    if (!found) throw new Error(`no definition ${id}`);
    return found;
  },
};

const patched = (document: object, patch: unknown) =>
  strategicMergePatch(schemas, "Thing", document as Record<string, unknown>, patch);

const a = { name: "a", image: "a:1" };
const b = { name: "b", image: "b:1" };
const c = { name: "c", image: "c:1" };

const cases: [name: string, document: object, patch: object, expected: object][] = [
  [
    "merges maps and removes by null",
    { labels: { x: "1", y: "2" } },
    { labels: { x: null, z: "3" } },
    { labels: { y: "2", z: "3" } },
  ],
  ["replaces lists without a strategy", { args: ["1", "2"] }, { args: ["3"] }, { args: ["3"] }],
  [
    "merges lists by their key",
    { containers: [a, b] },
    { containers: [{ name: "b", image: "b:2" }] },
    { containers: [a, { name: "b", image: "b:2" }] },
  ],
  ["puts new elements in front", { containers: [a, b] }, { containers: [c] }, { containers: [c, a, b] }],
  [
    "merges lists in elements",
    { containers: [{ ...a, ports: [{ containerPort: 1 }] }] },
    { containers: [{ name: "a", ports: [{ containerPort: 2 }] }] },
    { containers: [{ ...a, ports: [{ containerPort: 2 }, { containerPort: 1 }] }] },
  ],
  [
    "deletes an element",
    { containers: [a, b] },
    { containers: [{ name: "a", $patch: "delete" }] },
    { containers: [b] },
  ],
  [
    "replaces a list by directive",
    { containers: [a, b] },
    { containers: [c, { $patch: "replace" }] },
    { containers: [c] },
  ],
  [
    "replaces a list by directive, and keeps several elements of one key",
    { containers: [a, b] },
    { containers: [c, { name: "c", image: "c:2" }, { $patch: "replace" }] },
    { containers: [c, { name: "c", image: "c:2" }] },
  ],
  [
    "replaces a map by directive",
    { labels: { x: "1" } },
    { labels: { $patch: "replace", y: "2" } },
    { labels: { y: "2" } },
  ],
  ["empties a map by directive", { labels: { x: "1" } }, { labels: { $patch: "delete" } }, { labels: {} }],
  [
    "merges primitive lists",
    { finalizers: ["x", "y"] },
    { finalizers: ["y", "z"] },
    { finalizers: ["x", "y", "z"] },
  ],
  [
    "deletes from a primitive list",
    { finalizers: ["x", "y"] },
    { "$deleteFromPrimitiveList/finalizers": ["x"] },
    { finalizers: ["y"] },
  ],
  [
    "orders as $setElementOrder says",
    { containers: [a, b] },
    {
      "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
      containers: [{ name: "b", image: "b:2" }],
    },
    { containers: [{ name: "b", image: "b:2" }, a] },
  ],
  [
    "orders a list that it does not change",
    { containers: [a, b] },
    { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] },
    { containers: [b, a] },
  ],
  [
    "keeps the server's own elements between ordered ones",
    { containers: [a, b, c] },
    { "$setElementOrder/containers": [{ name: "a" }, { name: "c" }] },
    { containers: [a, b, c] },
  ],
  [
    "orders a primitive list and deletes from it",
    { finalizers: ["x", "y"] },
    {
      "$setElementOrder/finalizers": ["z", "y"],
      finalizers: ["z"],
      "$deleteFromPrimitiveList/finalizers": ["x"],
    },
    { finalizers: ["z", "y"] },
  ],
  [
    "drops keys that $retainKeys does not name",
    { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } },
    { strategy: { $retainKeys: ["type"], type: "Recreate" } },
    { strategy: { type: "Recreate" } },
  ],
  [
    "replaces a struct of strategy replace",
    { whole: { type: "x", rollingUpdate: 1 } },
    { whole: { type: "y" } },
    { whole: { type: "y" } },
  ],
  [
    "takes new values without nulls and directives",
    {},
    { labels: { x: null, y: "1" }, containers: [{ name: "n", $patch: "delete" }, a] },
    { labels: { y: "1" }, containers: [a] },
  ],
  [
    "finds merge keys below maps",
    { byName: { t: { containers: [a] } } },
    { byName: { t: { containers: [{ name: "a", image: "n" }] } } },
    { byName: { t: { containers: [{ name: "a", image: "n" }] } } },
  ],
];

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}

for (const [name, document, patch, expected] of cases) {
  test(`strategicMergePatch ${name}`, () => {
    assert.deepEqual(patched(freeze(document), freeze(patch)), expected);
  });
}

const failures: [name: string, document: object, patch: unknown, code: number, message: string | RegExp][] = [
  ["no object", {}, [], 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"],
  [
    "an element without merge key",
    { containers: [a] },
    { containers: [{ image: "x" }] },
    500,
    "map: map[image:x] does not contain declared merge key: name",
  ],
  ["an unknown directive", {}, { $patch: "what" }, 500, "unknown patch type what in map map[$patch:what]"],
  [
    "a list without merge key",
    { keyless: [a] },
    { keyless: [b] },
    500,
    /^cannot merge lists without merge key/,
  ],
  [
    "$retainKeys that leaves out a key of the patch",
    { strategy: {} },
    { strategy: { $retainKeys: ["a"], type: "x" } },
    400,
    "invalid patch format of retainKeys",
  ],
  [
    "$setElementOrder that is no list",
    {},
    { "$setElementOrder/containers": 1 },
    400,
    "invalid patch format of setElementOrder list",
  ],
  [
    "$deleteFromPrimitiveList without a field",
    {},
    { $deleteFromPrimitiveList: [] },
    400,
    "invalid patch format of primitive list",
  ],
  ["lists of lists", { finalizers: [["x"]] }, { finalizers: ["y"] }, 422, /rejected our request/],
  [
    "an order that the list does not follow",
    { containers: [a, b] },
    {
      "$setElementOrder/containers": [{ name: "a" }, { name: "b" }],
      containers: [{ name: "b" }, { name: "a" }],
    },
    500,
    /^The order in patch list:\n/,
  ],
];

for (const [name, document, patch, code, message] of failures) {
  test(`strategicMergePatch refuses ${name}`, () => {
    assert.throws(() => patched(document, patch), { code, message });
  });
}
