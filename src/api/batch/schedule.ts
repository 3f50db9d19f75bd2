/** Cron schedules: five fields, `@daily` and its like, and `@every 1h`. */
import { DurationError, parseDuration } from "../../machinery/time/duration.ts";

interface Bounds {
  low: number;
  high: number;
  names?: readonly string[];
}

const FIELDS: readonly Bounds[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  {
    low: 1,
    high: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { low: 0, high: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];
const DESCRIPTORS = new Set([
  "@yearly",
  "@annually",
  "@monthly",
  "@weekly",
  "@daily",
  "@midnight",
  "@hourly",
]);

/** Why `schedule` is not one, or undefined. */
export function scheduleError(schedule: string): string | undefined {
  let text = schedule;
  if (text.startsWith("TZ=") || text.startsWith("CRON_TZ=")) {
    const space = text.indexOf(" ");
    const zone = text.slice(text.indexOf("=") + 1, space < 0 ? undefined : space);
    if (!isTimeZone(zone)) return `provided bad location ${zone}: unknown time zone ${zone}`;
    text = space < 0 ? "" : text.slice(space).trim();
  }
  if (text.startsWith("@")) return descriptorError(text);
  const fields = text.split(/\s+/).filter((field) => field !== "");
  if (fields.length !== FIELDS.length) {
    return `expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`;
  }
  for (let i = 0; i < FIELDS.length; i++) {
    const why = fieldError(fields[i] as string, FIELDS[i] as Bounds);
    if (why) return why;
  }
  return undefined;
}

function descriptorError(text: string): string | undefined {
  if (DESCRIPTORS.has(text)) return undefined;
  if (!text.startsWith("@every ")) return `unrecognized descriptor: ${text}`;
  try {
    parseDuration(text.slice("@every ".length));
    return undefined;
  } catch (error) {
    if (error instanceof DurationError) return `failed to parse duration ${text}: ${error.message}`;
    throw error;
  }
}

function fieldError(field: string, bounds: Bounds): string | undefined {
  for (const part of field.split(",")) {
    if (part === "") continue;
    const why = rangeError(part, bounds);
    if (why) return why;
  }
  return undefined;
}

/** `*`, `5`, `1-5`, each with `/step`. */
function rangeError(part: string, bounds: Bounds): string | undefined {
  const [range = "", step, ...more] = part.split("/");
  if (more.length > 0) return `too many slashes: ${part}`;
  const [first = "", last, ...ends] = range.split("-");
  if (ends.length > 0) return `too many hyphens: ${part}`;
  let start = bounds.low;
  let end = bounds.high;
  if (first !== "*" && first !== "?") {
    const from = elementOf(first, bounds);
    if (typeof from === "string") return from;
    const to = last === undefined ? (step === undefined ? from : bounds.high) : elementOf(last, bounds);
    if (typeof to === "string") return to;
    start = from;
    end = to;
  }
  if (step !== undefined) {
    const size = numberOf(step);
    if (typeof size === "string") return size;
    if (size === 0) return `step of range should be a positive number: ${part}`;
  }
  if (start < bounds.low) return `beginning of range (${start}) below minimum (${bounds.low}): ${part}`;
  if (end > bounds.high) return `end of range (${end}) above maximum (${bounds.high}): ${part}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${part}`;
  return undefined;
}

function elementOf(text: string, { names }: Bounds): number | string {
  const at = names?.indexOf(text.toLowerCase()) ?? -1;
  // Months count from 1, days of the week from 0.
  if (at >= 0) return names?.length === 12 ? at + 1 : at;
  return numberOf(text);
}

function numberOf(text: string): number | string {
  if (!/^[+-]?[0-9]+$/.test(text)) {
    const quoted = JSON.stringify(text);
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${quoted}: invalid syntax`;
  }
  const value = Number(text);
  return value < 0 ? `negative number (${value}) not allowed: ${text}` : value;
}

/** Whether the time zone database has the name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return !/^[+-]/.test(name);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
