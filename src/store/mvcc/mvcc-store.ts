import { type Clock, systemClock } from "../../base/clock.ts";
import {
  Compacted,
  type Entry,
  FutureRevision,
  type Observer,
  type Outcome,
  type Page,
  type Revision,
  type Span,
  type Store,
  type StoreStatus,
  StoreUnavailable,
  ValueTooLarge,
  type Watch,
  type Write,
} from "../store.ts";
import { Expiry } from "./expiry.ts";
import { History } from "./history.ts";
import type { Journal, Journaled } from "./journal.ts";
import { type Slot, type Version, versionAt } from "./key-index.ts";
import { type StagedStep, stage, type Waiting } from "./stage.ts";
import { type Step, Watcher, WatchHub } from "./watch-hub.ts";

/** As much as etcd takes in one request. */
export const MAX_VALUE = 1_572_864;
/** What one batch may hold: enough to spread the cost of a flush, little enough for a short turn. */
const BATCH_WRITES = 512;
const BATCH_BYTES = 8 << 20;
/** What a long read or compaction does in one turn. */
const TURN_ENTRIES = 500;
const TURN_BYTES = 4 << 20;
/** How long an expiry waits that could not be written. */
const EXPIRY_RETRY = 1000;

export interface MvccOptions {
  clock?: Clock;
  /** The longest value taken, in bytes. */
  maxValue?: number;
  /** Told of each batch of writes that could not be made durable: the disk may be full. */
  refused?(): void;
}

/**
 * A Store over a journal: the keys and the revisions of their versions are in memory, the values where the journal has
 * them. Writes queue; a batch is checked and numbered when the one before it is durable, and becomes visible, first to
 * the watchers, when it is durable itself. So nobody ever sees what a crash could take back.
 */
export class MvccStore implements Store {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #maxValue: number;
  readonly #refused: () => void;
  readonly #history: History;
  readonly #hub = new WatchHub();
  readonly #expiry: Expiry;
  /** Revisions that reads and watches under way still need. */
  readonly #pins = new Set<{ at: Revision }>();
  #queue: Waiting[] = [];
  /** Revisions to take out of the journal, and who waits for it. */
  #forget: Revision[] = [];
  /** Those that could not be taken out the last time. */
  #stranded: Revision[] = [];
  #forgotten: { resolve(): void; reject(error: unknown): void } | undefined;
  #draining: Promise<void> | undefined;
  #compaction: Promise<void> = Promise.resolve();
  /** Versions whose value is kept in memory for a while, oldest first. */
  #kept: Version[] = [];
  #keptFrom = 0;
  #keptBytes = 0;
  #closed: Promise<void> | undefined;

  constructor(journal: Journal, state: Journaled, options: MvccOptions = {}) {
    this.#journal = journal;
    this.#clock = options.clock ?? systemClock;
    this.#maxValue = options.maxValue ?? MAX_VALUE;
    this.#refused = () => options.refused?.();
    this.#history = History.load(state);
    this.#expiry = new Expiry(this.#clock, (key, modified) => this.#expire(key, modified));
    for (const [key, version] of this.#history.expiring()) {
      this.#expiry.add(version.expires, key, version.modified);
    }
    this.#forget = this.#history.leftovers();
    if (this.#forget.length > 0) this.#drain();
  }

  get latest(): Revision {
    return this.#history.revision;
  }

  async current(): Promise<Revision> {
    return this.#history.revision;
  }

  async get(key: string): Promise<Entry | undefined> {
    const version = this.#history.index.get(key)?.versions.at(-1);
    return version && !version.deleted ? this.#entry(key, version) : undefined;
  }

  async range(span: Span, { limit = 0, at }: { limit?: number; at?: Revision } = {}): Promise<Page> {
    const history = this.#history;
    const wanted = at || history.revision;
    if (wanted > history.revision) throw new FutureRevision(history.revision);
    if (wanted < history.compacted) throw new Compacted(history.compacted);
    const page: Page = { at: wanted, entries: [], more: false };
    const pin = { at: wanted };
    this.#pins.add(pin);
    try {
      let from: string | undefined = span.from;
      while (from !== undefined) {
        from = this.#readOn(page, { from, to: span.to }, limit);
        if (from !== undefined) await nextTurn();
      }
    } finally {
      this.#pins.delete(pin);
    }
    return page;
  }

  /** Adds what fits into a turn; returns the key to go on from, if any. */
  #readOn(page: Page, span: Span, limit: number): string | undefined {
    let visited = 0;
    let bytes = 0;
    let next: string | undefined;
    this.#history.index.scan(span, (slot) => {
      if (visited++ >= TURN_ENTRIES || bytes >= TURN_BYTES) {
        next = slot.key;
        return false;
      }
      const version = versionAt(slot, page.at);
      if (!version || version.deleted) return true;
      if (limit > 0 && page.entries.length >= limit) {
        page.more = true;
        return false;
      }
      const entry = this.#entry(slot.key, version);
      bytes += entry.value.length;
      page.entries.push(entry);
      return true;
    });
    return next;
  }

  async write(write: Write): Promise<Outcome> {
    if (this.#closed) throw closedError();
    if (!write.key.isWellFormed()) throw new TypeError("a key must be well-formed Unicode");
    if (write.value && write.value.length > this.#maxValue) {
      throw new ValueTooLarge(
        `a value of ${write.value.length} bytes is too large: the store takes up to ${this.#maxValue}`,
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ write, resolve, reject });
      this.#drain();
    });
  }

  #drain(): void {
    // In a microtask, so that what is written in one go shares a batch.
    this.#draining ??= Promise.resolve().then(() => this.#drainQueue());
  }

  async #drainQueue(): Promise<void> {
    while (this.#queue.length > 0 || this.#forget.length > 0 || this.#forgotten) {
      const forget = this.#forget;
      const forgotten = this.#forgotten;
      this.#forget = [];
      this.#forgotten = undefined;
      const batch = stage(this.#takeBatch(), this.#history, this.#clock.now(), (key, version) =>
        this.#entry(key, version),
      );
      if (batch.steps.length > 0 || forget.length > 0 || forgotten) {
        try {
          await this.#journal.commit({
            records: batch.steps,
            forget,
            revision: this.#history.revision + batch.steps.length,
            compacted: this.#history.compacted,
          });
        } catch (error) {
          const refusal = unavailable(error);
          this.#stranded.push(...forget);
          for (const { waiting } of batch.answers) waiting.reject(refusal);
          forgotten?.reject(refusal);
          if (batch.steps.length > 0) this.#refused();
          continue;
        }
        this.#publish(batch.steps);
      }
      for (const { waiting, answer } of batch.answers) settle(waiting, answer);
      forgotten?.resolve();
    }
    this.#draining = undefined;
  }

  #takeBatch(): Waiting[] {
    const queue = this.#queue;
    let count = 0;
    for (let bytes = 0; count < queue.length && count < BATCH_WRITES && bytes < BATCH_BYTES; count++) {
      bytes += queue[count]!.write.value?.length ?? 0;
    }
    if (count === queue.length) this.#queue = [];
    else this.#queue = queue.slice(count);
    return count === queue.length ? queue : queue.slice(0, count);
  }

  #publish(steps: readonly StagedStep[]): void {
    if (steps.length === 0) return;
    const told: Step[] = [];
    for (const step of steps) {
      const { slot, was } = this.#history.add(step);
      const { version } = step;
      this.#keep(version);
      if (version.expires > 0) this.#expiry.add(version.expires, step.key, version.modified);
      told.push(this.#step(slot, version, was));
    }
    this.#hub.tell(told, this.#history.revision);
  }

  #step(slot: Slot, version: Version, was: Version | undefined): Step {
    // Read where it is asked for: many watchers never look at it, and it may lie on disk.
    let old: Entry | undefined;
    const before = (): Entry | undefined => {
      if (!old && was && !was.deleted) old = this.#entry(slot.key, was);
      return old;
    };
    return {
      order: slot.order,
      at: version.modified,
      change: () => ({
        key: slot.key,
        now: version.deleted ? undefined : this.#entry(slot.key, version),
        get was() {
          return before();
        },
        at: version.modified,
      }),
    };
  }

  /** Values fresh from a write are asked for again soon: by watchers, as `was`, after a lost race. */
  #keep(version: Version): void {
    const budget = this.#journal.keepValues;
    if (budget === Number.POSITIVE_INFINITY || !version.value) return;
    this.#kept.push(version);
    this.#keptBytes += version.value.length;
    while (this.#keptBytes > budget) {
      const oldest = this.#kept[this.#keptFrom++]!;
      this.#keptBytes -= oldest.value!.length;
      oldest.value = undefined;
    }
    if (this.#keptFrom > 10_000) {
      this.#kept = this.#kept.slice(this.#keptFrom);
      this.#keptFrom = 0;
    }
  }

  #entry(key: string, version: Version): Entry {
    const value = version.value ?? this.#journal.read(version.modified);
    return { key, value, created: version.created, modified: version.modified };
  }

  async watch(span: Span, after: Revision, observer: Observer): Promise<Watch> {
    if (this.#closed) throw closedError();
    if (after < this.#history.compacted) throw new Compacted(this.#history.compacted);
    const watcher = new Watcher(span, after, observer);
    const pin = { at: after };
    this.#pins.add(pin);
    try {
      while (watcher.open && watcher.told < this.#history.revision) {
        this.#catchUp(watcher);
        pin.at = watcher.told;
        if (watcher.told < this.#history.revision) await nextTurn();
        if (this.#closed) throw closedError();
      }
    } finally {
      this.#pins.delete(pin);
    }
    if (watcher.open) this.#hub.add(watcher);
    return { close: () => this.#hub.remove(watcher) };
  }

  /** Tells one turn's worth of the past. */
  #catchUp(watcher: Watcher): void {
    const until = Math.min(this.#history.revision, watcher.told + TURN_ENTRIES);
    const changes = [];
    let at = watcher.told;
    for (let bytes = 0; at < until && bytes < TURN_BYTES; ) {
      at++;
      const { slot, version, was } = this.#history.at(at);
      const step = this.#step(slot, version, was);
      if (!watcher.wants(step)) continue;
      const change = step.change();
      bytes += change.now?.value.length ?? 0;
      changes.push(change);
    }
    watcher.tell(changes, at);
  }

  async compact(upTo: Revision): Promise<void> {
    if (this.#closed) throw closedError();
    if (upTo > this.#history.revision) throw new FutureRevision(this.#history.revision);
    const turn = this.#compaction.then(() => this.#compact(upTo));
    this.#compaction = turn.catch(() => {});
    await turn;
  }

  async #compact(upTo: Revision): Promise<void> {
    // Where the last compaction came to, which may be less than it was asked for when it failed.
    const from = this.#history.base;
    if (upTo <= from) return;
    // From here on nobody new may ask for what goes away; those under way are waited for.
    this.#history.compacted = Math.max(upTo, this.#history.compacted);
    while (this.#pinnedBelow(upTo)) await nextTurn();
    for (let done = from; done < upTo; ) {
      const until = Math.min(upTo, done + TURN_ENTRIES);
      const forget = this.#history.prune(done, until, upTo);
      done = until;
      // The last step is written even when there is nothing to forget: it carries the compacted revision.
      if (forget.length > 0 || done === upTo) await this.#forgetAll(forget);
      else await nextTurn();
    }
    this.#history.dropBefore(upTo);
    // A journal may give freed room out again only two commits later (LMDB does), and on a full disk no other commit may
    // be small enough to succeed.
    await this.#forgetAll([]);
  }

  #pinnedBelow(upTo: Revision): boolean {
    for (const pin of this.#pins) if (pin.at < upTo) return true;
    return false;
  }

  async #forgetAll(revisions: Revision[]): Promise<void> {
    if (this.#closed) throw closedError();
    const done = Promise.withResolvers<void>();
    this.#forget = this.#forget.concat(this.#stranded, revisions);
    this.#stranded = [];
    this.#forgotten = done;
    this.#drain();
    await done.promise;
  }

  async snapshot(path: string): Promise<void> {
    if (this.#closed) throw closedError();
    const { revision, compacted } = this.#history;
    await this.#journal.snapshot(path, { revision, compacted, records: () => this.#history.records() });
  }

  async status(): Promise<StoreStatus> {
    const { revision, compacted } = this.#history;
    return { backend: this.#journal.name, revision, compacted, size: this.#journal.size() };
  }

  #expire(key: string, modified: Revision): void {
    if (this.#closed) return;
    this.write({ key, expect: modified }).catch(() => {
      if (!this.#closed) this.#expiry.add(this.#clock.now() + EXPIRY_RETRY, key, modified);
    });
  }

  /** Writes that were accepted are finished first. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= Promise.resolve().then(async () => {
      this.#expiry.close();
      await this.#draining;
      this.#hub.failAll(closedError());
      await this.#journal.close();
    });
    return this.#closed;
  }
}

function settle(waiting: Waiting, answer: () => Outcome): void {
  try {
    waiting.resolve(answer());
  } catch (error) {
    // Telling a loser what stands there instead needs a read, which can find damage.
    waiting.reject(error instanceof Error ? error : new Error(String(error)));
  }
}

function closedError(): StoreUnavailable {
  return new StoreUnavailable("the store is closed");
}

function unavailable(error: unknown): Error {
  if (error instanceof StoreUnavailable) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new StoreUnavailable(`the store cannot write: ${why}`, { cause: error });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
