import assert from "node:assert/strict";
import test from "node:test";
import { socketPath } from "./dbus-connection.ts";
import { CALL, type DBusMessage, decodeMessage, encodeMessage, RETURN } from "./message.ts";
import { DBusError, typesOf, ValueReader } from "./values.ts";

const CALLED: DBusMessage = {
  type: CALL,
  serial: 7,
  path: "/a/b",
  interface: "a.B",
  member: "C",
  destination: "d.E",
  signature: "subit",
  body: ["text", 4_000_000_000, true, -5, 5_000_000n],
};

test("decodeMessage reads what encodeMessage wrote, however it is cut", () => {
  const bytes = encodeMessage(CALLED);
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(decodeMessage(bytes.subarray(0, length)), undefined);
  }
  const found = decodeMessage(Buffer.concat([bytes, bytes]));
  assert.deepEqual(found, { message: CALLED, length: bytes.length });
});

test("decodeMessage reads a signal as systemd-logind sends it, of either byte order", () => {
  // PrepareForShutdown(true) of /x, by hand after the specification.
  const little =
    "6c040001 04000000 09000000 27000000 01016f00 02000000 2f7800 0000000000 02017300 03000000 612e4200 00000000 08016700 016200 00 01000000";
  const big =
    "42040001 00000004 00000009 00000027 01016f00 00000002 2f7800 0000000000 02017300 00000003 612e4200 00000000 08016700 016200 00 00000001";
  for (const hex of [little, big]) {
    const { message } = decodeMessage(Buffer.from(hex.replaceAll(" ", ""), "hex"))!;
    assert.deepEqual(message, {
      type: 4,
      serial: 9,
      path: "/x",
      interface: "a.B",
      signature: "b",
      body: [true],
    });
  }
});

test("decodeMessage takes variants for what is in them", () => {
  const body = [
    ["t", 5_000_000n],
    ["b", false],
  ] as const;
  const bytes = encodeMessage({ type: RETURN, serial: 1, replySerial: 7, signature: "vv", body });
  assert.deepEqual(decodeMessage(bytes)?.message.body, [5_000_000n, false]);
});

test("decodeMessage refuses what is no message, or too long for one", () => {
  assert.throws(() => decodeMessage(Buffer.alloc(16, "x")), DBusError);
  const long = encodeMessage(CALLED);
  long.writeUInt32LE(1 << 30, 4);
  assert.throws(() => decodeMessage(long), /a message of/);
  const torn = encodeMessage(CALLED);
  torn.writeUInt32LE(200, 12);
  assert.throws(() => decodeMessage(Buffer.concat([torn, Buffer.alloc(300)])), DBusError);
});

test("typesOf cuts a signature, and refuses what is none", () => {
  assert.deepEqual(typesOf("sa{sv}(ia(bu))ay"), ["s", "a{sv}", "(ia(bu))", "ay"]);
  for (const wrong of ["a", "(s", "z", "{", "a".repeat(100)]) assert.throws(() => typesOf(wrong), DBusError);
});

test("ValueReader reads dictionaries, structs and variants", () => {
  // a{sv} with "n" → variant of (qs)
  const bytes = Buffer.from(
    [
      [27, 0, 0, 0, 0, 0, 0, 0],
      [1, 0, 0, 0, 0x6e, 0, 4, 0x28, 0x71, 0x73, 0x29, 0, 0, 0, 0, 0],
      [9, 0, 0, 0, 2, 0, 0, 0, 0x68, 0x69, 0],
    ].flat(),
  );
  const read = new ValueReader(bytes, true).read("a{sv}");
  assert.deepEqual(read, new Map([["n", [9, "hi"]]]));
});

test("socketPath takes the first address of this machine", () => {
  assert.equal(socketPath("tcp:host=a;unix:path=/run/a%20b,guid=0"), "/run/a b");
  assert.equal(socketPath("unix:guid=0,abstract=/tmp/x"), "\0/tmp/x");
  assert.throws(() => socketPath("tcp:host=a"), DBusError);
});
