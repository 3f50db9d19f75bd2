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

/** A point in time: whole milliseconds since 1970, and the microseconds within the second. */
export interface Instant {
  milliseconds: number;
  /** 0 to 999999. */
  micros: number;
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

  /** Micros of an optional fraction (`.5`, `,5`); Go takes any length and keeps nine digits. */
  fraction(): number {
    const mark = this.text[this.at];
    if (mark !== "." && mark !== ",") return 0;
    let end = this.at + 1;
    while (number(this.text, end, 1) >= 0) end++;
    if (end === this.at + 1) return 0;
    const micros = Number(
      this.text
        .slice(this.at + 1, this.at + 7)
        .slice(0, end - this.at - 1)
        .padEnd(6, "0"),
    );
    this.at = end;
    return micros;
  }

  micros(): number {
    const value = this.text[this.at] === "." ? number(this.text, this.at + 1, 6) : -1;
    if (value < 0 || number(this.text, this.at + 7, 1) >= 0) this.fail(".000000");
    this.at += 7;
    return value;
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
  const micros = micro ? reader.micros() : reader.fraction();
  const offset = reader.zone();
  reader.end();
  if (day < 1 || day > daysIn(month, year)) reader.outOfRange("day");
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute - offset, second, Math.floor(micros / 1000));
  return { milliseconds: date.getTime(), micros };
}

/** A metav1.Time; fractions of a second are read. Throws TimeError. */
export function parseTime(text: string): Instant {
  return read(text, false);
}

/** A metav1.MicroTime, whose six digits of fraction must be there. Throws TimeError. */
export function parseMicroTime(text: string): Instant {
  return read(text, true);
}

/** As metav1.Time is written: UTC, without the fraction. */
export function formatTime(time: Date | number): string {
  const iso = (typeof time === "number" ? new Date(time) : time).toISOString();
  return `${iso.slice(0, iso.length - 5)}Z`;
}

/** As metav1.MicroTime is written; a Date has milliseconds only, so `micros` may say more. */
export function formatMicroTime(time: Date | number, micros?: number): string {
  const iso = (typeof time === "number" ? new Date(time) : time).toISOString();
  const fraction = micros === undefined ? `${iso.slice(-4, -1)}000` : String(micros).padStart(6, "0");
  return `${iso.slice(0, iso.length - 5)}.${fraction}Z`;
}

/** Whether the text is what formatTime would write, so that it may be stored as it is. */
function isCanonical(text: string): boolean {
  if (text.length !== 20 || text.charCodeAt(19) !== 90) return false;
  const year = number(text, 0, 4);
  const month = number(text, 5, 2);
  const day = number(text, 8, 2);
  const hour = number(text, 11, 2);
  const minute = number(text, 14, 2);
  const second = number(text, 17, 2);
  return (
    text[4] === "-" &&
    text[7] === "-" &&
    text[10] === "T" &&
    text[13] === ":" &&
    text[16] === ":" &&
    year >= 0 &&
    month >= 1 &&
    day >= 1 &&
    day <= daysIn(month, year) &&
    hour >= 0 &&
    hour <= 23 &&
    minute >= 0 &&
    minute <= 59 &&
    second >= 0 &&
    second <= 59
  );
}

/** What is stored for a metav1.Time that a client wrote. Throws TimeError. */
export function canonicalTime(text: string): string {
  return isCanonical(text) ? text : formatTime(parseTime(text).milliseconds);
}

/** What is stored for a metav1.MicroTime that a client wrote. Throws TimeError. */
export function canonicalMicroTime(text: string): string {
  const { milliseconds, micros } = parseMicroTime(text);
  return formatMicroTime(milliseconds, micros);
}
