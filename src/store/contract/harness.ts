import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import type { Change, Entry, Observer, Outcome, Revision, Span, Store } from "../store.ts";

/** What a backend's test gives the contract. The contract closes every store it gets. */
export interface Opened {
  store: Store;
  /** Opens what the store left, after it was closed. Absent where nothing stays. */
  reopen?(): Promise<Store>;
  /** Opens a snapshot. Absent where that takes another program. */
  openCopy?(path: string): Promise<Store>;
}

export type Open = (options: { clock: VirtualClock; folder: string }) => Promise<Opened>;

export interface ContractOptions {
  /** Whether this process alone orders the writes: then there are no gaps, and the clock is the test's. */
  embedded: boolean;
  /** Why all of it cannot run here. */
  skip?: string | undefined;
}

/** One test's store with short ways to use it, in a key space of its own. */
export interface Bench extends Opened {
  embedded: boolean;
  clock: VirtualClock;
  folder: string;
  key(name: string): string;
  span: Span;
  put(name: string, value: string | Uint8Array, expect?: Revision, ttl?: number): Promise<Outcome>;
  /** A put that must win. */
  set(name: string, value: string, expect?: Revision): Promise<Revision>;
  drop(name: string, expect: Revision): Promise<Revision>;
  names(options?: { at?: Revision; limit?: number }): Promise<string[]>;
  watch(after: Revision): Promise<Recorder>;
}

let spaces = 0;

export function contractTest(
  name: string,
  title: string,
  open: Open,
  options: ContractOptions,
  body: (bench: Bench, t: TestContext) => Promise<void>,
): void {
  test(`${name} ${title}`, { skip: options.skip ?? false }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "kybern-store-"));
    const clock = new VirtualClock();
    const opened = await open({ clock, folder });
    try {
      await body(benchOf(opened, options.embedded, clock, folder), t);
    } finally {
      await opened.store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

function benchOf(opened: Opened, embedded: boolean, clock: VirtualClock, folder: string): Bench {
  const { store } = opened;
  const prefix = `/registry/space${++spaces}/`;
  const span = { from: prefix, to: `/registry/space${spaces}0` };
  const put: Bench["put"] = (name, value, expect = 0, ttl) =>
    store.write({ key: prefix + name, value: bytes(value), expect, ...(ttl ? { ttl } : {}) });
  return {
    ...opened,
    embedded,
    clock,
    folder,
    span,
    key: (name) => prefix + name,
    put,
    set: async (name, value, expect = 0) => won(await put(name, value, expect)),
    drop: async (name, expect) => won(await store.write({ key: prefix + name, expect })),
    names: async (options) =>
      (await store.range(span, options)).entries.map((entry) => entry.key.slice(prefix.length)),
    watch: async (after) => {
      const recorder = new Recorder(prefix.length);
      const watch = await store.watch(span, after, recorder);
      recorder.close = () => watch.close();
      return recorder;
    },
  };
}

export function bytes(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}

export function text(entry: Entry | undefined): string | undefined {
  return entry && new TextDecoder().decode(entry.value);
}

export function won(outcome: Outcome): Revision {
  assert.ok(outcome.won, "the write lost its race");
  return outcome.at;
}

/** Keeps what a watch tells and checks the promises that hold for every watch. */
export class Recorder implements Observer {
  readonly changes: Change[] = [];
  told = 0;
  failure: Error | undefined;
  close: () => void = () => {};
  readonly #prefix: number;
  #waiting: { done(): boolean; resolve(): void }[] = [];

  constructor(prefix: number) {
    this.#prefix = prefix;
  }

  changed(changes: readonly Change[], at: Revision): void {
    assert.ok(changes.length > 0, "told of nothing");
    let last = this.told;
    for (const change of changes) {
      assert.ok(change.at > last, `revision ${change.at} told after ${last}`);
      last = change.at;
    }
    assert.ok(at >= last);
    this.told = at;
    this.changes.push(...changes);
    this.#look();
  }

  progressed(at: Revision): void {
    assert.ok(at >= this.told, `progress went back from ${this.told} to ${at}`);
    this.told = at;
    this.#look();
  }

  failed(error: Error): void {
    this.failure = error;
    this.#look();
  }

  /** Each change as `+name=value`, `~name=old>new` or `-name=old`. */
  get lines(): string[] {
    return this.changes.map(({ key, now, was }) => {
      const name = key.slice(this.#prefix);
      if (now && was) return `~${name}=${text(was)}>${text(now)}`;
      return now ? `+${name}=${text(now)}` : `-${name}=${text(was)}`;
    });
  }

  /** Waits until so many changes were told. Where watches are told before a write resolves there is no wait. */
  async until(count: number): Promise<string[]> {
    await this.when(() => this.changes.length >= count);
    return this.lines;
  }

  when(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  #look(): void {
    this.#waiting = this.#waiting.filter(({ done, resolve }) => {
      if (!done()) return true;
      resolve();
      return false;
    });
  }
}
