/** Values, keys and objects that a careless server stumbles over, drawn at random. */
import type { Definition, Field, FieldType, Scalar, Schemas } from "../../src/machinery/schema/schema.ts";
import type { Random } from "./random.ts";

/** Text that stands in the place of a value in JSON and is written without quotes. */
class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export const HOSTILE_KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "__defineGetter__",
  "then",
  "toJSON",
  "rawJSON",
  "length",
  "0",
  "-1",
  "",
  ".",
  "a/b",
  "a~1b",
  "\u0000",
  "\ud800",
  "\u202e",
  "$patch",
  "$retainKeys",
  "$setElementOrder/x",
  "$deleteFromPrimitiveList/x",
];

const NUMBERS = [
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "2147483647",
  "2147483648",
  "-2147483649",
  "-1",
  "-0",
  "0",
  "1.0",
  "1.5",
  "1e3",
  "1e400",
  "1e-400",
  "123456789012345678901234567890",
];

const TEXTS = [
  "",
  " ",
  ".",
  "..",
  "a/b",
  "%2f",
  "\u0000",
  "\n",
  "\ud83d",
  "\u0130",
  "a".repeat(10_000),
  "-",
  "A",
  "None",
  "0",
  "1",
  "100%",
  "1Ki",
  "1e999999999",
  "0.0000000000000000000000001",
  "10.0.0.1",
  "::1",
  "127.0.0.1/33",
  "2026-01-01T00:00:00Z",
  "9999-99-99T99:99:99Z",
  "TCP",
  "Always",
  "{{",
  "$(X)",
  "(a+)+$",
  "* * * * *",
  "true",
];

const ANYTHING: ((random: Random) => unknown)[] = [
  () => null,
  () => true,
  (random) => random.pick(TEXTS),
  (random) => new Raw(random.pick(NUMBERS)),
  () => [],
  () => ({}),
  (random) => [new Raw(random.pick(NUMBERS))],
  (random) => [[null], random.pick(TEXTS)],
  (random) => hostileMap(random, () => random.pick(TEXTS)),
];

/** An object with hostile keys, `__proto__` an own one among them. */
export function hostileMap(random: Random, value: () => unknown): Record<string, unknown> {
  const count = 1 + random.below(3);
  return Object.fromEntries(Array.from({ length: count }, () => [random.pick(HOSTILE_KEYS), value()]));
}

export function anything(random: Random): unknown {
  return random.pick(ANYTHING)(random);
}

const FITTING: Record<Scalar, readonly unknown[]> = {
  string: ["a", "web", "Always", "TCP", "10.0.0.1", "app"],
  boolean: [true, false],
  int32: [0, 1, 80, 65536, 2147483647],
  int64: [0, 1, new Raw("9007199254740993"), new Raw("9223372036854775807"), new Raw("-9223372036854775808")],
  float64: [0, 1.5],
  bytes: ["", "AAAA", "/w=="],
  Time: ["2026-01-01T00:00:00Z"],
  MicroTime: ["2026-01-01T00:00:00.000001Z"],
  Duration: ["1s", "0s"],
  Quantity: ["1", "100m", "1Gi", 1, "-1", "1e18"],
  IntOrString: [80, "http", "50%", -1],
  any: [{}, { a: 1 }, [], "x"],
};

const CONFUSED = 0.03;

/** Objects of the schema's shape, mostly: now and then a field is of another type, a key is hostile, or one is left out. */
export class ObjectMaker {
  private readonly schemas: Schemas;
  private readonly random: Random;

  constructor(schemas: Schemas, random: Random) {
    this.schemas = schemas;
    this.random = random;
  }

  object(id: string, depth = 0): Record<string, unknown> {
    const { random } = this;
    const definition: Definition = this.schemas.definition(id);
    const entries: [string, unknown][] = [];
    // Deeper down fewer of the fields are there, so that the object stays small.
    const wanted = depth < 3 ? 0.5 : depth < 6 ? 0.3 : 0.1;
    for (const field of definition.fields) {
      if (field.required ? random.chance(0.98) : random.chance(wanted)) {
        entries.push([field.name, this.field(field, depth)]);
      }
    }
    if (random.chance(CONFUSED)) entries.push([random.pick(HOSTILE_KEYS), anything(random)]);
    return Object.fromEntries(entries);
  }

  private field(field: Field, depth: number): unknown {
    const { random } = this;
    if (random.chance(CONFUSED)) return anything(random);
    if (field.enum && random.chance(0.9)) return random.pick(field.enum);
    return this.value(field.type, depth + 1);
  }

  private value(type: FieldType, depth: number): unknown {
    const { random } = this;
    if (typeof type === "string") {
      if (type === "string" && random.chance(0.1)) return random.pick(TEXTS);
      if (type === "int32" && random.chance(0.1)) return new Raw(random.pick(NUMBERS));
      return random.pick(FITTING[type]);
    }
    if ("ref" in type) return depth > 12 ? {} : this.object(type.ref, depth);
    const count = random.below(3);
    if ("list" in type) return Array.from({ length: count }, () => this.value(type.list, depth + 1));
    const keys = () =>
      random.chance(0.3) ? random.pick(HOSTILE_KEYS) : random.pick(["app", "a.b/c", "cpu"]);
    return Object.fromEntries(Array.from({ length: count }, () => [keys(), this.value(type.map, depth + 1)]));
  }
}

/** JSON text of a value that may hold numbers no double does. */
export function textOf(value: unknown): string {
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${textOf(inner)}`);
  return `{${members.join(",")}}`;
}

/** The text with some of its bytes changed, repeated, left out or cut off. */
export function damaged(random: Random, text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const times = 1 + random.below(4);
  let result = bytes;
  for (let i = 0; i < times; i++) {
    const at = random.below(result.length + 1);
    const end = Math.min(result.length, at + random.below(20));
    const [before, part, after] = [result.subarray(0, at), result.subarray(at, end), result.subarray(end)];
    switch (random.below(4)) {
      case 0:
        result = Buffer.concat([before, after]);
        break;
      case 1:
        result = Buffer.concat([before, part, part, part, after]);
        break;
      case 2:
        result = Buffer.concat([before, Buffer.from([random.below(256), random.below(256)]), after]);
        break;
      default:
        result = Buffer.from(before);
    }
  }
  return result;
}
