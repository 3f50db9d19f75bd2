import type { Change, Observer, Revision, Span } from "../store.ts";
import { orderOf } from "./key-index.ts";

/** A change before anyone has asked for it: reading `was` may cost a look into the journal. */
export interface Step {
  readonly order: string;
  readonly at: Revision;
  change(): Change;
}

/** One observer of a span. Closed once and for all. */
export class Watcher {
  readonly from: string;
  readonly to: string;
  readonly observer: Observer;
  /** Everything up to here was told, or need not be. */
  told: Revision;
  open = true;

  constructor(span: Span, after: Revision, observer: Observer) {
    this.from = orderOf(span.from);
    this.to = orderOf(span.to);
    this.told = after;
    this.observer = observer;
  }

  wants(step: Step): boolean {
    return step.at > this.told && step.order >= this.from && step.order < this.to;
  }

  /** Tells the changes, which end at `at`. */
  tell(changes: readonly Change[], at: Revision): void {
    // A watch of the future has been promised silence until then.
    if (!this.open || at <= this.told) return;
    this.told = at;
    try {
      if (changes.length > 0) this.observer.changed(changes, at);
      else this.observer.progressed?.(at);
    } catch (error) {
      // A broken observer must not cost others their write or their event.
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  fail(error: Error): void {
    if (!this.open) return;
    this.open = false;
    this.observer.failed(error);
  }
}

/** The watchers that have caught up and hear of each batch as it happens. */
export class WatchHub {
  #watchers: readonly Watcher[] = [];

  add(watcher: Watcher): void {
    this.#watchers = [...this.#watchers, watcher];
  }

  remove(watcher: Watcher): void {
    watcher.open = false;
    this.#watchers = this.#watchers.filter((one) => one !== watcher);
  }

  /** Tells all watchers of all steps, which end at `at`. */
  tell(steps: readonly Step[], at: Revision): void {
    const made = new Array<Change | undefined>(steps.length);
    for (const watcher of this.#watchers) {
      try {
        const changes: Change[] = [];
        for (let i = 0; i < steps.length; i++) {
          const step = steps[i]!;
          if (!watcher.wants(step)) continue;
          made[i] ??= step.change();
          changes.push(made[i]!);
        }
        watcher.tell(changes, at);
      } catch (error) {
        // What was there before could not be read; to leave the change out would be worse than to end the watch.
        watcher.fail(error instanceof Error ? error : new Error(String(error)));
      }
      if (!watcher.open) this.remove(watcher);
    }
  }

  failAll(error: Error): void {
    const all = this.#watchers;
    this.#watchers = [];
    for (const watcher of all) watcher.fail(error);
  }
}
