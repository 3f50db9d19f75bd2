/**
 * Shares out the machine among pods that start: each of the runtime's steps keeps a core busy, and all at once they only
 * get in each other's way. Those that are further on go first, so that the first pods of a crowd run soon.
 *
 * A step that takes long waits for something else than the machine, and lets another begin.
 */
import type { Clock } from "../../base/clock.ts";

/** In the order of a pod's life. */
const STEPS = ["sandbox", "create", "start"] as const;
export type StartStep = (typeof STEPS)[number];

/** Milliseconds after which a step is not counted any more. */
const LONG = 2000;

export class StartTurns {
  readonly #clock: Clock;
  readonly #lines = new Map<StartStep, (() => void)[]>(STEPS.map((step) => [step, []]));
  #free: number;

  constructor(clock: Clock, atOnce: number) {
    this.#clock = clock;
    this.#free = atOnce;
  }

  async run<T>(step: StartStep, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#lines.get(step)!.push(resolve));
    let counted = true;
    const leave = (): void => {
      if (counted) this.#next();
      counted = false;
    };
    const cancel = this.#clock.setTimer(LONG, leave);
    try {
      return await work();
    } finally {
      cancel();
      leave();
    }
  }

  #next(): void {
    for (const step of STEPS.toReversed()) {
      const go = this.#lines.get(step)!.shift();
      if (go) {
        go();
        return;
      }
    }
    this.#free++;
  }
}
