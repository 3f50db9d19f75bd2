/**
 * Drives a cluster on a VirtualClock: lets everything happen that happens now, then jumps to the next timer.
 *
 *   settle: no request waits for an answer, and nothing is sent for some turns ──▶ jump to the next timer ──▶ settle …
 *
 * Nothing in such a cluster waits for a socket or a disk, so turns of the event loop are all it needs.
 */
import { setTimeout as moment, setImmediate as nextTurn } from "node:timers/promises";
import type { VirtualClock } from "../base/clock.ts";
import { waitingInBackground } from "../client/background.ts";
import { waitingForTurn } from "../client/turn.ts";
import type { Activity } from "./activity.ts";

export interface RunOptions {
  /** Asked at once, and again whenever something in the cluster was written. */
  until: () => boolean | Promise<boolean>;
  /** Milliseconds of the cluster's time after which the run fails; a day by default. */
  within?: number;
}

export interface VirtualTime {
  /** Lets everything happen that happens at this moment of the cluster. */
  settle(): Promise<void>;
  /** Lets so many milliseconds of the cluster's time pass, in order and as fast as they can. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until a condition holds; resolves with the milliseconds that it took. */
  run(options: RunOptions): Promise<number>;
}

/** Turns without activity after which nothing more happens: a chain of promises and callbacks runs within one. */
const QUIET_TURNS = 3;
/** Beyond this many turns a request that waits for its answer may wait for a module to load, which takes real time. */
const PATIENT_TURNS = 100;
/** Real milliseconds that such a request gets; it then waits for the clock. */
const PATIENCE = 200;
const DAY = 24 * 3_600_000;

export interface VirtualTimeOptions {
  clock: VirtualClock;
  activity: Activity;
  /** The store's revision. */
  revision: () => number;
  /** Of all randomness, told with each failure. */
  seed: number;
}

export function virtualTime({ clock, activity, revision, seed }: VirtualTimeOptions): VirtualTime {
  const settle = async (): Promise<void> => {
    let seen = -1;
    let patience = PATIENCE;
    for (let quiet = 0; quiet < QUIET_TURNS || activity.inFlight > 0; quiet++) {
      if (quiet > PATIENT_TURNS) {
        if (patience-- === 0) return;
        await moment(1);
      } else await nextTurn();
      const now = activity.seen + revision();
      if (now !== seen || waitingForTurn() > 0 || waitingInBackground() > 0) quiet = -1;
      seen = now;
    }
  };
  /** One step of time, not beyond `end`; false where that is reached. */
  const step = async (end: number): Promise<boolean> => {
    const next = Math.min(clock.next ?? end, end);
    clock.advance(next - clock.now());
    await settle();
    return clock.now() < end || (clock.next ?? end + 1) <= end;
  };
  return {
    settle,
    async pass(ms) {
      const end = clock.now() + ms;
      await settle();
      while (await step(end));
    },
    async run({ until, within = DAY }) {
      const began = clock.now();
      await settle();
      let asked = revision();
      if (await until()) return 0;
      while (await step(began + within)) {
        if (revision() === asked) continue;
        asked = revision();
        if (await until()) return clock.now() - began;
      }
      if (await until()) return clock.now() - began;
      throw new Error(`the condition did not come to hold within ${within / 1000} s (seed ${seed})`);
    },
  };
}
