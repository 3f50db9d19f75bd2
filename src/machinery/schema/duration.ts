/** Durations as Go's time package reads and writes them: `1h30m0s`, `1.5s`, `250ms`. */
import { DecodeError } from "./walk.ts";

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

/** Nanoseconds; throws a DecodeError in Go's words. */
export function parseDuration(text: string): bigint {
  const invalid = () => new DecodeError(`time: invalid duration ${JSON.stringify(text)}`);
  const negative = text.startsWith("-");
  let rest = negative || text.startsWith("+") ? text.slice(1) : text;
  if (rest === "0") return 0n;
  if (rest === "") throw invalid();
  let total = 0n;
  while (rest !== "") {
    const number = /^(\d{0,19})(?:\.(\d{0,19}))?/.exec(rest)!;
    if ((number[1] ?? "") === "" && (number[2] ?? "") === "") throw invalid();
    rest = rest.slice(number[0].length);
    const name = /^[^.0-9]{0,8}/.exec(rest)![0];
    if (name === "") throw new DecodeError(`time: missing unit in duration ${JSON.stringify(text)}`);
    const unit = UNITS.get(name);
    if (unit === undefined) {
      throw new DecodeError(`time: unknown unit ${JSON.stringify(name)} in duration ${JSON.stringify(text)}`);
    }
    rest = rest.slice(name.length);
    const fraction = number[2] ?? "";
    total += BigInt(number[1] || "0") * unit;
    if (fraction !== "") total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
    if (total > 2n ** 63n - (negative ? 0n : 1n)) throw invalid();
  }
  return negative ? -total : total;
}

export function durationText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const sign = nanoseconds < 0n ? "-" : "";
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = `${decimal(size % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return digits.slice(0, -places) + (fraction === "" ? "" : `.${fraction}`);
}
