/**
 * Time as a port. Components take a Clock and never read the system's time themselves, so that a test can run hours in
 * a moment and always in the same order.
 */
export interface Clock {
  /** Milliseconds since 1970 in UTC. */
  now(): number;
  /** Calls `fire` once, `ms` from now at the earliest; the returned function cancels it (any number of times). */
  setTimer(ms: number, fire: () => void): () => void;
}

/** Timers beyond this many milliseconds would fire at once in JavaScript. */
const LONGEST_TIMER = 0x7fffffff;

/** The system's time. Its timers do not keep the process alive: what is worth waiting for is held by a socket or file. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(ms, fire) {
    let left = ms;
    let timer: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      const step = Math.min(Math.max(left, 0), LONGEST_TIMER);
      left -= step;
      timer = setTimeout(() => (left > 0 ? arm() : fire()), step);
      // Absent in browsers, where timers hold nothing alive.
      (timer as { unref?: () => void }).unref?.();
    };
    arm();
    return () => clearTimeout(timer);
  },
};

interface VirtualTimer {
  at: number;
  /** Of those due together, the one that was set first fires first. */
  order: number;
  /** Absent once it fired or was cancelled. */
  fire: (() => void) | undefined;
}

/** Below this many cancelled timers the heap is not worth cleaning. */
const FEW = 64;

/** Time that stands still until a test moves it. */
export class VirtualClock implements Clock {
  #now: number;
  /** A binary heap, earliest first; cancelled timers stay until they come up or are too many. */
  #heap: VirtualTimer[] = [];
  #order = 0;
  #pending = 0;

  constructor(start = 1_700_000_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): () => void {
    const timer: VirtualTimer = { at: this.#now + Math.max(ms, 0), order: this.#order++, fire };
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    this.#pending++;
    return () => {
      if (timer.fire === undefined) return;
      timer.fire = undefined;
      this.#pending--;
      this.#clean();
    };
  }

  /** How many timers are waiting. */
  get pending(): number {
    return this.#pending;
  }

  /** When the next timer falls due; undefined where none is waiting. */
  get next(): number | undefined {
    const heap = this.#heap;
    while (heap.length > 0 && heap[0]!.fire === undefined) this.#dropFirst();
    return heap[0]?.at;
  }

  /** Moves on by `ms` and fires what falls due on the way, each at its own time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.next; next !== undefined && next <= until; next = this.next) {
      const { fire } = this.#heap[0]!;
      this.#heap[0]!.fire = undefined;
      this.#dropFirst();
      this.#pending--;
      this.#now = next;
      fire!();
    }
    this.#now = until;
  }

  #clean(): void {
    if (this.#heap.length < FEW || this.#heap.length < 2 * this.#pending) return;
    this.#heap = this.#heap.filter(({ fire }) => fire !== undefined);
    for (let place = (this.#heap.length >> 1) - 1; place >= 0; place--) this.#sink(place);
  }

  #dropFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const timer = heap[from]!;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (isBefore(heap[parent]!, timer)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = timer;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const timer = heap[from]!;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(timer, heap[child]!)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = timer;
  }
}

function isBefore(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
