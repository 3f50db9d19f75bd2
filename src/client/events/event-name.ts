/** The longest name of an object that an event's name holds whole: 253 less a dot and 16 digits. */
const LONGEST = 236;
let last = 0n;

/** `<object>.<hexadecimal time>`, as upstream names events; never the same twice in a process. */
export function eventName(object: string, at: number): string {
  const time = BigInt(Math.floor(at)) * 1_000_000n;
  last = time > last ? time : last + 1n;
  return `${object.slice(0, LONGEST)}.${last.toString(16)}`;
}

/** RFC 3339 to the second, as metav1.Time is written. */
export function secondsOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 to the microsecond, as metav1.MicroTime is written. */
export function microsecondsOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 23)}000Z`;
}
