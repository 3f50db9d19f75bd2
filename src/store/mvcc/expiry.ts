import type { Clock } from "../../base/clock.ts";
import type { Revision } from "../store.ts";

interface Due {
  at: number;
  key: string;
  modified: Revision;
}

/** Calls `expire` for each key at its time, with one timer for the earliest. */
export class Expiry {
  readonly #clock: Clock;
  readonly #expire: (key: string, modified: Revision) => void;
  /** A binary heap, earliest first. */
  readonly #heap: Due[] = [];
  #armed: { at: number; cancel: () => void } | undefined;

  constructor(clock: Clock, expire: (key: string, modified: Revision) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  add(at: number, key: string, modified: Revision): void {
    const heap = this.#heap;
    const due = { at, key, modified };
    let place = heap.length;
    heap.push(due);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (heap[parent]!.at <= at) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = due;
    this.#arm();
  }

  close(): void {
    this.#armed?.cancel();
    this.#armed = undefined;
    this.#heap.length = 0;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (!first || (this.#armed && this.#armed.at <= first.at)) return;
    this.#armed?.cancel();
    const cancel = this.#clock.setTimer(first.at - this.#clock.now(), () => this.#fire());
    this.#armed = { at: first.at, cancel };
  }

  #fire(): void {
    this.#armed = undefined;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
      this.#dropFirst();
      this.#expire(first.key, first.modified);
    }
    this.#arm();
  }

  #dropFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= last.at) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
  }
}
