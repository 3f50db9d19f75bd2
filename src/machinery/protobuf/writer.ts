/**
 * Protobuf from the end to the start: a message's length is known once its contents are there, so nothing is measured
 * first and nothing is copied until the end.
 */
import { encodeUTF8 } from "../json/utf8.ts";

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

export class ProtobufWriter {
  private buffer: Uint8Array;
  /** Where what was written begins. */
  private start: number;

  constructor(capacity = 16 * 1024) {
    this.buffer = new Uint8Array(capacity);
    this.start = capacity;
  }

  /** Forgets what was written; the memory is kept. */
  reset(): void {
    this.start = this.buffer.length;
  }

  get size(): number {
    return this.buffer.length - this.start;
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return this.buffer.slice(this.start);
  }

  private reserve(count: number): void {
    if (this.start >= count) return;
    const written = this.size;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, written + count));
    grown.set(this.buffer.subarray(this.start), grown.length - written);
    this.buffer = grown;
    this.start = grown.length - written;
  }

  tag(number: number, wire: number): void {
    this.varint(number * 8 + wire);
  }

  /** A whole number from 0. */
  varint(value: number): void {
    this.reserve(10);
    if (value < 0x80) {
      this.buffer[--this.start] = value;
      return;
    }
    let size = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
    this.start -= size;
    let at = this.start;
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.buffer[at++] = (rest % 0x80) | 0x80;
    this.buffer[at] = rest;
  }

  /** A signed number as int32 and int64 are written: negative ones take ten bytes. */
  signed(value: number | bigint): void {
    if (typeof value === "number" && value >= 0) {
      this.varint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.raw(Uint8Array.from(bytes));
  }

  double(value: number): void {
    this.reserve(8);
    this.start -= 8;
    new DataView(this.buffer.buffer, this.buffer.byteOffset).setFloat64(this.start, value, true);
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.start -= bytes.length;
    this.buffer.set(bytes, this.start);
  }

  text(text: string): void {
    const length = text.length;
    this.reserve(length);
    const from = this.start - length;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 0x80) {
        this.raw(encodeUTF8(text));
        return;
      }
      this.buffer[from + at] = code;
    }
    this.start = from;
  }

  /** Length and tag of what was written since `size` was `before`. */
  close(number: number, before: number): void {
    this.varint(this.size - before);
    this.varint(number * 8 + BYTES);
  }
}
