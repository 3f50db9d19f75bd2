import type { Clock } from "../../base/clock.ts";

/** The longest name of an object that an event's name holds whole: 253 less a dot and 16 digits. */
const LONGEST = 236;
/** Of each clock, so that what runs on one of its own names the same events every time. */
const last = new WeakMap<Clock, bigint>();

/** `<object>.<hexadecimal time>`, as upstream names events; never the same twice for a clock. */
export function eventName(object: string, at: number, clock: Clock): string {
  const now = BigInt(Math.floor(at)) * 1_000_000n;
  const before = last.get(clock) ?? 0n;
  const time = now > before ? now : before + 1n;
  last.set(clock, time);
  return `${object.slice(0, LONGEST)}.${time.toString(16)}`;
}

/** RFC 3339 to the second, as metav1.Time is written. */
export function secondsOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 to the microsecond, as metav1.MicroTime is written. */
export function microsecondsOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 23)}000Z`;
}
