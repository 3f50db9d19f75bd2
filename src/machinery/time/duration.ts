/** Durations as Go writes them (`1h30m0s`), and as kubectl shows ages (`3d4h`). */

/** The text is no duration; the message is that of Go's time.ParseDuration. */
export class DurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DurationError";
  }
}

/** Nanoseconds in a unit. */
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1000n],
  ["µs", 1000n],
  ["μs", 1000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
const MOST = 1n << 63n;

function isDigitAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** In nanoseconds. Throws DurationError. */
export function parseDuration(text: string): bigint {
  const bad = (why: string) => new DurationError(`time: ${why}duration ${JSON.stringify(text)}`);
  const negative = text.startsWith("-");
  let at = negative || text.startsWith("+") ? 1 : 0;
  if (text.slice(at) === "0") return 0n;
  if (at === text.length || text.length > 200) throw bad("invalid ");
  let total = 0n;
  while (at < text.length) {
    const from = at;
    while (isDigitAt(text, at)) at++;
    const whole = text.slice(from, at);
    let fraction = "";
    if (text[at] === ".") {
      const start = ++at;
      while (isDigitAt(text, at)) at++;
      fraction = text.slice(start, at);
    }
    if (whole === "" && fraction === "") throw bad("invalid ");
    const unitAt = at;
    while (at < text.length && text[at] !== "." && !isDigitAt(text, at)) at++;
    if (at === unitAt) throw bad("missing unit in ");
    const unit = UNITS.get(text.slice(unitAt, at));
    if (unit === undefined) throw bad(`unknown unit ${JSON.stringify(text.slice(unitAt, at))} in `);
    total += BigInt(whole || "0") * unit;
    if (fraction !== "") total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
    if (total > MOST) throw bad("invalid ");
  }
  if (!negative && total === MOST) throw bad("invalid ");
  return negative ? -total : total;
}

/** A count with as many decimals as it needs: 1500 of 1000 is `1.5`. */
function decimal(value: bigint, unit: bigint): string {
  const rest = value % unit;
  if (rest === 0n) return String(value / unit);
  const digits = String(rest).padStart(String(unit).length - 1, "0");
  let end = digits.length;
  while (digits[end - 1] === "0") end--;
  return `${value / unit}.${digits.slice(0, end)}`;
}

/** As Go's Duration.String. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const value = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (value < 1000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${decimal(value, 1000n)}µs`;
  if (value < 1_000_000_000n) return `${sign}${decimal(value, 1_000_000n)}ms`;
  const seconds = decimal(value % 60_000_000_000n, 1_000_000_000n);
  const minutes = value / 60_000_000_000n;
  if (minutes === 0n) return `${sign}${seconds}s`;
  const hours = minutes / 60n;
  return hours === 0n ? `${sign}${minutes}m${seconds}s` : `${sign}${hours}h${minutes % 60n}m${seconds}s`;
}

/** What is stored for a metav1.Duration that a client wrote. Throws DurationError. */
export function canonicalDuration(text: string): string {
  return formatDuration(parseDuration(text));
}

/** Two numbers of which the second is left out when it is none: `5m30s`, `5m`. */
function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** The AGE column: two or three figures that matter. A time up to a second ahead counts as now. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return pair(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  return days < 2920 ? pair(years, "y", days % 365, "d") : `${years}y`;
}

/** How long ago a time of an object was, as its column shows it; `<unknown>` where there is none. */
export function ageSince(timestamp: string | null | undefined, now: Date): string {
  if (!timestamp) return "<unknown>";
  const then = Date.parse(timestamp);
  return Number.isNaN(then) ? "<unknown>" : humanDuration(now.getTime() - then);
}
