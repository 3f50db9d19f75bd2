import { Heap, type HeapItem } from "./heap.ts";

/**
 * Time as a port. Components take a Clock and never read the system's time themselves, so that a test can run hours in
 * a moment and always in the same order.
 */
export interface Clock {
  /** Milliseconds since 1970 in UTC. It jumps, either way, when somebody sets the machine's clock. */
  now(): number;
  /** Milliseconds since some moment, which never jump: for how long something takes, or is to wait. */
  elapsed(): number;
  /** Calls `fire` once, `ms` from now at the earliest; the returned function cancels it (any number of times). */
  setTimer(ms: number, fire: () => void): () => void;
}

/** Milliseconds since 1970 as they were told when this was called, and what has elapsed since: without jumps. */
export function steadyTime(clock: Clock): () => number {
  const since = clock.now() - clock.elapsed();
  return () => since + clock.elapsed();
}

/** Timers beyond this many milliseconds would fire at once in JavaScript. */
const LONGEST_TIMER = 0x7fffffff;

/** The system's time. Its timers do not keep the process alive: what is worth waiting for is held by a socket or file. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  setTimer(ms, fire) {
    const due = performance.now() + ms;
    let timer: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      const left = due - performance.now();
      // JavaScript drops what is less than a millisecond, and may be one too early.
      const again = (): void => (performance.now() < due ? arm() : fire());
      timer = setTimeout(again, Math.min(Math.max(Math.ceil(left), 0), LONGEST_TIMER));
      // Absent in browsers, where timers hold nothing alive.
      (timer as { unref?: () => void }).unref?.();
    };
    arm();
    return () => clearTimeout(timer);
  },
};

interface VirtualTimer extends HeapItem {
  at: number;
  /** Of those due together, the one that was set first fires first. */
  order: number;
  fire: () => void;
}

/**
 * Of a millisecond. Virtual time moves in whole grains, of which doubles hold every sum with the milliseconds since 1970:
 * the time until the next timer, reckoned from what `now` and `next` tell, is then the time until the next timer.
 */
const GRAINS = 1024;
const wholeGrains = (ms: number): number => Math.ceil(ms * GRAINS) / GRAINS;

/** Time that stands still until a test moves it. */
export class VirtualClock implements Clock {
  #elapsed = 0;
  #since: number;
  #order = 0;
  readonly #timers = new Heap<VirtualTimer>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));

  constructor(start = 1_700_000_000_000) {
    this.#since = start;
  }

  now(): number {
    return this.#since + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  /** As if somebody set the machine's clock: `ms` later, or earlier where they are negative. No timer falls due by it. */
  jump(ms: number): void {
    this.#since += ms;
  }

  setTimer(ms: number, fire: () => void): () => void {
    const at = wholeGrains(this.#elapsed + Math.max(ms, 0));
    const timer = { place: -1, at, order: this.#order++, fire };
    this.#timers.push(timer);
    return () => {
      if (timer.place >= 0) this.#timers.remove(timer);
    };
  }

  /** How many timers are waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  /** When the next timer falls due; undefined where none is waiting. */
  get next(): number | undefined {
    const at = this.#timers.peek()?.at;
    return at === undefined ? undefined : this.#since + at;
  }

  /** Moves on by `ms` and fires what falls due on the way, each at its own time. */
  advance(ms: number): void {
    const until = wholeGrains(this.#elapsed + ms);
    for (let next = this.#timers.peek(); next && next.at <= until; next = this.#timers.peek()) {
      this.#timers.remove(next);
      this.#elapsed = next.at;
      next.fire();
    }
    this.#elapsed = until;
  }
}
