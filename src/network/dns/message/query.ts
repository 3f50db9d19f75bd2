/** What a client asks. */
import { EDNS_DO, FLAGS, HEADER_SIZE, LEAST_UDP_SIZE, RCODES, TYPES } from "./constants.ts";
import { readName, skipName } from "./name.ts";

export interface Query {
  id: number;
  /** The client's flags RD, CD and AD, in their places. */
  flags: number;
  /** In lower case, as of `readName`. */
  name: string;
  type: number;
  class: number;
  /** The question as it came, with the client's own use of upper case. */
  question: Uint8Array;
  edns?: EDNS;
}

export interface EDNS {
  /** What the client takes by UDP. */
  size: number;
  /** Wants to see signatures. */
  wantsDNSSEC: boolean;
}

/** A query that is answered by a code alone. */
export interface BadQuery {
  id: number;
  flags: number;
  rcode: number;
  /** There where it could be read. */
  question?: Uint8Array;
  edns?: EDNS;
}

const KEPT = FLAGS.RD | FLAGS.CD | FLAGS.AD;

/** Undefined for what must not be answered at all: fragments, and answers, as two servers could answer each other for ever. */
export function readQuery(message: Uint8Array): Query | BadQuery | undefined {
  if (message.length < HEADER_SIZE) return undefined;
  const flags = short(message, 2);
  if ((flags & FLAGS.QR) !== 0) return undefined;
  const head = { id: short(message, 0), flags: flags & KEPT };
  const opcode = (flags >>> 11) & 15;
  if (opcode !== 0) return { ...head, rcode: RCODES.NOTIMP };
  const bad = { ...head, rcode: RCODES.FORMERR };
  if (short(message, 4) !== 1) return bad;
  const named = readName(message, HEADER_SIZE);
  if (!named || named.isCompressed || named.end + 4 > message.length) return bad;
  const end = named.end + 4;
  const asked = {
    ...head,
    name: named.name,
    type: short(message, named.end),
    class: short(message, named.end + 2),
    question: message.subarray(HEADER_SIZE, end),
  };
  const records = short(message, 6) + short(message, 8) + short(message, 10);
  if (records === 0) return asked;
  const options = readOptions(message, end, records);
  if (options === "malformed") return bad;
  if (!options) return asked;
  const { version, ...edns } = options;
  return version === 0
    ? { ...asked, edns }
    : { ...head, rcode: RCODES.BADVERS, question: asked.question, edns };
}

/** The OPT record among those that follow the question. */
function readOptions(
  message: Uint8Array,
  start: number,
  records: number,
): (EDNS & { version: number }) | "malformed" | undefined {
  let found: (EDNS & { version: number }) | undefined;
  let at = start;
  for (let i = 0; i < records; i++) {
    const isRoot = message[at] === 0;
    const head = skipName(message, at);
    if (head < 0 || head + 10 > message.length) return "malformed";
    const end = head + 10 + short(message, head + 8);
    if (end > message.length) return "malformed";
    if (short(message, head) === TYPES.OPT) {
      if (found || !isRoot) return "malformed";
      const size = Math.max(short(message, head + 2), LEAST_UDP_SIZE);
      const version = message[head + 5]!;
      found = { size, version, wantsDNSSEC: (short(message, head + 6) & EDNS_DO) !== 0 };
    }
    at = end;
  }
  return found;
}

export function short(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}
