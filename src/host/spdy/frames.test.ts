import assert from "node:assert/strict";
import { test } from "node:test";
import { createInflate } from "node:zlib";
import {
  controlFrame,
  dataHead,
  FRAME,
  FrameReader,
  HeaderCompression,
  headerBlock,
  synStreamFrame,
} from "./frames.ts";

test("frames are told apart however they are cut, and data goes on as it comes", () => {
  const bytes = Buffer.concat([
    controlFrame(FRAME.synReply, 1, Buffer.from([0, 0, 0, 3])),
    dataHead(3, 5, false),
    Buffer.from("hello"),
    dataHead(5, 0, true),
    dataHead(3, 1, true),
    Buffer.from("!"),
    controlFrame(FRAME.goAway, 0, Buffer.alloc(8)),
  ]);
  for (let step = 1; step <= bytes.length; step++) {
    const seen: string[] = [];
    const reader = new FrameReader({
      data: (stream, part, fin) => {
        if (part.length > 0) seen.push(...Array.from(part.toString(), (char) => `${stream}${char}`));
        if (fin) seen.push(`${stream} ends`);
      },
      control: (type, flags, body) => seen.push(`${type} ${flags} ${body.toString("hex")}`),
    });
    for (let at = 0; at < bytes.length; at += step) reader.read(bytes.subarray(at, at + step));
    assert.deepEqual(seen, [
      "2 1 00000003",
      ...["3h", "3e", "3l", "3l", "3o", "5 ends", "3!", "3 ends"],
      "7 0 0000000000000000",
    ]);
  }
});

test("what is not SPDY/3.1 is refused", () => {
  const reader = () => new FrameReader({ data() {}, control() {} });
  assert.throws(() => reader().read(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0])), /does not speak SPDY/);
  assert.throws(
    () => reader().read(Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff])),
    /does not speak SPDY/,
  );
});

test("header blocks are one zlib stream, whole after each frame", async () => {
  const compression = new HeaderCompression();
  const inflate = createInflate();
  for (const [i, streamType] of ["error", "stdin", "stdout", "stdout"].entries()) {
    const block = headerBlock({ streamType });
    const frame = synStreamFrame(2 * i + 1, compression.compress(block));
    assert.equal(frame.readUInt32BE(4), frame.length - 8);
    assert.equal(frame.readUInt32BE(8), 2 * i + 1);
    const plain = new Promise<Buffer>((resolve) => inflate.once("data", resolve));
    inflate.write(frame.subarray(18));
    assert.deepEqual(await plain, block);
    assert.equal(block.toString("latin1", 8, 18), "streamtype");
  }
});
