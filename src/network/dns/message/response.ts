/** What resolvers outside the cluster answer, kept as it came. */

import { type AnswerHead, OPT_SIZE, writeOPT } from "./answer.ts";
import { FLAGS, HEADER_SIZE, RCODES, TYPES } from "./constants.ts";
import { readName, skipName } from "./name.ts";
import { type Query, short } from "./query.ts";

export interface StoredRecord {
  /** Where it begins and ends. */
  start: number;
  end: number;
  /** Where its type is; TTL and data follow at known distances. */
  head: number;
  type: number;
}

export interface Response {
  /** With the question, without the OPT record. */
  bytes: Uint8Array;
  id: number;
  flags: number;
  rcode: number;
  questionEnd: number;
  records: readonly StoredRecord[];
  /** How many of `records` are in each section. */
  counts: readonly [answers: number, authority: number, additional: number];
}

const KEPT = FLAGS.AA | FLAGS.AD;

/** Undefined for what is no whole answer to one question. Never throws. */
export function readResponse(message: Uint8Array): Response | undefined {
  if (message.length < HEADER_SIZE) return undefined;
  const flags = short(message, 2);
  if ((flags & FLAGS.QR) === 0 || short(message, 4) !== 1) return undefined;
  const nameEnd = skipName(message, HEADER_SIZE);
  if (nameEnd < 0 || nameEnd + 4 > message.length) return undefined;
  const questionEnd = nameEnd + 4;
  const records: StoredRecord[] = [];
  const counts: [number, number, number] = [0, 0, 0];
  let rcode = flags & 15;
  let at = questionEnd;
  let hasOptions = false;
  for (const section of [0, 1, 2] as const) {
    for (let left = short(message, 6 + section * 2); left > 0; left--) {
      const head = skipName(message, at);
      if (head < 0 || head + 10 > message.length) return undefined;
      const end = head + 10 + short(message, head + 8);
      if (end > message.length) return undefined;
      const type = short(message, head);
      if (type === TYPES.OPT) {
        hasOptions = true;
        rcode |= message[head + 4]! << 4;
      } else if (!hasOptions) {
        // What follows the OPT record may be left out: it stands among additional records, at their end.
        records.push({ start: at, end, head, type });
        counts[section]++;
      }
      at = end;
    }
  }
  const end = records.at(-1)?.end ?? questionEnd;
  return { bytes: message.slice(0, end), id: short(message, 0), flags, rcode, questionEnd, records, counts };
}

/** Whether it answers what was asked; letters may have changed their case on the way. */
export function answersQuestion(
  { bytes, questionEnd }: Response,
  { name, type, class: class_ }: Query,
): boolean {
  const named = readName(bytes, HEADER_SIZE);
  return (
    named?.name === name && short(bytes, questionEnd - 4) === type && short(bytes, questionEnd - 2) === class_
  );
}

/**
 * Seconds for which it may be kept: as the record that lives shortest, or as the zone says of what is not there
 * (RFC 2308). Undefined where nothing says it.
 */
export function lifetimeOf({ bytes, records, counts, rcode }: Response): number | undefined {
  const ttlAt = (record: StoredRecord): number => Math.min(long(bytes, record.head + 4), 0x7fffffff);
  const isThere = rcode === RCODES.NOERROR && counts[0] > 0;
  if (isThere) return Math.min(...records.slice(0, counts[0] + counts[1]).map(ttlAt));
  if (rcode !== RCODES.NOERROR && rcode !== RCODES.NXDOMAIN) return undefined;
  const soa = records.slice(counts[0], counts[0] + counts[1]).find(({ type }) => type === TYPES.SOA);
  return soa && soa.end - soa.head >= 32 ? Math.min(ttlAt(soa), long(bytes, soa.end - 4)) : undefined;
}

/** The answer to a client, with what is left of the times to live after `age` seconds. Cut where it is larger than `limit`. */
export function writeResponse(head: AnswerHead, response: Response, age: number, limit: number): Buffer {
  const { bytes, records, counts, questionEnd, rcode } = response;
  const { edns, question } = head;
  const room = limit - (edns ? OPT_SIZE : 0);
  let fitting = records.length;
  while (fitting > 0 && records[fitting - 1]!.end > room) fitting--;
  const isWhole = fitting >= counts[0] + counts[1];
  // Half of a section is of no use but for answers.
  if (!isWhole) fitting = Math.min(fitting, counts[0]);
  const end = fitting === 0 ? questionEnd : records[fitting - 1]!.end;
  const message = Buffer.allocUnsafe(end + (edns ? OPT_SIZE : 0));
  message.set(bytes.subarray(0, end));
  if (question && question.length === questionEnd - HEADER_SIZE) message.set(question, HEADER_SIZE);
  for (let i = 0; i < fitting; i++) {
    const at = records[i]!.head + 4;
    message.writeUInt32BE(Math.max(long(message, at) - age, 0), at);
  }
  let flags =
    FLAGS.QR | FLAGS.RA | (head.flags & (FLAGS.RD | FLAGS.CD)) | (response.flags & KEPT) | (rcode & 15);
  if (age > 0) flags &= ~FLAGS.AA;
  if (!isWhole || (response.flags & FLAGS.TC) !== 0) flags |= FLAGS.TC;
  if (edns) writeOPT(message, end, edns, rcode);
  message.writeUInt16BE(head.id, 0);
  message.writeUInt16BE(flags, 2);
  message.writeUInt16BE(1, 4);
  let left = fitting;
  for (const [section, count] of counts.entries()) {
    const here = Math.min(left, count);
    left -= here;
    message.writeUInt16BE(here + (section === 2 && edns ? 1 : 0), 6 + section * 2);
  }
  return message;
}

/** What we ask a resolver: the client's question, by an identifier of our own; with our options or, for old ones, without. */
export function writeForwarded({ question, flags, edns }: Query, id: number, withOptions = true): Buffer {
  const end = HEADER_SIZE + question.length;
  const message = Buffer.alloc(end + (withOptions ? OPT_SIZE : 0));
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(flags, 2);
  message.writeUInt16BE(1, 4);
  message.writeUInt16BE(withOptions ? 1 : 0, 10);
  message.set(question, HEADER_SIZE);
  if (withOptions) writeOPT(message, end, { wantsDNSSEC: edns?.wantsDNSSEC === true }, 0);
  return message;
}

function long(bytes: Uint8Array, at: number): number {
  return short(bytes, at) * 65536 + short(bytes, at + 2);
}
