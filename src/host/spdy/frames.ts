/** Frames of SPDY/3.1 (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/). */
import { deflateRawSync, deflateSync, constants as zlib } from "node:zlib";

export const FRAME = {
  data: 0,
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  ping: 6,
  goAway: 7,
} as const;

/** The last frame of its sender on the stream. */
export const FLAG_FIN = 1;

const VERSION = 3;
const HEAD = 8;

export function dataHead(stream: number, length: number, fin: boolean): Buffer {
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt32BE(stream, 0);
  head.writeUInt32BE(((fin ? FLAG_FIN : 0) << 24) | length, 4);
  return head;
}

export function controlFrame(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(((flags << 24) | body.length) >>> 0, 4);
  return Buffer.concat([head, body]);
}

export function pingFrame(id: number): Buffer {
  const body = Buffer.allocUnsafe(4);
  body.writeUInt32BE(id, 0);
  return controlFrame(FRAME.ping, 0, body);
}

/**
 * The compression of all header blocks of a connection is one zlib stream, which each block ends with a flush. Blocks
 * behind the first are deflated by themselves: what refers to nothing before it is a valid continuation, and nothing has
 * to be kept. The preset dictionary of SPDY is not used either, which zlib leaves to the sender.
 */
export class HeaderCompression {
  private begun = false;

  compress(block: Buffer): Buffer {
    const options = { finishFlush: zlib.Z_SYNC_FLUSH };
    if (this.begun) return deflateRawSync(block, options);
    this.begun = true;
    return deflateSync(block, options);
  }
}

export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(headers);
  const parts = [uint32(entries.length)];
  for (const [name, value] of entries) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text);
      parts.push(uint32(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** `block`: the compressed headers. */
export function synStreamFrame(stream: number, block: Buffer): Buffer {
  const body = Buffer.alloc(10);
  body.writeUInt32BE(stream, 0);
  return controlFrame(FRAME.synStream, 0, Buffer.concat([body, block]));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

export interface FrameSink {
  /** A part of a stream's data, as it came; `fin` with the last of the stream's last frame. */
  data(stream: number, part: Buffer, fin: boolean): void;
  /** Any other frame, whole. */
  control(type: number, flags: number, body: Buffer): void;
}

/** No control frame of a peer is larger: they carry a few headers. */
const LONGEST_CONTROL = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** Splits what comes into frames. Throws where it is not SPDY/3.1. Data is not gathered: it goes on as it comes. */
export class FrameReader {
  private readonly sink: FrameSink;
  private rest: Buffer = NOTHING;
  private stream = 0;
  private fin = false;
  /** Bytes of the current data frame that are still to come. */
  private left = 0;

  constructor(sink: FrameSink) {
    this.sink = sink;
  }

  read(chunk: Buffer): void {
    let bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (bytes.length > 0) {
      const used = this.left > 0 ? this.dataPart(bytes) : this.frame(bytes);
      if (used === 0) break;
      bytes = bytes.subarray(used);
    }
    this.rest = bytes;
  }

  private dataPart(bytes: Buffer): number {
    const length = Math.min(this.left, bytes.length);
    this.left -= length;
    this.sink.data(this.stream, bytes.subarray(0, length), this.fin && this.left === 0);
    return length;
  }

  /** Bytes that were used; 0 where more must come first. */
  private frame(bytes: Buffer): number {
    if (bytes.length < HEAD) return 0;
    const first = bytes.readUInt32BE(0);
    const flags = bytes[4]!;
    const length = bytes.readUInt32BE(4) & 0xffffff;
    if (first < 0x80000000) {
      this.stream = first;
      this.fin = (flags & FLAG_FIN) !== 0;
      this.left = length;
      if (length === 0) this.sink.data(first, NOTHING, this.fin);
      return HEAD;
    }
    if (((first >>> 16) & 0x7fff) !== VERSION || length > LONGEST_CONTROL) {
      throw new Error("the peer does not speak SPDY/3.1");
    }
    if (bytes.length < HEAD + length) return 0;
    this.sink.control(first & 0xffff, flags, bytes.subarray(HEAD, HEAD + length));
    return HEAD + length;
  }
}
