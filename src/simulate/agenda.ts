/** What is to be done when, with one timer for all of it. */
import type { Clock } from "../base/clock.ts";
import { Heap, type HeapItem } from "../base/heap.ts";

interface Entry extends HeapItem {
  at: number;
  /** Of those due together, the one that was set first comes first. */
  order: number;
  key: string;
}

export class Agenda {
  private readonly clock: Clock;
  private readonly due: (key: string) => void;
  private readonly heap = new Heap<Entry>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  private readonly entries = new Map<string, Entry>();
  private order = 0;
  private armed: { at: number; cancel: () => void } | undefined;

  constructor(clock: Clock, due: (key: string) => void) {
    this.clock = clock;
    this.due = due;
  }

  /**
   * One time a key, as the clock tells it now; another call moves it, and Infinity takes it out. It comes when so much has
   * elapsed, though somebody set the clock meanwhile.
   */
  set(key: string, time: number): void {
    const at = time - this.clock.now() + this.clock.elapsed();
    const known = this.entries.get(key);
    if (known?.at === at) return;
    if (known) this.heap.remove(known);
    this.entries.delete(key);
    if (at === Number.POSITIVE_INFINITY) return;
    const entry = { place: -1, at, order: this.order++, key };
    this.entries.set(key, entry);
    this.heap.push(entry);
    this.arm();
  }

  delete(key: string): void {
    this.set(key, Number.POSITIVE_INFINITY);
  }

  close(): void {
    for (const key of [...this.entries.keys()]) this.delete(key);
    this.armed?.cancel();
    this.armed = undefined;
  }

  private arm(): void {
    const first = this.heap.peek();
    if (!first || (this.armed && this.armed.at <= first.at)) return;
    this.armed?.cancel();
    const cancel = this.clock.setTimer(first.at - this.clock.elapsed(), () => this.fire());
    this.armed = { at: first.at, cancel };
  }

  private fire(): void {
    this.armed = undefined;
    const now = this.clock.elapsed();
    for (let next = this.heap.peek(); next && next.at <= now; next = this.heap.peek()) {
      this.heap.remove(next);
      this.entries.delete(next.key);
      this.due(next.key);
    }
    this.arm();
  }
}
