/**
 * Keys to work on. A key that is added again while it waits is worked on once; while it is worked on, once more after.
 *
 *   add ──▶ waiting ──▶ working ──▶ done
 *              ▲           │ ├── added meanwhile: waiting again
 *              └── later ◀─┘ └── failed: later, each time twice as long; `{ after }`: then
 */
import type { Clock } from "../../base/clock.ts";
import { takeTurn } from "../turn.ts";

/** `after`: work on the key again in so many milliseconds, though nothing failed. */
export type WorkResult = undefined | { after: number };

/** Is told of what happens in a queue; for figures. */
export interface WorkQueueObserver {
  /** A key came to wait that did not wait yet. */
  added(key: string): void;
  began(key: string): void;
  ended(key: string): void;
  /** A key will be worked on again because it failed. */
  retried(): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  observer?: WorkQueueObserver;
  /** Keys worked on at the same time. */
  workers?: number;
  work: (key: string) => Promise<WorkResult>;
  /** Told of each failure before the retry; `attempt` counts from 1. */
  failed?: (key: string, error: unknown, attempt: number) => void;
  /** Milliseconds to the first retry and to the slowest. */
  retry?: { first: number; longest: number };
}

/** As upstream's controllers: 5 ms, doubled up to 1000 s. */
const RETRY = { first: 5, longest: 1_000_000 };

/** Of a turn of the event loop, in requests: some look at thousands of objects. */
const COST = 4;

interface Later {
  at: number;
  cancel: () => void;
}

export class WorkQueue {
  private readonly options: WorkQueueOptions;
  private readonly retry: { first: number; longest: number };
  private readonly waiting = new Set<string>();
  private readonly working = new Set<string>();
  private readonly again = new Set<string>();
  private readonly later = new Map<string, Later>();
  private readonly failures = new Map<string, number>();
  private paused = true;
  private closed = false;
  private idle: (() => void)[] = [];

  /** Works on nothing before `start`. */
  constructor(options: WorkQueueOptions) {
    this.options = options;
    this.retry = options.retry ?? RETRY;
  }

  get length(): number {
    return this.waiting.size;
  }

  start(): void {
    this.paused = false;
    this.pump();
  }

  add(key: string): void {
    if (this.closed) return;
    this.cancelLater(key);
    if (this.working.has(key)) this.again.add(key);
    else if (!this.waiting.has(key)) {
      this.waiting.add(key);
      this.options.observer?.added(key);
      this.pump();
    }
  }

  /** The earlier of two times counts. */
  addAfter(key: string, ms: number): void {
    if (this.closed) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const { clock } = this.options;
    const at = clock.elapsed() + ms;
    const known = this.later.get(key);
    if (known && known.at <= at) return;
    known?.cancel();
    this.later.set(key, { at, cancel: clock.setTimer(ms, () => this.add(key)) });
  }

  /** Takes no more keys; resolves when those being worked on are done. */
  close(): Promise<void> {
    this.closed = true;
    for (const { cancel } of this.later.values()) cancel();
    this.later.clear();
    this.waiting.clear();
    this.again.clear();
    if (this.working.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  private cancelLater(key: string): void {
    this.later.get(key)?.cancel();
    this.later.delete(key);
  }

  private pump(): void {
    if (this.paused) return;
    const workers = this.options.workers ?? 1;
    for (const key of this.waiting) {
      if (this.working.size >= workers) return;
      this.waiting.delete(key);
      this.working.add(key);
      this.options.observer?.began(key);
      void this.process(key);
    }
  }

  private async process(key: string): Promise<void> {
    // Whoever adds a key goes on before the work on it begins.
    await takeTurn(COST);
    try {
      const result = await this.options.work(key);
      this.failures.delete(key);
      if (result) this.addAfter(key, result.after);
    } catch (error) {
      const attempt = (this.failures.get(key) ?? 0) + 1;
      this.failures.set(key, attempt);
      this.options.failed?.(key, error, attempt);
      this.options.observer?.retried();
      this.addAfter(key, Math.min(this.retry.first * 2 ** (attempt - 1), this.retry.longest));
    }
    this.working.delete(key);
    this.options.observer?.ended(key);
    if (this.again.delete(key)) this.add(key);
    else this.pump();
    if (this.working.size > 0) return;
    for (const resolve of this.idle.splice(0)) resolve();
  }
}
