import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { FrameReader, frameHead, OPCODE, WebSocketError } from "./frames.ts";

/** As a client sends it. */
function frame(opcode: number, payload: Buffer, final = true): Buffer {
  const head = Buffer.from(frameHead(opcode, payload.length));
  if (!final) head[0]! &= 0x7f;
  head[1]! |= 0x80;
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i & 3]!)]);
}

function read(bytes: Buffer, step: number, limit = 1 << 20): [number, string][] {
  const messages: [number, string][] = [];
  const reader = new FrameReader(limit, (opcode, payload) =>
    messages.push([opcode, payload.toString("latin1")]),
  );
  for (let at = 0; at < bytes.length; at += step) reader.read(bytes.subarray(at, at + step));
  return messages;
}

test("messages are put together however they are cut, with control frames between their parts", () => {
  const sizes = [0, 1, 125, 126, 127, 300, 65_535, 65_536, 70_001];
  const payloads = sizes.map((size) => Buffer.alloc(size, size % 251));
  const parts = [
    frame(OPCODE.binary, Buffer.from("be"), false),
    frame(OPCODE.ping, Buffer.from("there?")),
    frame(OPCODE.continuation, Buffer.from("gu"), false),
    frame(OPCODE.continuation, Buffer.from("n")),
  ];
  const bytes = Buffer.concat([...payloads.map((payload) => frame(OPCODE.binary, payload)), ...parts]);
  const expected = [
    ...payloads.map((payload) => [OPCODE.binary, payload.toString("latin1")]),
    [OPCODE.ping, "there?"],
    [OPCODE.binary, "begun"],
  ];
  for (const step of [1, 2, 3, 7, 1000, 4096, bytes.length]) assert.deepEqual(read(bytes, step), expected);
});

test("what breaks the protocol, or is too big, is refused", () => {
  const fails = (bytes: Buffer, code: number, limit?: number) =>
    assert.throws(
      () => read(bytes, bytes.length, limit),
      (error) => error instanceof WebSocketError && error.code === code,
    );
  fails(Buffer.from([0x82, 0x01, 0x00]), 1002);
  fails(Buffer.from([0xc2, 0x80, 0, 0, 0, 0]), 1002);
  fails(frame(OPCODE.continuation, Buffer.from("x")), 1002);
  fails(
    Buffer.concat([frame(OPCODE.binary, Buffer.from("x"), false), frame(OPCODE.text, Buffer.from("y"))]),
    1002,
  );
  fails(frame(OPCODE.ping, Buffer.alloc(126)), 1002);
  fails(frame(OPCODE.ping, Buffer.alloc(1), false), 1002);
  fails(frame(OPCODE.binary, Buffer.alloc(101)), 1009, 100);
  fails(Buffer.concat([frame(2, Buffer.alloc(60), false), frame(0, Buffer.alloc(60))]), 1009, 100);
  // Refused by what it announces, before it has come.
  fails(Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0]), 1009);
  fails(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), 1009);
});
