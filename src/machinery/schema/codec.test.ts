import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { encodeProtobufObject } from "../protobuf/protobuf.ts";
import { decodeAny, decodeObject, normalize } from "./codec.ts";
import type { Definition, Field, Schemas } from "./schema.ts";

const definitions: Record<string, Field[]> = {
  "apps.v1.Thing": [
    { name: "apiVersion", type: "string" },
    { name: "data", type: { map: "string" }, number: 2 },
    { name: "kind", type: "string" },
    { name: "metadata", type: { ref: "meta.v1.ObjectMeta" }, number: 1 },
    { name: "spec", type: { ref: "apps.v1.ThingSpec" }, number: 3 },
  ],
  "apps.v1.ThingSpec": [
    { name: "big", type: "int64", number: 1, pointer: true },
    { name: "blob", type: "bytes", number: 2 },
    { name: "children", type: { list: { ref: "apps.v1.ThingSpec" } }, number: 3 },
    { name: "limits", type: { map: "Quantity" }, number: 4 },
    { name: "named", type: { map: { ref: "apps.v1.ThingSpec" } }, number: 5 },
    { name: "port", type: "IntOrString", number: 6, pointer: true },
    { name: "raw", type: "any", number: 7, wire: "RawExtension" },
    { name: "replicas", type: "int32", number: 8, pointer: true },
    { name: "words", type: { list: "string" }, number: 9 },
    { name: "inner", type: "string", number: 1, embedded: [10], pointer: true },
    { name: "on", type: "boolean", number: 11, pointer: true },
  ],
  "meta.v1.ObjectMeta": [
    { name: "creationTimestamp", type: "Time", number: 8 },
    { name: "labels", type: { map: "string" }, number: 11 },
    { name: "name", type: "string", number: 1 },
  ],
};

const schemas: Schemas = {
  definition(id): Definition {
    return { id, fields: definitions[id]! };
  },
};

const bytes = (text: string) => new TextEncoder().encode(text);

function read(text: string, strict = true) {
  return decodeObject(schemas, "apps.v1.Thing", bytes(text), "json", { strict });
}

function refusal(text: string | Uint8Array, format: "json" | "yaml" | "protobuf" = "json"): string {
  try {
    const body = typeof text === "string" ? bytes(text) : text;
    decodeObject(schemas, "apps.v1.Thing", body, format, { strict: true });
  } catch (error) {
    assert.equal((error as { reason?: string }).reason, "BadRequest", String(error));
    return (error as Error).message;
  }
  return "";
}

const HANDLED = 'Thing in version "v1" cannot be handled as a Thing: ';

test("decodeObject orders fields and drops nulls and unknown fields", () => {
  const { object, strictErrors, apiVersion, kind } = read(
    '{"spec":{"words":["a",null],"replicas":1,"foo":{"a":1},"on":null},"metadata":{"name":"x","nope":1},' +
      '"kind":"Thing","bar":1,"apiVersion":"apps/v1"}',
  );
  assert.equal(
    JSON.stringify(object),
    '{"apiVersion":"apps/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"replicas":1,"words":["a",""]}}',
  );
  assert.deepEqual([apiVersion, kind], ["apps/v1", "Thing"]);
  assert.deepEqual(strictErrors, [
    'unknown field "bar"',
    'unknown field "metadata.nope"',
    'unknown field "spec.foo"',
  ]);
});

test("decodeObject finds duplicate fields where Go looks for them", () => {
  const text =
    '{"metadata":{"labels":{"a":"1","a":"2"}},"foo":{"z":1,"z":2},"spec":{"raw":{"q":1,"q":2},' +
    '"children":[{},{"on":true,"on":false}],"named":{"k":{"big":1,"big":2}}}}';
  assert.deepEqual(read(text).strictErrors, [
    'unknown field "foo"',
    'duplicate field "metadata.labels.a"',
    'duplicate field "spec.children[1].on"',
    'duplicate field "spec.named.k.big"',
  ]);
  assert.deepEqual(read(text, false).strictErrors, []);
});

test("decodeObject refuses wrong types in Go's words", () => {
  const cases: [string, string][] = [
    ['{"spec":{"replicas":"1"}}', "string into Go struct field ThingSpec.spec.replicas of type int32"],
    ['{"spec":{"replicas":1.5}}', "number 1.5 into Go struct field ThingSpec.spec.replicas of type int32"],
    [
      '{"spec":{"replicas":2147483648}}',
      "number 2147483648 into Go struct field ThingSpec.spec.replicas of type int32",
    ],
    [
      '{"spec":{"children":[{"on":1}]}}',
      "number into Go struct field ThingSpec.spec.children.on of type bool",
    ],
    ['{"spec":{"children":[1]}}', "number into Go struct field ThingSpec.spec.children of type v1.ThingSpec"],
    ['{"spec":{"words":{}}}', "object into Go struct field ThingSpec.spec.words of type []string"],
    [
      '{"metadata":{"labels":{"a":1}}}',
      "number into Go struct field ObjectMeta.metadata.labels of type string",
    ],
    ['{"spec":[]}', "array into Go struct field Thing.spec of type v1.ThingSpec"],
    ['{"spec":{"port":1.5}}', "number 1.5 into Go value of type int32"],
  ];
  for (const [text, said] of cases) assert.equal(refusal(text), `${HANDLED}json: cannot unmarshal ${said}`);
  assert.equal(refusal('{"spec":{"blob":"a"}}'), `${HANDLED}illegal base64 data at input byte 1`);
  assert.match(refusal('{"spec":{"limits":{"cpu":"x"}}}'), /quantities must match the regular expression/);
  assert.match(
    refusal('{"metadata":{"creationTimestamp":"x"}}'),
    /parsing time "x" as "2006-01-02T15:04:05Z07:00"/,
  );
});

test("decodeObject says what it could not read at all", () => {
  assert.equal(
    refusal("{x"),
    "the object provided is unrecognized (must be of type Thing): couldn't get version/kind; json parse error: " +
      "invalid character 'x' looking for beginning of object key string ({x)",
  );
  assert.match(refusal(""), /unexpected end of JSON input \(<empty>\)$/);
  assert.match(refusal("[1]"), /json: cannot unmarshal array into Go value of type struct .*\(5b315d\)$/);
  assert.match(refusal('{"kind":1}'), /cannot unmarshal number into Go struct field \.kind of type string/);
  assert.match(refusal("["), /unexpected end of JSON input/);
  assert.match(refusal("a: b: c", "yaml"), /^the object provided is unrecognized .*: yaml: line 1: /);
  assert.match(refusal("nope", "protobuf"), /expected prefix \[107 56 115 0\]/);
  assert.match(refusal(`{"spec":${"[".repeat(10_001)}`), /exceeded max depth/);
});

test("decodeObject survives the deepest nesting of a recursive type", () => {
  const deep = `{"spec":${'{"children":['.repeat(4_900)}${"]}".repeat(4_900)}}`;
  assert.match(`${refusal(deep)} exceeded max depth`, /exceeded max depth/);
});

test("decodeObject keeps a value of any shape 1,000 levels deep and refuses a deeper one", () => {
  const raw = (depth: number) => `{"spec":{"raw":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}}`;
  assert.deepEqual(read(raw(1_000)).strictErrors, []);
  assert.match(refusal(raw(1_001)), /exceeded max depth$/);
});

test("decodeObject drops empty lists and maps of optional fields, and nothing else that is empty", () => {
  const kept: Schemas = {
    definition: (id) => ({
      id,
      fields: [
        { name: "any", type: "any" },
        { name: "kept", type: { list: "string" }, keptEmpty: true },
        { name: "keptMap", type: { map: "string" }, keptEmpty: true },
        { name: "list", type: { list: { ref: id } } },
        { name: "lists", type: { map: { list: "string" } } },
        { name: "map", type: { map: "string" } },
        { name: "required", type: { list: "string" }, required: true },
        { name: "struct", type: { ref: id } },
      ],
    }),
  };
  const stays = { any: { list: [], map: {} }, kept: [], keptMap: {}, required: [], struct: {} };
  const goes = { list: [], lists: {}, map: {} };
  const value = {
    ...stays,
    ...goes,
    list: [{}, { ...goes, ...stays }],
    lists: { a: [] },
    map: { a: null },
    struct: goes,
  };
  const expected = { ...stays, list: [{}, stays], lists: { a: [] }, map: { a: "" } };
  assert.deepEqual(normalize(kept, "v1.Kind", value).object, expected);
  const { object, strictErrors } = decodeObject(kept, "v1.Kind", bytes(jsonOf(value)), "json", {
    strict: true,
  });
  assert.deepEqual([object, strictErrors], [expected, []]);
  assert.throws(
    () => normalize(kept, "v1.Kind", { list: {} }),
    /cannot unmarshal object into .* of type \[\]/,
  );
  assert.throws(() => normalize(kept, "v1.Kind", { map: [] }), /cannot unmarshal array into .* of type map/);
});

test("decodeObject writes leaves in their normal form", () => {
  const { object } = read(
    '{"metadata":{"creationTimestamp":"2024-05-01T12:00:00.5+02:00","labels":{"__proto__":"a","10":"b","9":"c"}},' +
      '"spec":{"limits":{"cpu":"0.1","__proto__":1},"big":-9223372036854775808,"port":"http"}}',
  );
  assert.equal(
    JSON.stringify(object),
    '{"metadata":{"creationTimestamp":"2024-05-01T10:00:00Z","labels":{"9":"c","10":"b","__proto__":"a"}},' +
      '"spec":{"big":-9223372036854775808,"limits":{"cpu":"100m","__proto__":"1"},"port":"http"}}',
  );
});

test("decodeObject reads YAML as it reads JSON", () => {
  const body = bytes('kind: Thing\nmetadata: {name: x}\nspec:\n  "on": yes\n  replicas: 0x10\n  "on": no\n');
  const decoded = decodeObject(schemas, "apps.v1.Thing", body, "yaml", { strict: true });
  assert.equal(
    JSON.stringify(decoded.object),
    '{"kind":"Thing","metadata":{"name":"x"},"spec":{"replicas":16,"on":false}}',
  );
  assert.deepEqual(decoded.strictErrors, ['yaml: unmarshal errors:\n  line 6: key "on" already set in map']);
});

test("decodeAny keeps every shape but that of metadata", () => {
  const body = bytes('{"spec":{"b":null,"a":[1,{"x":1,"x":2}]},"metadata":{"name":"n","foo":1},"kind":"K"}');
  const decoded = decodeAny(schemas, body, "json", { strict: true }, { kind: "K", version: "v1" });
  assert.equal(
    JSON.stringify(decoded.object),
    '{"kind":"K","metadata":{"name":"n"},"spec":{"b":null,"a":[1,{"x":2}]}}',
  );
  assert.deepEqual(decoded.strictErrors, ['unknown field "metadata.foo"', 'duplicate field "spec.a[1].x"']);
});

test("normalize leaves its argument alone", () => {
  const value = { spec: { words: ["a"], replicas: 1 }, metadata: { labels: { a: "b" } } };
  const before = JSON.stringify(value);
  const { object } = normalize(schemas, "apps.v1.Thing", value);
  (object.metadata as { labels: Record<string, string> }).labels.a = "changed";
  (object.spec as { words: string[] }).words.push("b");
  assert.equal(JSON.stringify(value), before);
});

const text = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "ä😀"));
const { spec } = fc.letrec((tie) => ({
  spec: fc.record(
    {
      big: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      blob: fc.uint8Array({ minLength: 1 }).map((blob) => blob.toBase64()),
      children: fc.array(tie("spec"), { minLength: 1, maxLength: 2 }),
      inner: fc.string(),
      named: fc.dictionary(text, tie("spec"), { minKeys: 1, maxKeys: 2 }),
      on: fc.boolean(),
      port: fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.string()),
      replicas: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      words: fc.array(text, { minLength: 1 }),
    },
    { requiredKeys: [] },
  ),
}));

const jsonOf = (value: unknown) =>
  JSON.stringify(value, (_key, inner) =>
    typeof inner === "bigint"
      ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(inner.toString())
      : inner,
  );

/** Maps sorted, as protobuf has them. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner) && !("rawJSON" in inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

test("protobuf gives back every object that JSON brought", () => {
  fc.assert(
    fc.property(spec, (value) => {
      const { object, strictErrors } = read(
        `{"apiVersion":"apps/v1","kind":"Thing","spec":${jsonOf(value)}}`,
      );
      assert.deepEqual(strictErrors, []);
      const body = encodeProtobufObject(schemas, "apps.v1.Thing", object);
      const back = decodeObject(schemas, "apps.v1.Thing", body, "protobuf", { strict: true });
      assert.equal(sorted(back.object), sorted(object));
    }),
  );
});

test("protobuf that is cut off or damaged is refused or read, never worse", () => {
  const { object } = read('{"kind":"Thing","spec":{"words":["abc"],"named":{"k":{"big":9007199254740993}}}}');
  const body = encodeProtobufObject(schemas, "apps.v1.Thing", object);
  assert.match(refusal(body.subarray(0, body.length - 5), "protobuf"), /unexpected EOF/);
  fc.assert(
    fc.property(fc.nat(body.length - 5), fc.nat(255), (at, byte) => {
      const damaged = body.slice();
      damaged[at + 4] = byte;
      assert.equal(typeof refusal(damaged, "protobuf"), "string");
    }),
  );
  const huge = Uint8Array.of(0x6b, 0x38, 0x73, 0, 0x12, 0xff, 0xff, 0xff, 0xff, 0x7f);
  assert.match(refusal(huge, "protobuf"), /unexpected EOF/);
});
