import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseYAML, parseYAMLStrict, stringifyYAML } from "./yaml.ts";

test("parseYAML reads words as sigs.k8s.io/yaml does", () => {
  const text =
    "a: yes\nb: 0777\nc: 2001-01-01\nd: '1'\ne: ~\nf: off\ng: 1_000\nh: 0b11\ni: .5\n1: x\ntrue: y\n";
  assert.equal(
    JSON.stringify(parseYAML(text)),
    '{"1":"x","a":true,"b":511,"c":"2001-01-01","d":"1","e":null,"f":false,"g":1000,"h":3,"i":0.5,"true":true}',
  );
  assert.equal(JSON.stringify(parseYAML("9007199254740993")), "9007199254740993");
});

test("parseYAML follows anchors and merges", () => {
  assert.deepEqual(parseYAML("a: &x {q: 1, r: 2}\nb: *x\nc:\n  <<: *x\n  q: 3\n"), {
    a: { q: 1, r: 2 },
    b: { q: 1, r: 2 },
    c: { q: 3, r: 2 },
  });
});

test("parseYAML keeps __proto__ a key", () => {
  const value = parseYAML("__proto__: {a: 1}\n<<: {constructor: 2}\n") as object;
  assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

test("parseYAMLStrict tells keys that come twice, with their line", () => {
  assert.deepEqual(parseYAMLStrict("a: 1\nb:\n  c: 1\n  c: 2\n").duplicates, [
    'line 4: key "c" already set in map',
  ]);
});

test("parseYAML refuses what is no single document", () => {
  assert.throws(() => parseYAML("a: 1\n---\nb: 1\n"), /yaml: a body must be a single document/);
  assert.throws(() => parseYAML("a: [1\n"), /yaml: line \d+: /);
  assert.throws(() => parseYAML("a: .inf\n"), /yaml: json: unsupported value/);
  assert.throws(() => parseYAML("a: &x [*x]\n"), /contains itself/);
  assert.throws(() => parseYAML("a: *x\n"), /unknown anchor 'x'/);
});

function bomb(): string {
  const levels = ["a: &l0 [x,x,x,x,x,x,x,x,x]"];
  for (let at = 1; at < 9; at++)
    levels.push(
      `k${at}: &l${at} [${Array(9)
        .fill(`*l${at - 1}`)
        .join(",")}]`,
    );
  return `${levels.join("\n")}\n`;
}

test("parseYAML gives up on bombs", () => {
  assert.throws(() => parseYAML(bomb()), /excessive aliasing/);
  const large = 3_000_000;
  for (const [start, piece] of [
    ["[", "1,"],
    ["", "- "],
    ["", "[ "],
    ["", "{a: "],
    ["", "k: 1\n"],
    ["- &a x\n", "- *a\n"],
    ["", "%a b\n"],
    ["", "---\n"],
  ] as const) {
    assert.throws(() => parseYAML(start + piece.repeat(large / piece.length)), { name: "YAMLError" }, piece);
  }
});

test("stringifyYAML sorts keys and quotes what could be read as something else", () => {
  const value = { b: ["1", { c: "yes", a: "x: y" }, []], a: "two\nlines\n", y: "12:30", z: {}, n: null };
  assert.equal(
    stringifyYAML(value),
    'a: |\n  two\n  lines\nb:\n- "1"\n- a: "x: y"\n  c: "yes"\n- []\n"n": null\n"y": "12:30"\nz: {}\n',
  );
});

test("stringifyYAML is read back as the same value", () => {
  const string = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom("a", " ", "\n", "-", ":", "#", "1", "\t", "é") }),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      string,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(string, tie("tree"), { maxKeys: 3 }),
    ),
  }));
  const sorted = (value: unknown) =>
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    );
  fc.assert(
    fc.property(tree, (value) => {
      assert.equal(sorted(parseYAML(stringifyYAML(value))), sorted(value));
    }),
    { numRuns: 500 },
  );
});
