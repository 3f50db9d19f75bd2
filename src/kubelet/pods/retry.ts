import type { Clock } from "../../base/clock.ts";

const FIRST = 1000;
const LONGEST = 10_000;

/**
 * When what failed is tried again: a second later, then twice as long each time, up to ten seconds. That the time has come is
 * seen by `look` alone: what was decided to wait is then still waited for when the next timer is set, however long deciding
 * took and wherever within its millisecond the timer fired.
 */
export class Retry {
  readonly #clock: Clock;
  #failures = 0;
  #due: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It failed. */
  later(): void {
    this.#due = this.#clock.elapsed() + Math.min(LONGEST, FIRST * 2 ** this.#failures++);
  }

  /** It may do well now. */
  now(): void {
    this.#due = undefined;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** To be called before it is decided what to do. */
  look(): void {
    if (this.#due !== undefined && this.#clock.elapsed() >= this.#due) this.#due = undefined;
  }

  get waits(): boolean {
    return this.#due !== undefined;
  }

  /** Milliseconds until it is due; undefined where nothing waits. */
  get left(): number | undefined {
    return this.#due === undefined ? undefined : Math.max(0, this.#due - this.#clock.elapsed());
  }
}
