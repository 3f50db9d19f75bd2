/**
 * The open watches of one resource, found by what they can match: one object, one namespace, one value of an indexed
 * field, or everything. An event is offered only to watchers that one of its buckets names.
 */
import type { CacheEvent } from "./cache-event.ts";
import type { Selection } from "./selection.ts";

/** One client's watch. `offer` must not throw and must not block. */
export interface Watcher {
  readonly selection: Selection;
  /** It takes the objects themselves. */
  readonly shares?: boolean;
  offer(event: CacheEvent): void;
  /** Everything up to `revision` has been offered. */
  progressed(revision: number): void;
  /** No more events will come, and some may have been missed. */
  failed(error: Error): void;
  /** The server stops: the client goes on elsewhere from what it has seen. */
  end(): void;
}

type Bucket = Set<Watcher>;

export class Watchers {
  private readonly all: Bucket = new Set();
  private readonly everything: Bucket = new Set();
  private readonly byNamespace = new Map<string, Bucket>();
  private readonly byName = new Map<string, Bucket>();
  private readonly byField: Map<string, Bucket>[] = [];

  /** How many take the objects themselves. */
  sharing = 0;

  get size(): number {
    return this.all.size;
  }

  add(watcher: Watcher): void {
    this.all.add(watcher);
    if (watcher.shares) this.sharing++;
    const [map, key] = this.place(watcher.selection);
    if (!map) this.everything.add(watcher);
    else {
      const bucket = map.get(key);
      if (bucket) bucket.add(watcher);
      else map.set(key, new Set([watcher]));
    }
  }

  delete(watcher: Watcher): void {
    if (!this.all.delete(watcher)) return;
    if (watcher.shares) this.sharing--;
    const [map, key] = this.place(watcher.selection);
    if (!map) {
      this.everything.delete(watcher);
      return;
    }
    const bucket = map.get(key);
    bucket?.delete(watcher);
    if (bucket?.size === 0) map.delete(key);
  }

  [Symbol.iterator](): IterableIterator<Watcher> {
    return this.all[Symbol.iterator]();
  }

  offer(event: CacheEvent): void {
    if (this.all.size === 0) return;
    for (const watcher of this.everything) watcher.offer(event);
    const { object, was } = event;
    if (this.byName.size > 0) offerTo(this.byName.get(object.name), event);
    if (this.byNamespace.size > 0) offerTo(this.byNamespace.get(object.namespace), event);
    for (let i = 0; i < this.byField.length; i++) {
      const index = this.byField[i];
      if (!index || index.size === 0) continue;
      const value = object.facets.fields[i]!;
      offerTo(index.get(value), event);
      const old = was?.facets.fields[i];
      if (old !== undefined && old !== value) offerTo(index.get(old), event);
    }
  }

  private place({ name, trigger, namespace }: Selection): [Map<string, Bucket> | undefined, string] {
    if (name !== undefined) return [this.byName, name];
    if (trigger) {
      this.byField[trigger.field] ??= new Map();
      return [this.byField[trigger.field], trigger.value];
    }
    return namespace === "" ? [undefined, ""] : [this.byNamespace, namespace];
  }
}

function offerTo(bucket: Bucket | undefined, event: CacheEvent): void {
  if (bucket) for (const watcher of bucket) watcher.offer(event);
}
