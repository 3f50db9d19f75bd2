/**
 * Which thresholds are met, for how long, and what the node tells of it:
 *
 *   met ──▶ the node has the condition at once
 *    └────▶ for its grace period ──▶ something must be done (a hard threshold: at once)
 *   no longer met, and by the minimum more ──▶ over; the node has the condition for the transition period still
 */
import type { Pressure } from "../node/node-conditions.ts";
import { type Signal, type Threshold, unitsOf } from "./thresholds.ts";

/** Whole units: bytes, inodes, processes. */
export interface Observation {
  available: number;
  capacity: number;
}
export type Observations = ReadonlyMap<Signal, Observation>;

export interface PressureState {
  /** Those that are met, and since when. */
  met: ReadonlyMap<Threshold, number>;
  /** When each condition was last justified. */
  seen: ReadonlyMap<keyof Pressure, number>;
}

export const NO_PRESSURE: PressureState = { met: new Map(), seen: new Map() };

const CONDITIONS: Readonly<Record<Signal, keyof Pressure>> = {
  "memory.available": "memory",
  "allocatableMemory.available": "memory",
  "nodefs.available": "disk",
  "nodefs.inodesFree": "disk",
  "imagefs.available": "disk",
  "imagefs.inodesFree": "disk",
  "containerfs.available": "disk",
  "containerfs.inodesFree": "disk",
  "pid.available": "pid",
};

export interface PressureStep {
  state: PressureState;
  pressure: Pressure;
  /** Those that something must be done about now: memory first, for there nothing else helps. */
  due: Threshold[];
}

/** `transition`: milliseconds that a condition stays after its reason went. */
export function nextPressure(
  before: PressureState,
  thresholds: readonly Threshold[],
  observations: Observations,
  now: number,
  transition: number,
): PressureStep {
  const met = new Map<Threshold, number>();
  for (const threshold of thresholds) {
    const since = before.met.get(threshold);
    if (isMet(threshold, observations, since !== undefined)) met.set(threshold, since ?? now);
  }
  const seen = new Map(before.seen);
  for (const { signal } of met.keys()) seen.set(CONDITIONS[signal], now);
  for (const [condition, at] of seen) if (now - at >= transition) seen.delete(condition);
  const due = [...met].filter(([{ grace }, since]) => now - since >= grace).map(([threshold]) => threshold);
  due.sort((a, b) => Number(CONDITIONS[b.signal] === "memory") - Number(CONDITIONS[a.signal] === "memory"));
  return {
    state: { met, seen },
    pressure: { memory: seen.has("memory"), disk: seen.has("disk"), pid: seen.has("pid") },
    due,
  };
}

/** `wasMet`: then it is over only when the minimum more is left. */
export function isMet(threshold: Threshold, observations: Observations, wasMet: boolean): boolean {
  const observed = observations.get(threshold.signal);
  // What cannot be seen is no reason.
  if (!observed) return false;
  let needed = unitsOf(threshold.value, observed.capacity);
  if (wasMet && threshold.minReclaim) needed += unitsOf(threshold.minReclaim, observed.capacity);
  return observed.available < needed;
}
