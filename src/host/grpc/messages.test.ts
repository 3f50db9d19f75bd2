import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bool,
  bytes,
  integer,
  integers,
  long,
  message,
  repeated,
  string,
  strings,
  sub,
  textMap,
} from "./messages.ts";

const Inner = message({ name: string(1), size: integer(2) });
const Outer = message({
  text: string(1),
  raw: bytes(2),
  flag: bool(3),
  number: integer(4),
  one: sub(5, Inner),
  many: repeated(6, Inner),
  words: strings(7),
  numbers: integers(8),
  labels: textMap(200),
  id: long(9),
});

const zero = {
  text: "",
  raw: Buffer.alloc(0),
  flag: false,
  number: 0,
  one: undefined,
  many: [],
  words: [],
  numbers: [],
  labels: new Map(),
  id: 0n,
};

test("message gives back what was sent, whatever its size and sign", () => {
  const value = {
    text: "t".repeat(1000),
    raw: Buffer.from([0, 255]),
    flag: true,
    number: -1,
    one: { name: "a", size: 2 ** 52 },
    many: [
      { name: "", size: -(2 ** 31) },
      { name: "é", size: 127 },
    ],
    words: ["", "b"],
    numbers: [0, 1, 128, 2 ** 32, -7],
    labels: new Map([["__proto__", "x"]]),
    id: -(2n ** 63n) + 1n,
  };
  assert.deepEqual(Outer.decode(Outer.encode(value)), value);
});

test("message leaves out what is zero, and has zero for what did not come", () => {
  assert.equal(Outer.encode(zero).length, 0);
  assert.deepEqual(Outer.decode(Buffer.alloc(0)), zero);
});

test("message writes what protobuf writes", () => {
  assert.equal(
    Outer.encode({ number: 150, one: { name: "hi" }, numbers: [3, 270] }).toString("hex"),
    "2096012a040a0268694203038e02",
  );
});

test("decode takes numbers that are not packed, and skips fields that it does not know", () => {
  const fixed = "5d01020304" + "590102030405060708";
  assert.deepEqual(Outer.decode(Buffer.from(`40034005${fixed}6801`, "hex")).numbers, [3, 5]);
  assert.throws(() => Outer.decode(Buffer.from("59010203", "hex")), RangeError);
});

test("decode says that a message is cut short, and never reads beyond it", () => {
  const whole = Outer.encode({ text: "text", one: { name: "name", size: 300 } });
  for (let length = 1; length < whole.length; length++) {
    try {
      Outer.decode(whole.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  }
});
