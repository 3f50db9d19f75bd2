/**
 * When a cron schedule falls due, as robfig/cron reckons: at every minute whose wall clock shows what the fields say. An
 * hour that is skipped in spring has no such minute, one that comes twice in autumn has two.
 */
import { parseDuration } from "../../machinery/time/duration.ts";
import { zoneOffset } from "./time-zone.ts";

/** Times are milliseconds since 1970. */
export interface Schedule {
  /** The first time after `after`; undefined where there is none within five years (`31 feb`). */
  next(after: number): number | undefined;
}

interface Field {
  has: ReadonlySet<number>;
  /** Whether all values were asked for by `*` or `?`. */
  star: boolean;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const BOUNDS: readonly { low: number; high: number; names?: readonly string[] }[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  { low: 1, high: 12, names: MONTHS },
  { low: 0, high: 6, names: DAYS },
];
const DESCRIPTORS: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEARS = 5;

/** `text` has passed validation; throws an Error where it is no schedule all the same. */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  if (text.startsWith("@every ")) return every(text.slice("@every ".length));
  const fields = (DESCRIPTORS.get(text) ?? text).split(/\s+/).filter((field) => field !== "");
  if (fields.length !== BOUNDS.length) throw new Error(`expected exactly 5 fields, found ${fields.length}`);
  const [minutes, hours, days, months, weekdays] = fields.map(parseField) as [
    Field,
    Field,
    Field,
    Field,
    Field,
  ];
  const dayMatches = (local: Date): boolean => {
    const ofMonth = days.has.has(local.getUTCDate());
    const ofWeek = weekdays.has.has(local.getUTCDay());
    return days.star || weekdays.star ? ofMonth && ofWeek : ofMonth || ofWeek;
  };
  const offset = zoneOffset(timeZone);
  return {
    next(after) {
      let time = Math.floor(after / MINUTE) * MINUTE + MINUTE;
      const lastYear = new Date(after).getUTCFullYear() + YEARS;
      for (;;) {
        const local = new Date(time + offset(time));
        const year = local.getUTCFullYear();
        if (year > lastYear) return undefined;
        if (!months.has.has(local.getUTCMonth() + 1)) {
          time = atLocal(Date.UTC(year, local.getUTCMonth() + 1, 1), time, offset);
        } else if (!dayMatches(local)) {
          time = atLocal(Math.floor(local.getTime() / DAY) * DAY + DAY, time, offset);
        } else if (!hours.has.has(local.getUTCHours())) {
          time += HOUR - (local.getTime() % HOUR);
        } else if (!minutes.has.has(local.getUTCMinutes())) time += MINUTE;
        else return time;
      }
    },
  };
}

/** The first moment after `from` at which clocks show `local` or, where they skip it, the first time after that. */
function atLocal(local: number, from: number, offset: (time: number) => number): number {
  let time = local - offset(from);
  for (let shown = time + offset(time); shown < local; shown = time + offset(time)) time += local - shown;
  const earlier = local - offset(time);
  return earlier > from && earlier < time && earlier + offset(earlier) >= local ? earlier : time;
}

function every(text: string): Schedule {
  const step = Math.max(Math.floor(Number(parseDuration(text)) / 1e9), 1) * 1000;
  return { next: (after) => Math.floor(after / 1000) * 1000 + step };
}

function parseField(text: string, i: number): Field {
  const { low, high, names } = BOUNDS[i]!;
  const has = new Set<number>();
  let star = false;
  const numberOf = (name: string): number => {
    const at = names?.indexOf(name.toLowerCase()) ?? -1;
    return at < 0 ? Number(name) : at + low;
  };
  for (const part of text.split(",")) {
    if (part === "") continue;
    const [range = "", by] = part.split("/");
    const step = by === undefined ? 1 : Number(by);
    const [first = "", last] = range.split("-");
    const all = first === "*" || first === "?";
    const from = all ? low : numberOf(first);
    const single = last === undefined ? (by === undefined && !all ? from : high) : numberOf(last);
    if (!(from >= low && single <= high && from <= single && step >= 1))
      throw new Error(`bad field: ${part}`);
    for (let value = from; value <= single; value += step) has.add(value);
    if (all && step === 1) star = true;
  }
  return { has, star };
}
