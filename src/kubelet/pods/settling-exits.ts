/** Containers that ended by what events say, until the runtime says so too when it is asked: that comes a little later. */
import type { PodRuntime } from "./runtime-state.ts";

const FIRST = 10;
const LONGEST = 10_000;

export class SettlingExits {
  readonly #exits = new Map<string, { since: number; delay: number }>();

  add(containerID: string, now: number): void {
    this.#exits.set(containerID, { since: now, delay: FIRST });
  }

  /**
   * The runtime was asked, maybe before the event came: one that is not known yet, or has not begun, may have ended all
   * the same.
   */
  seen({ containers, sandboxes }: PodRuntime): void {
    for (const id of this.#exits.keys()) {
      const isTold =
        containers.some((record) => record.id === id && record.state === "exited") ||
        sandboxes.some((record) => record.id === id && !record.ready);
      if (isTold) this.#exits.delete(id);
    }
  }

  /** Milliseconds after which to ask again; undefined where there is nothing to wait for. */
  next(now: number): number | undefined {
    let next: number | undefined;
    for (const [id, exit] of this.#exits) {
      if (now - exit.since > LONGEST) this.#exits.delete(id);
      else {
        next = Math.min(next ?? exit.delay, exit.delay);
        exit.delay *= 2;
      }
    }
    return next;
  }
}
