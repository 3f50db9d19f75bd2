/** What events say of containers, until the runtime says so too when it is asked: that comes a little later. */
import type { PodRuntime } from "./runtime-state.ts";

const FIRST = 10;
const LONGEST = 10_000;

/** Whether the runtime tells it of what has the id. */
export type IsTold = (id: string, runtime: PodRuntime) => boolean;

/** One that is not known yet, or has not begun, may have ended all the same. */
export const hasExited: IsTold = (id, { containers, sandboxes }) =>
  containers.some((record) => record.id === id && record.state === "exited") ||
  sandboxes.some((record) => record.id === id && !record.ready);

export const isOutOfMemory: IsTold = (id, { containers }) =>
  containers.some((record) => record.id === id && record.reason === "OOMKilled");

export class Settling {
  readonly #isTold: IsTold;
  readonly #events = new Map<string, { since: number; delay: number }>();

  constructor(isTold: IsTold) {
    this.#isTold = isTold;
  }

  add(id: string, now: number): void {
    this.#events.set(id, { since: now, delay: FIRST });
  }

  has(id: string): boolean {
    return this.#events.has(id);
  }

  /** The runtime was asked, maybe before the event came. */
  seen(runtime: PodRuntime): void {
    for (const id of this.#events.keys()) if (this.#isTold(id, runtime)) this.#events.delete(id);
  }

  /** Milliseconds after which to ask again; undefined where there is nothing to wait for. */
  next(now: number): number | undefined {
    let next: number | undefined;
    for (const [id, event] of this.#events) {
      if (now - event.since > LONGEST) this.#events.delete(id);
      else {
        next = Math.min(next ?? event.delay, event.delay);
        event.delay *= 2;
      }
    }
    return next;
  }
}
