/**
 * From lines as the runtime writes them to text as users see it. A line of the CRI's form is
 *
 *   2026-05-01T12:00:00.123456789Z stdout F the text
 *
 * where P in place of F says that the text goes on in the next line of the same stream.
 */
import { type LogQuery, nanosOf } from "./log-query.ts";

const SPACE = 0x20;
const NEWLINE = 0x0a;
const PARTIAL = 0x50;
const COLON = 0x3a;
/** A line that has no end within this many bytes is none of the runtime's, which cuts at 16 KiB. */
const LONGEST = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

export class LogLines {
  private readonly timestamps: boolean;
  private readonly stream: LogQuery["stream"];
  private since: bigint | undefined;
  private left: number;
  private rest: Buffer = NOTHING;
  private startsLine = true;

  constructor(query: Pick<LogQuery, "timestamps" | "stream" | "since" | "limitBytes">) {
    this.timestamps = query.timestamps;
    this.stream = query.stream;
    this.since = query.since;
    this.left = query.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Whether as much has been given as may be. */
  get full(): boolean {
    return this.left <= 0;
  }

  /** The text of the lines that end in `block`; what has no end yet is kept for the next one. */
  take(block: Buffer): Buffer {
    const bytes = this.rest.length === 0 ? block : Buffer.concat([this.rest, block]);
    const pieces: Buffer[] = [];
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, from);
      if (end < 0 || this.full) break;
      this.line(bytes.subarray(from, end + 1), pieces);
      from = end + 1;
    }
    // A copy: the block is its reader's, who fills it again.
    this.rest = bytes.length - from > LONGEST ? NOTHING : Buffer.from(bytes.subarray(from));
    return pieces.length === 0 ? NOTHING : Buffer.concat(pieces);
  }

  /** What the file ends with, though the line has no end. */
  finish(): Buffer {
    const pieces: Buffer[] = [];
    if (this.rest.length > 0 && !this.full) this.line(this.rest, pieces);
    this.rest = NOTHING;
    return Buffer.concat(pieces);
  }

  private line(line: Buffer, pieces: Buffer[]): void {
    const afterTime = line.indexOf(SPACE);
    const afterStream = afterTime < 0 ? -1 : line.indexOf(SPACE, afterTime + 1);
    const afterTags = afterStream < 0 ? -1 : line.indexOf(SPACE, afterStream + 1);
    // Without a text there is no space behind the tags.
    const textAt = afterTags < 0 ? line.length - 1 : afterTags + 1;
    if (afterStream < 0 || !this.wants(line, afterTime + 1, afterStream)) return;
    if (this.since !== undefined) {
      const time = nanosOf(line.toString("latin1", 0, afterTime));
      if (time === undefined || time < this.since) return;
      // The lines of a log are in the order of time: from here on nothing needs to be compared.
      this.since = undefined;
    }
    const partial = isPartial(line, afterStream + 1);
    if (this.timestamps && this.startsLine) this.push(Buffer.from(fullTime(line, afterTime)), pieces);
    const hasEnd = line[line.length - 1] === NEWLINE;
    this.push(line.subarray(textAt, partial && hasEnd ? line.length - 1 : line.length), pieces);
    this.startsLine = !partial;
  }

  private wants(line: Buffer, from: number, to: number): boolean {
    const length = to - from;
    // "stdout" or "stderr": the fourth letter tells them apart.
    if (length !== 6 || line[from] !== 0x73) return false;
    return this.stream === "All" || (line[from + 3] === 0x6f) === (this.stream === "Stdout");
  }

  private push(piece: Buffer, pieces: Buffer[]): void {
    const cut = piece.length > this.left ? piece.subarray(0, this.left) : piece;
    if (cut.length === 0) return;
    this.left -= cut.length;
    pieces.push(cut);
  }
}

/** Tags are parted by colons; the first is P or F. */
function isPartial(line: Buffer, at: number): boolean {
  const next = line[at + 1];
  return line[at] === PARTIAL && (next === SPACE || next === COLON || next === NEWLINE);
}

/** Upstream prints all nine digits of the fraction; runtimes leave zeros at its end out. */
function fullTime(line: Buffer, end: number): string {
  const time = line.toString("latin1", 0, end);
  const found = /^([^.Z+]*T[^.Z+-]*)(?:\.(\d+))?(.*)$/.exec(time);
  if (!found) return `${time} `;
  const [, seconds, fraction = "", zone] = found;
  return `${seconds}.${fraction.padEnd(9, "0")}${zone} `;
}
