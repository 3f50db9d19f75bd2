import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Draft,
  difference,
  differenceBelow,
  EMPTY,
  type FieldSet,
  fieldsOf,
  intersection,
  LEAF,
  union,
} from "./field-set.ts";
import { canonical, compareElements, elementText, pathText } from "./path-element.ts";

/** The set of the given paths, each written `a/b/c`. */
function setOf(paths: Iterable<string>): FieldSet {
  const root: Draft = {};
  for (const path of paths) {
    let at = root;
    const elements = path.split("/").map((name) => `f:${name}`);
    elements.forEach((element, i) => {
      at[element] = { ...at[element] };
      at = at[element] as Draft;
      if (i === elements.length - 1) at["."] = LEAF;
    });
  }
  return canonical(tidy(root))!;
}

/** A node that holds nothing but "." is written as an empty one. */
function tidy(node: FieldSet): FieldSet {
  const children = Object.entries(node).filter(([element]) => element !== ".");
  if (children.length === 0) return {};
  const tidied = Object.fromEntries(children.map(([element, child]) => [element, tidy(child)]));
  return node["."] ? { ".": LEAF, ...tidied } : tidied;
}

const pathsOf = (set: FieldSet) => [...fieldsOf(set)].map((p) => p.map((e) => e.slice(2)).join("/"));

const paths = fc.uniqueArray(
  fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 }).map((names) => names.join("/")),
);

test("field sets behave as the sets of their paths", () => {
  fc.assert(
    fc.property(paths, paths, (left, right) => {
      const a = setOf(left);
      const b = setOf(right);
      const below = (path: string) => right.some((r) => path === r || path.startsWith(`${r}/`));
      const same = (got: FieldSet, want: string[]) => assert.deepEqual(got, setOf(want));
      assert.deepEqual(pathsOf(a).sort(), [...left].sort());
      same(union(a, b), [...new Set([...left, ...right])]);
      same(
        difference(a, b),
        left.filter((path) => !right.includes(path)),
      );
      same(
        intersection(a, b),
        left.filter((path) => right.includes(path)),
      );
      same(
        differenceBelow(a, b),
        left.filter((path) => !below(path)),
      );
      assert.equal(JSON.stringify(union(a, b)), JSON.stringify(canonical(union(b, a))));
    }),
  );
});

test("field set operations answer the same object where nothing changes", () => {
  const a = setOf(["a/b", "a/c", "b"]);
  assert.equal(union(a, setOf(["a/b"])), a);
  assert.equal(difference(a, setOf(["c", "a"])), a);
  assert.equal(differenceBelow(a, setOf(["b/x"])), a);
  assert.equal(union(EMPTY, a), a);
});

test("path elements sort as upstream sorts them", () => {
  const sorted = [
    ".",
    "f:a",
    "f:b",
    'k:{"name":"a"}',
    'k:{"name":"ab"}',
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"port":443,"protocol":"TCP"}',
    "v:2",
    "v:10",
    'v:"a"',
    "v:true",
    "i:2",
    "i:10",
  ];
  assert.deepEqual([...sorted].reverse().sort(compareElements), sorted);
});

test("paths print as errors show them", () => {
  assert.equal(
    pathText(["f:spec", 'k:{"port":80,"protocol":"TCP"}', "f:x", 'v:"y"', "i:3"]),
    '.spec[port=80,protocol="TCP"].x[="y"][3]',
  );
  assert.equal(elementText('k:{"name":"a\\"b"}'), '[name="a\\"b"]');
});

test("canonical sorts and spells keys one way, and refuses what is no FieldsV1", () => {
  assert.equal(
    JSON.stringify(canonical({ 'k:{ "b": 1, "a": "x" }': {}, "f:z": {}, "f:a": { ".": {} } })),
    '{"f:a":{".":{}},"f:z":{},"k:{\\"a\\":\\"x\\",\\"b\\":1}":{}}',
  );
  for (const bad of [{ x: {} }, { "k:[]": {} }, { "k:{": {} }, { "f:a": 1 }, [], { "i:x": {} }]) {
    assert.equal(canonical(bad), undefined, JSON.stringify(bad));
  }
});
