/**
 * Tells watches that allow bookmarks how far the server has come, about once a minute, so that whoever resumes one does
 * not fall behind what is remembered. One timer serves all of them, and a watch that knows the newest revision waits for
 * the next without any: an idle server does nothing.
 *
 *   add ──▶ due in a minute ──▶ told ──▶ due in a minute …
 *                 │ knows the newest                ▲
 *                 └────▶ resting ── a write ────────┘
 */
import type { Clock } from "../../base/clock.ts";

export interface Bookmarked {
  /** The last revision that the client has heard of. */
  readonly told: number;
  bookmark(revision: number): void;
}

/** What the server has seen of its store. */
export interface Progress {
  readonly revision: number;
  /** Calls `moved` once, when the revision next changes. */
  whenMoved(moved: () => void): void;
}

const INTERVAL = 60_000;
/** Watches that are told in one turn; the others follow a moment later. */
const AT_ONCE = 200;
const MOMENT = 5;

export class Bookmarks {
  private readonly clock: Clock;
  private readonly progress: Progress;
  /** By the time they are due, which is the order in which they came. */
  private readonly due = new Map<Bookmarked, number>();
  private resting = new Set<Bookmarked>();
  private cancel: (() => void) | undefined;

  constructor(clock: Clock, progress: Progress) {
    this.clock = clock;
    this.progress = progress;
  }

  add(watch: Bookmarked): void {
    this.due.set(watch, this.clock.elapsed() + INTERVAL);
    this.arm();
  }

  delete(watch: Bookmarked): void {
    this.resting.delete(watch);
    if (!this.due.delete(watch) || this.due.size > 0) return;
    this.cancel?.();
    this.cancel = undefined;
  }

  private arm(atLeast = 0): void {
    if (this.cancel || this.due.size === 0) return;
    const [first] = this.due.values();
    this.cancel = this.clock.setTimer(Math.max(first! - this.clock.elapsed(), atLeast), () => {
      this.cancel = undefined;
      this.tell();
      this.arm(MOMENT);
    });
  }

  private tell(): void {
    const { revision } = this.progress;
    const now = this.clock.elapsed();
    let told = 0;
    for (const [watch, at] of this.due) {
      if (at > now || told === AT_ONCE) return;
      this.due.delete(watch);
      if (watch.told >= revision) {
        this.rest(watch);
        continue;
      }
      this.due.set(watch, now + INTERVAL);
      watch.bookmark(revision);
      told++;
    }
  }

  private rest(watch: Bookmarked): void {
    this.resting.add(watch);
    if (this.resting.size > 1) return;
    this.progress.whenMoved(() => {
      const { resting } = this;
      this.resting = new Set();
      for (const rested of resting) this.add(rested);
    });
  }
}
