/** A picture of one resource that keeps itself, and tells what changes in it. */
import type { KubeObject } from "../../api/object.ts";
import type { Clock } from "../../base/clock.ts";
import { deepFreeze } from "../../machinery/json/deep-freeze.ts";
import type { Random } from "../backoff.ts";
import type { SelectOptions } from "../options.ts";
import type { ResourceClient } from "../resource-client.ts";
import type { WatchEvent } from "../watch-events.ts";
import { type IndexFunction, keyOf, type Lister, ObjectStore } from "./object-store.ts";
import { Reflector } from "./reflector.ts";

/** `was` is absent of what is new, `now` of what is gone. Objects are frozen. */
export interface Change<T> {
  key: string;
  now?: T;
  was?: T;
}

/** Called as the change is entered, in order; must be fast. What it throws goes to `failed` and ends nothing. */
export type ChangeHandler<T> = (change: Change<T>) => void;

export interface InformerOptions<T extends KubeObject> {
  client: ResourceClient<T>;
  select?: Pick<SelectOptions, "labelSelector" | "fieldSelector">;
  indexes?: Readonly<Record<string, IndexFunction<T>>>;
  clock: Clock;
  random: Random;
  failed?: (error: unknown) => void;
}

export class Informer<T extends KubeObject> {
  private readonly store: ObjectStore<T>;
  private readonly handlers = new Set<ChangeHandler<T>>();
  private readonly options: InformerOptions<T>;
  private readonly stopping = new AbortController();
  private readonly ready = Promise.withResolvers<void>();
  private running: Promise<void> | undefined;
  /** Whether the first whole picture has come. */
  hasSynced = false;
  /** The last revision that the picture is known to show; 0 before the first. */
  revision = 0;
  private waiters: { is: () => boolean; resolve: () => void }[] = [];

  constructor(options: InformerOptions<T>) {
    this.options = options;
    this.store = new ObjectStore(options.indexes);
  }

  get lister(): Lister<T> {
    return this.store;
  }

  /** Resolves with the first whole picture; never where the informer is stopped before. */
  get synced(): Promise<void> {
    return this.ready.promise;
  }

  addIndex(name: string, of: IndexFunction<T>): void {
    this.store.addIndex(name, of);
  }

  /** Is told of everything there is at once, and from then on of each change. Returns how to leave. */
  subscribe(handler: ChangeHandler<T>): () => void {
    this.handlers.add(handler);
    for (const key of [...this.store.keys()]) this.call(handler, { key, now: this.store.at(key) });
    return () => this.handlers.delete(handler);
  }

  /** Any number of times. */
  start(): void {
    if (this.running || this.stopping.signal.aborted) return;
    const { client, select, clock, random, failed } = this.options;
    const target = {
      replace: (objects: readonly T[], revision: string) => this.replace(objects, revision),
      changed: (event: WatchEvent<T>) => this.changed(event),
    };
    this.running = new Reflector({ client, select, target, clock, random, failed }).run(this.stopping.signal);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Resolves as soon as `is` holds, which is asked now and after every change; never where the informer stops before. */
  until(is: () => boolean): Promise<void> {
    if (is()) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ is, resolve }));
  }

  private replace(objects: readonly T[], revision: string): void {
    const gone = new Set(this.store.keys());
    for (const object of objects) {
      const key = keyOf(object);
      gone.delete(key);
      // Nothing may have happened to it while the watch was away.
      if (this.store.at(key)?.metadata.resourceVersion === object.metadata.resourceVersion) continue;
      this.enter(key, object);
    }
    for (const key of gone) this.remove(key);
    this.reached(revision);
    if (this.hasSynced) return;
    this.hasSynced = true;
    this.ready.resolve();
  }

  private changed({ type, object }: WatchEvent<T>): void {
    if (type === "DELETED") this.remove(keyOf(object), object);
    else this.enter(keyOf(object), object);
    this.reached(object.metadata.resourceVersion);
  }

  private reached(revision = ""): void {
    this.revision = Number(revision);
    if (this.waiters.length === 0) return;
    const left = this.waiters.filter(({ is }) => !is());
    if (left.length === this.waiters.length) return;
    const waits = new Set(left);
    const waiters = this.waiters;
    this.waiters = left;
    for (const waiter of waiters) if (!waits.has(waiter)) waiter.resolve();
  }

  private enter(key: string, object: T): void {
    const now = deepFreeze(object);
    this.tell({ key, now, was: this.store.set(key, now) });
  }

  private remove(key: string, last?: T): void {
    const was = this.store.delete(key);
    if (was) this.tell({ key, was: last ? deepFreeze(last) : was });
  }

  private tell(change: Change<T>): void {
    for (const handler of this.handlers) this.call(handler, change);
  }

  private call(handler: ChangeHandler<T>, change: Change<T>): void {
    try {
      handler(change);
    } catch (error) {
      this.options.failed?.(error);
    }
  }
}
