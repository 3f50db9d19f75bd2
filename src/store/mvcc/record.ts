import { crc32 } from "node:zlib";
import { StoreDamaged } from "../store.ts";
import type { LogRecord } from "./journal.ts";

/*
 * A record as bytes, little-endian:
 *   0 u32 CRC of bytes 4 to the end of the key     32 u32 length of the value
 *   4 u32 CRC of the value                         36 u16 length of the key
 *   8 f64 revision                                 38 u8  flags: 1 deleted
 *  16 f64 created                                  39 u8  format, 1
 *  24 f64 expires                                  40 key, value
 */
const HEADER = 40;
const FORMAT = 1;

/** The longest key, in UTF-8 bytes. */
export const MAX_KEY = 0xffff;

export function encodeRecord(record: LogRecord): Buffer {
  const { key, value } = record;
  const keyLength = Buffer.byteLength(key);
  const valueLength = value?.length ?? 0;
  const bytes = Buffer.allocUnsafe(HEADER + keyLength + valueLength);
  bytes.writeUInt32LE(value ? crc32(value) : 0, 4);
  bytes.writeDoubleLE(record.at, 8);
  bytes.writeDoubleLE(record.created, 16);
  bytes.writeDoubleLE(record.expires, 24);
  bytes.writeUInt32LE(valueLength, 32);
  bytes.writeUInt16LE(keyLength, 36);
  bytes[38] = record.deleted ? 1 : 0;
  bytes[39] = FORMAT;
  bytes.write(key, HEADER);
  bytes.writeUInt32LE(crc32(bytes.subarray(4, HEADER + keyLength)), 0);
  if (value) bytes.set(value, HEADER + keyLength);
  return bytes;
}

/** Checks and reads the head; the value is left unread. `at` is the revision it must be of. */
export function decodeHead(bytes: Buffer, at: number): LogRecord {
  const keyLength = bytes.length >= HEADER ? bytes.readUInt16LE(36) : 0;
  if (
    bytes.length < HEADER + keyLength ||
    bytes.readUInt32LE(0) !== crc32(bytes.subarray(4, HEADER + keyLength)) ||
    bytes.readDoubleLE(8) !== at
  ) {
    throw damagedRecord(at);
  }
  if (bytes[39] !== FORMAT) {
    throw new StoreDamaged(
      `the record of revision ${at} has format ${bytes[39]}, made by a newer version: use that version`,
    );
  }
  return {
    at,
    key: bytes.toString("utf8", HEADER, HEADER + keyLength),
    created: bytes.readDoubleLE(16),
    deleted: (bytes[38]! & 1) === 1,
    expires: bytes.readDoubleLE(24),
    value: undefined,
  };
}

/** The value of a record, checked: a view of `bytes`. */
export function decodeValue(bytes: Buffer, at: number): Uint8Array {
  if (bytes.length < HEADER) throw damagedRecord(at);
  const value = bytes.subarray(HEADER + bytes.readUInt16LE(36));
  if (
    value.length !== bytes.readUInt32LE(32) ||
    bytes.readDoubleLE(8) !== at ||
    bytes.readUInt32LE(4) !== crc32(value)
  ) {
    throw damagedRecord(at);
  }
  return value;
}

function damagedRecord(at: number): StoreDamaged {
  return new StoreDamaged(`the record of revision ${at} is damaged: put a copy of the store back`);
}
