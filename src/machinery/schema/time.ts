/**
 * Times as text, read and written as Go's time package does for metav1.Time (RFC 3339, seconds) and metav1.MicroTime
 * (exactly six decimals). A normal time is in UTC.
 */
import { DecodeError } from "./walk.ts";

const SECONDS_LAYOUT = "2006-01-02T15:04:05Z07:00";
const MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00";

/** `2024-05-01T10:00:00Z` of any RFC 3339 text; throws a DecodeError in Go's words. */
export function normalTime(text: string): string {
  if (isPlain(text, 19)) return text;
  return timeText(parseTime(text, SECONDS_LAYOUT).seconds);
}

/** `2024-05-01T10:00:00.000000Z`. */
export function normalMicroTime(text: string): string {
  if (isPlain(text, 26)) return text;
  const { seconds, nanos } = parseTime(text, MICRO_LAYOUT);
  return microTimeText(seconds, nanos);
}

/** Seconds and nanoseconds since 1970 of a normal time. */
export function secondsOf(text: string): { seconds: number; nanos: number } {
  return parseTime(text, SECONDS_LAYOUT);
}

export function timeText(seconds: number): string {
  return `${dateText(seconds)}Z`;
}

export function microTimeText(seconds: number, nanos: number): string {
  return `${dateText(seconds)}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;
}

function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new DecodeError("Time.MarshalJSON: year outside of range [0,9999]");
  return date.toISOString().slice(0, 19);
}

/** Whether text is already normal: `at` is where Z must be. Days are only taken up to 28 here. */
function isPlain(text: string, at: number): boolean {
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
    below(two(text, 11), 24) &&
    text.charCodeAt(13) === 0x3a &&
    below(two(text, 14), 60) &&
    text.charCodeAt(16) === 0x3a &&
    below(two(text, 17), 60) &&
    (at === 19 ||
      (text.charCodeAt(19) === 0x2e && two(text, 20) >= 0 && two(text, 22) >= 0 && two(text, 24) >= 0))
  );
}

function below(value: number, limit: number): boolean {
  return value >= 0 && value < limit;
}

/** The number of two digits, or -1. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** What Go's layout wants, part by part, to say where a text leaves it. */
const PARTS: readonly [layout: string, digits: number][] = [
  ["2006", 4],
  ["-", 0],
  ["01", 2],
  ["-", 0],
  ["02", 2],
  ["T", 0],
  ["15", 2],
  [":", 0],
  ["04", 2],
  [":", 0],
  ["05", 2],
];

function parseTime(text: string, layout: string): { seconds: number; nanos: number } {
  const fail = (rest: string, part: string): never => {
    throw new DecodeError(
      `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part)}`,
    );
  };
  const numbers: number[] = [];
  let at = 0;
  for (const [part, digits] of PARTS) {
    if (digits === 0) {
      if (text[at] !== part) fail(text.slice(at), part);
      at++;
      continue;
    }
    const slice = text.slice(at, at + digits);
    if (slice.length < digits || !allDigits(slice)) fail(text.slice(at), part);
    numbers.push(Number(slice));
    at += digits;
  }
  const fraction = fractionAt(text, at);
  if (layout === MICRO_LAYOUT && fraction.length !== 6) fail(text.slice(at), ".000000");
  if (fraction !== "") at += fraction.length + 1;
  const offset = offsetAt(text, at);
  if (offset === undefined) return fail(text.slice(at), "Z07:00");
  at += text[at] === "Z" ? 1 : 6;
  if (at < text.length) {
    throw new DecodeError(
      `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(text.slice(at))}`,
    );
  }
  const nanos = Number(fraction.slice(0, 9).padEnd(9, "0"));
  return { seconds: secondsFrom(numbers, text) - offset, nanos };
}

function secondsFrom(numbers: readonly number[], text: string): number {
  const [year, month, day, hour, minute, second] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const outOfRange = (what: string): never => {
    throw new DecodeError(`parsing time ${JSON.stringify(text)}: ${what} out of range`);
  };
  if (month < 1 || month > 12) outOfRange("month");
  if (hour > 23) outOfRange("hour");
  if (minute > 59) outOfRange("minute");
  if (second > 59) outOfRange("second");
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (day < 1 || date.getUTCDate() !== day) outOfRange("day");
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

/** The digits behind a point at `at`, or "". */
function fractionAt(text: string, at: number): string {
  if (text[at] !== "." && text[at] !== ",") return "";
  let end = at + 1;
  while (end < text.length && allDigits(text[end]!)) end++;
  return text.slice(at + 1, end);
}

/** Seconds east of UTC of `Z` or `+02:00` at `at`. */
function offsetAt(text: string, at: number): number | undefined {
  if (text[at] === "Z") return 0;
  const sign = text[at] === "+" ? 1 : text[at] === "-" ? -1 : 0;
  const hours = two(text, at + 1);
  const minutes = two(text, at + 4);
  if (sign === 0 || !below(hours, 25) || !below(minutes, 61) || text[at + 3] !== ":") return undefined;
  return sign * (hours * 3600 + minutes * 60);
}

function allDigits(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
