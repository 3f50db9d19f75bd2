/** What clocks of a time zone show, from the time zone database that the runtime brings. */

/** Milliseconds that clocks are ahead of UTC at a time; where no zone is asked for, it is UTC. Throws RangeError. */
export function zoneOffset(timeZone: string | undefined): (time: number) => number {
  if (timeZone === undefined || timeZone === "UTC" || timeZone === "Etc/UTC") return () => 0;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (time) => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(time)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1000) * 1000;
  };
}

/** As RFC 3339 writes it in the zone: `2026-07-01T02:00:00+02:00`, and `Z` for UTC. */
export function formatIn(time: number, timeZone: string | undefined): string {
  const minutes = Math.round(zoneOffset(timeZone)(time) / 60_000);
  const local = new Date(time + minutes * 60_000).toISOString().slice(0, 19);
  if (minutes === 0) return `${local}Z`;
  const two = (value: number): string => String(value).padStart(2, "0");
  const size = Math.abs(minutes);
  return `${local}${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** As Go's time.RFC1123Z in UTC: `Mon, 02 Jan 2006 15:04:05 +0000`. */
export function formatRFC1123Z(time: number): string {
  const date = new Date(time);
  return `${WEEKDAYS[date.getUTCDay()]}, ${date.toUTCString().slice(5, 25)} +0000`;
}
