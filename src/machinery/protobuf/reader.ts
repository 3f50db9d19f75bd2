/** Protobuf from bytes that nobody has checked: every length is held against what is there before anything is made. */
import { integer } from "../json/exact-integer.ts";
import { decodeUTF8 } from "../json/utf8.ts";
import { DecodeError } from "../schema/walk.ts";
import { BYTES, FIXED32, FIXED64, VARINT } from "./writer.ts";

export class ProtobufReader {
  readonly bytes: Uint8Array;
  at: number;
  /** Where the message that is being read ends. */
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
  }

  /** A whole number below 2^53; for tags and lengths. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.at >= this.end) throw unexpectedEnd();
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new DecodeError("proto: integer overflow");
  }

  /** An int64, exact. */
  int64(): unknown {
    if (this.at < this.end && this.bytes[this.at]! < 0x80) return this.bytes[this.at++]!;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.end) throw unexpectedEnd();
      const byte = this.bytes[this.at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return integer(BigInt.asIntN(64, value));
    }
    throw new DecodeError("proto: integer overflow");
  }

  int32(): number {
    if (this.at < this.end && this.bytes[this.at]! < 0x80) return this.bytes[this.at++]!;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw unexpectedEnd();
      const byte = this.bytes[this.at++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new DecodeError("proto: integer overflow");
  }

  double(): number {
    if (this.end - this.at < 8) throw unexpectedEnd();
    const value = new DataView(this.bytes.buffer, this.bytes.byteOffset).getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** The length of what follows, checked against what is there. */
  length(): number {
    const length = this.varint();
    if (length > this.end - this.at) throw unexpectedEnd();
    return length;
  }

  text(): string {
    const length = this.length();
    const from = this.at;
    this.at += length;
    if (length > 24) return decodeUTF8(this.bytes.subarray(from, this.at));
    let text = "";
    for (let at = from; at < this.at; at++) {
      const byte = this.bytes[at]!;
      if (byte >= 0x80) return decodeUTF8(this.bytes.subarray(from, this.at));
      text += String.fromCharCode(byte);
    }
    return text;
  }

  raw(): Uint8Array {
    const length = this.length();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  skip(wire: number): void {
    if (wire === VARINT) this.int64();
    else if (wire === BYTES) this.raw();
    else if (wire === FIXED64 || wire === FIXED32) {
      const size = wire === FIXED64 ? 8 : 4;
      if (this.end - this.at < size) throw unexpectedEnd();
      this.at += size;
    } else throw new DecodeError(`proto: illegal wireType ${wire}`);
  }
}

function unexpectedEnd(): DecodeError {
  return new DecodeError("unexpected EOF");
}
