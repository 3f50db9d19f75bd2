/** Writes answers. */
import { CLASS_IN, EDNS_DO, FLAGS, HEADER_SIZE, LARGEST_MESSAGE, TYPES, UDP_SIZE } from "./constants.ts";
import { encodeName } from "./name.ts";
import type { EDNS } from "./query.ts";
import type { DNSRecord } from "./record.ts";

/** What is said of a query beside its records. */
export interface AnswerHead {
  id: number;
  /** Of the query: RD, CD and AD. */
  flags: number;
  question?: Uint8Array;
  edns?: EDNS;
}

export interface Sections {
  rcode: number;
  answers?: readonly DNSRecord[];
  authority?: readonly DNSRecord[];
  additional?: readonly DNSRecord[];
  /** Whether we know it of ourselves. */
  isAuthoritative?: boolean;
}

/** Of the OPT record: root, type, size, flags, no options. */
export const OPT_SIZE = 11;

/** Answers are written one after the other, and copied out when they are whole. */
const scratch = Buffer.alloc(LARGEST_MESSAGE);

/**
 * At most `limit` bytes. Where not all answers fit, the message says so (TC) and has those that fit: the client asks
 * again over TCP. Additional records that do not fit are left out without a word.
 */
export function writeAnswer(head: AnswerHead, sections: Sections, limit: number): Buffer {
  const { answers = [], authority = [], additional = [], rcode } = sections;
  const { question, edns } = head;
  const room = limit - (edns ? OPT_SIZE : 0);
  let at = HEADER_SIZE;
  if (question) {
    scratch.set(question, at);
    at += question.length;
  }
  const names = new Map<string, number>();
  const put = (records: readonly DNSRecord[]): number => {
    let count = 0;
    for (const record of records) {
      const end = writeRecord(record, at, room, names, question !== undefined);
      if (end < 0) break;
      at = end;
      count++;
    }
    return count;
  };
  const answered = put(answers);
  const isWhole = answered === answers.length;
  const authorities = isWhole ? put(authority) : 0;
  const further = isWhole && authorities === authority.length ? put(additional) : 0;
  let flags = FLAGS.QR | FLAGS.RA | (head.flags & (FLAGS.RD | FLAGS.CD)) | (rcode & 15);
  if (sections.isAuthoritative) flags |= FLAGS.AA;
  if (!isWhole) flags |= FLAGS.TC;
  if (edns) at = writeOPT(scratch, at, edns, rcode);
  scratch.writeUInt16BE(head.id, 0);
  scratch.writeUInt16BE(flags, 2);
  scratch.writeUInt16BE(question ? 1 : 0, 4);
  scratch.writeUInt16BE(answered, 6);
  scratch.writeUInt16BE(authorities, 8);
  scratch.writeUInt16BE(further + (edns ? 1 : 0), 10);
  return Buffer.from(scratch.subarray(0, at));
}

/** Where the record ends; -1 where it does not fit. */
function writeRecord(
  record: DNSRecord,
  start: number,
  room: number,
  names: Map<string, number>,
  hasQuestion: boolean,
): number {
  const { name, type, ttl, data } = record;
  const known = name === undefined ? (hasQuestion ? HEADER_SIZE : undefined) : names.get(name);
  const full = known === undefined ? encodeName(name ?? "") : undefined;
  if (known === undefined && !full) return -1;
  let at = start;
  if (at + (full?.length ?? 2) + 10 + data.length > room) return -1;
  if (full) {
    if (name !== undefined && at < 0x4000) names.set(name, at);
    scratch.set(full, at);
    at += full.length;
  } else {
    scratch[at++] = 0xc0 | (known! >>> 8);
    scratch[at++] = known! & 255;
  }
  at = scratch.writeUInt16BE(type, at);
  at = scratch.writeUInt16BE(CLASS_IN, at);
  at = scratch.writeUInt32BE(ttl, at);
  at = scratch.writeUInt16BE(data.length, at);
  scratch.set(data, at);
  return at + data.length;
}

/** Returns where it ends. */
export function writeOPT(
  message: Buffer,
  start: number,
  edns: Pick<EDNS, "wantsDNSSEC">,
  rcode: number,
): number {
  let at = message.writeUInt8(0, start);
  at = message.writeUInt16BE(TYPES.OPT, at);
  at = message.writeUInt16BE(UDP_SIZE, at);
  at = message.writeUInt8(rcode >>> 4, at);
  at = message.writeUInt8(0, at);
  at = message.writeUInt16BE(edns.wantsDNSSEC ? EDNS_DO : 0, at);
  return message.writeUInt16BE(0, at);
}
