/**
 * Times as the API writes them: metav1.Time has seconds (`2006-01-02T15:04:05Z`), metav1.MicroTime has microseconds.
 * Objects hold the text; these functions read, canonicalise and compare it.
 */
const SECONDS_LAYOUT = "2006-01-02T15:04:05Z07:00";
const MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00";

/** The text is no time; the message is that of Go's time.Parse. */
export class TimeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TimeError";
  }
}

/** A point in time: whole seconds since 1970, and the nanoseconds within the second. */
export interface Instant {
  seconds: number;
  /** 0 to 999999999. */
  nanos: number;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(month: number, year: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return leap ? 29 : (DAYS[month - 1] ?? 0);
}

/** The number that `count` digits make, or -1. */
function number(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Reads by a layout, element by element, so that an error can say where it stopped. */
class Reader {
  private at = 0;
  private readonly text: string;
  private readonly layout: string;

  constructor(text: string, layout: string) {
    this.text = text;
    this.layout = layout;
  }

  fail(element: string): never {
    const rest = quoted(this.text.slice(this.at));
    throw new TimeError(
      `parsing time ${quoted(this.text)} as ${quoted(this.layout)}: cannot parse ${rest} as ${quoted(element)}`,
    );
  }

  outOfRange(what: string): never {
    throw new TimeError(`parsing time ${quoted(this.text)}: ${what} out of range`);
  }

  digits(element: string, count: number): number {
    const value = number(this.text, this.at, count);
    if (value < 0) this.fail(element);
    this.at += count;
    return value;
  }

  literal(text: string): void {
    if (!this.text.startsWith(text, this.at)) this.fail(text);
    this.at += text.length;
  }

  /** Nanoseconds of an optional fraction (`.5`, `,5`), of which Go takes any length and keeps nine digits. */
  fraction(): number {
    const from = this.at + 1;
    const end = this.fractionEnd();
    if (end === from) return 0;
    this.at = end;
    return Number(this.text.slice(from, Math.min(end, from + 9)).padEnd(9, "0"));
  }

  /** Nanoseconds of a fraction of exactly six digits. */
  micros(): number {
    if (this.fractionEnd() !== this.at + 7) this.fail(".000000");
    return this.fraction();
  }

  /** Behind the last digit of the fraction that stands here. */
  private fractionEnd(): number {
    const mark = this.text[this.at];
    let end = this.at + 1;
    if (mark === "." || mark === ",") while (number(this.text, end, 1) >= 0) end++;
    return end;
  }

  /** The offset from UTC in minutes. */
  zone(): number {
    if (this.text[this.at] === "Z") {
      this.at++;
      return 0;
    }
    const sign = this.text[this.at] === "+" ? 1 : this.text[this.at] === "-" ? -1 : 0;
    const hours = number(this.text, this.at + 1, 2);
    const minutes = number(this.text, this.at + 4, 2);
    if (sign === 0 || hours < 0 || minutes < 0 || this.text[this.at + 3] !== ":") this.fail("Z07:00");
    if (hours > 24) this.outOfRange("time zone offset hour");
    if (minutes > 60) this.outOfRange("time zone offset minute");
    this.at += 6;
    return sign * (hours * 60 + minutes);
  }

  end(): void {
    if (this.at === this.text.length) return;
    throw new TimeError(`parsing time ${quoted(this.text)}: extra text: ${quoted(this.text.slice(this.at))}`);
  }
}

function read(text: string, micro: boolean): Instant {
  const reader = new Reader(text, micro ? MICRO_LAYOUT : SECONDS_LAYOUT);
  const year = reader.digits("2006", 4);
  reader.literal("-");
  const month = reader.digits("01", 2);
  if (month < 1 || month > 12) reader.outOfRange("month");
  reader.literal("-");
  const day = reader.digits("02", 2);
  reader.literal("T");
  const hour = reader.digits("15", 2);
  if (hour > 23) reader.outOfRange("hour");
  reader.literal(":");
  const minute = reader.digits("04", 2);
  if (minute > 59) reader.outOfRange("minute");
  reader.literal(":");
  const second = reader.digits("05", 2);
  if (second > 59) reader.outOfRange("second");
  const nanos = micro ? reader.micros() : reader.fraction();
  const offset = reader.zone();
  reader.end();
  if (day < 1 || day > daysIn(month, year)) reader.outOfRange("day");
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return { seconds: date.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + second, nanos };
}

/** A metav1.Time; fractions of a second are read. Throws TimeError. */
export function parseTime(text: string): Instant {
  return read(text, false);
}

/** As metav1.Time is written: UTC, without the fraction. Throws TimeError beyond the years 0 to 9999. */
export function formatTime(milliseconds: number): string {
  return `${dateText(milliseconds)}Z`;
}

/** As metav1.MicroTime is written: UTC, with six digits of fraction. Throws TimeError beyond the years 0 to 9999. */
export function formatMicroTime({ seconds, nanos }: Instant): string {
  return `${dateText(seconds * 1000)}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;
}

function dateText(milliseconds: number): string {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new TimeError("Time.MarshalJSON: year outside of range [0,9999]");
  return date.toISOString().slice(0, 19);
}

/** Whether text may be stored as it is: `at` is where Z must be. Days are only taken up to 28 here. */
function isCanonical(text: string, at: number): boolean {
  if (text.length !== at + 1 || text.charCodeAt(at) !== 0x5a) return false;
  const month = two(text, 5);
  const day = two(text, 8);
  return (
    two(text, 0) >= 0 &&
    two(text, 2) >= 0 &&
    text.charCodeAt(4) === 0x2d &&
    month >= 1 &&
    month <= 12 &&
    text.charCodeAt(7) === 0x2d &&
    day >= 1 &&
    day <= 28 &&
    text.charCodeAt(10) === 0x54 &&
    isBelow(two(text, 11), 24) &&
    text.charCodeAt(13) === 0x3a &&
    isBelow(two(text, 14), 60) &&
    text.charCodeAt(16) === 0x3a &&
    isBelow(two(text, 17), 60) &&
    (at === 19 ||
      (text.charCodeAt(19) === 0x2e && two(text, 20) >= 0 && two(text, 22) >= 0 && two(text, 24) >= 0))
  );
}

function isBelow(value: number, limit: number): boolean {
  return value >= 0 && value < limit;
}

/** The number of two digits, or -1; written out because every time of every object decoded comes here. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** What is stored for a metav1.Time that a client wrote. Throws TimeError. */
export function canonicalTime(text: string): string {
  return isCanonical(text, 19) ? text : formatTime(read(text, false).seconds * 1000);
}

/** What is stored for a metav1.MicroTime that a client wrote. Throws TimeError. */
export function canonicalMicroTime(text: string): string {
  return isCanonical(text, 26) ? text : formatMicroTime(read(text, true));
}
