/**
 * Follows the store with one watch and keeps every resource in memory, all at one revision.
 *
 *   store ── changes ──▶ WatchCache ── by key prefix ──▶ ResourceCache ──▶ observers, watchers
 *
 * Over an embedded store the cache is never behind what has been acknowledged. Over etcd it may be; `fresh` waits.
 */
import type { KubeObject } from "../../api/object.ts";
import type { ObjectReader } from "../../api/ports.ts";
import type { Resource } from "../../api/resource.ts";
import { timeout } from "../../machinery/status/status-error.ts";
import type { Change, Revision, Store, Watch } from "../../store/store.ts";
import { type CachedObject, cacheKey } from "./cached-object.ts";
import { type HistoryBounds, ResourceCache } from "./resource-cache.ts";

const REGISTRY = "/registry/";
/** The first key behind everything that starts with /registry/. */
const REGISTRY_END = "/registry0";

/** Where the objects of a resource lie in the store. */
export function storePrefix(resource: Resource): string {
  return `${REGISTRY}${resource.storagePrefix}/`;
}

/** Milliseconds until a load that failed is tried again. */
const RELOAD_AFTER = 500;

/** Milliseconds after which a lagging watch is asked again, and how often before a read fails. */
const ASK_EVERY = 100;
const ASK_TIMES = 30;

interface Waiter {
  revision: Revision;
  resolve: () => void;
}

export class WatchCache implements ObjectReader {
  private readonly store: Store;
  private readonly bounds: HistoryBounds;
  private readonly byResource = new Map<Resource, ResourceCache>();
  private readonly caches = new Map<string, ResourceCache>();
  private readonly byPrefix = new Map<string, ResourceCache>();
  private waiters: Waiter[] = [];
  private moved: (() => void) | undefined;
  private watch: Watch | undefined;
  private closed = false;
  /** Everything up to this revision is in the cache. */
  revision: Revision = 0;

  constructor(store: Store, resources: readonly Resource[], bounds: HistoryBounds) {
    this.store = store;
    this.bounds = bounds;
    for (const resource of resources) if (!resource.virtual) this.add(resource);
  }

  cache(resource: Resource): ResourceCache {
    const known = this.byResource.get(resource);
    if (known) return known;
    // A reference to a kind that is not the declaration itself names the same cache.
    const cache = this.caches.get(`${resource.plural}.${resource.group}`);
    if (!cache) throw new Error(`no cache for ${resource.plural}.${resource.group}`);
    return cache;
  }

  /** Loads everything and starts to follow. */
  async start(): Promise<void> {
    await this.load();
  }

  /** Resolves once the cache has reached what is newest now; at once over an embedded store. */
  fresh(): Promise<void> | undefined {
    if (this.store.latest !== undefined) return undefined;
    return this.store.current().then((revision) => this.catchUp(revision));
  }

  /** What else was written to the store (by others, beside /registry) tells a watch nothing: it has to be asked for. */
  private async catchUp(revision: Revision): Promise<void> {
    for (let asked = 0; this.revision < revision; asked++) {
      if (this.closed || asked === ASK_TIMES)
        throw timeout("the watch cache did not catch up with the store", 1);
      this.watch?.askProgress?.();
      await this.reachedBefore(revision, AbortSignal.timeout(ASK_EVERY));
    }
  }

  /** Resolves once `revision` is in the cache. */
  reached(revision: Revision): Promise<void> | undefined {
    if (this.revision >= revision) return undefined;
    return new Promise((resolve) => this.waiters.push({ revision, resolve }));
  }

  /** As `reached`, but gives up (false) when `signal` says so. */
  async reachedBefore(revision: Revision, signal: AbortSignal): Promise<boolean> {
    if (this.revision >= revision) return true;
    return new Promise((resolve) => {
      const waiter = { revision, resolve: () => resolve(true) };
      this.waiters.push(waiter);
      signal.addEventListener(
        "abort",
        () => {
          this.waiters = this.waiters.filter((w) => w !== waiter);
          resolve(false);
        },
        { once: true },
      );
    });
  }

  /** Calls `moved` once, when the revision next changes. One may wait at a time. */
  whenMoved(moved: () => void): void {
    this.moved = moved;
  }

  get<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): T | undefined {
    const found = this.cache(resource as unknown as Resource).get(cacheKey(namespace, name));
    return found?.object as T | undefined;
  }

  *list<T extends KubeObject>(resource: Resource<T>, namespace?: string): Iterable<T> {
    const found: T[] = [];
    const { objects } = this.cache(resource as unknown as Resource);
    const [from, to] = namespace ? [`${namespace}/`, `${namespace}0`] : ["", ""];
    objects.visit(from, to, (object) => {
      found.push(object.object as T);
      return true;
    });
    yield* found;
  }

  observe<T extends KubeObject>(
    resource: Resource<T>,
    seen: (now: T | undefined, was: T | undefined) => void,
    having?: string,
  ): { close(): void } {
    const tell = (now: CachedObject | undefined, was: CachedObject | undefined): void =>
      seen(now?.object as T | undefined, was?.object as T | undefined);
    return { close: this.cache(resource as unknown as Resource).observe(tell, having) };
  }

  endWatches(): void {
    for (const cache of this.byPrefix.values()) for (const watcher of [...cache.watchers]) watcher.end();
  }

  close(): void {
    this.closed = true;
    this.watch?.close();
    for (const { resolve } of this.waiters) resolve();
    this.waiters = [];
  }

  private add(resource: Resource): void {
    const prefix = storePrefix(resource);
    const cache = new ResourceCache(resource, this.bounds, prefix);
    this.byResource.set(resource, cache);
    this.caches.set(`${resource.plural}.${resource.group}`, cache);
    this.byPrefix.set(prefix, cache);
  }

  private async load(): Promise<void> {
    const at = await this.store.current();
    for (const [prefix, cache] of this.byPrefix) {
      const { entries } = await this.store.range({ from: prefix, to: `${prefix.slice(0, -1)}0` }, { at });
      cache.load(entries, at);
    }
    this.advance(at);
    this.watch = await this.store.watch({ from: REGISTRY, to: REGISTRY_END }, at, {
      changed: (changes, to) => this.changed(changes, to),
      progressed: (to) => this.advance(to),
      failed: (error) => this.failed(error),
    });
  }

  private changed(changes: readonly Change[], to: Revision): void {
    for (const change of changes) this.cacheOf(change.key)?.apply(change);
    this.advance(to);
  }

  private advance(to: Revision): void {
    if (to < this.revision) return;
    if (this.moved && to > this.revision) {
      const { moved } = this;
      this.moved = undefined;
      moved();
    }
    this.revision = to;
    if (this.waiters.length === 0) return;
    const ready = this.waiters.filter((waiter) => waiter.revision <= to);
    this.waiters = this.waiters.filter((waiter) => waiter.revision > to);
    for (const { resolve } of ready) resolve();
  }

  /** Keys are `/registry/<prefix>/…` where a prefix may itself have a slash (`services/specs`). */
  private cacheOf(key: string): ResourceCache | undefined {
    const first = key.indexOf("/", REGISTRY.length) + 1;
    const known = this.byPrefix.get(key.slice(0, first));
    if (known) return known;
    return this.byPrefix.get(key.slice(0, key.indexOf("/", first) + 1));
  }

  /** The store lost the thread: every watcher must list anew, and so must the cache. */
  private failed(error: Error): void {
    if (this.closed) return;
    for (const cache of this.byPrefix.values()) {
      for (const watcher of [...cache.watchers]) watcher.failed(error);
    }
    this.load().catch((cause: unknown) => {
      setTimeout(() => this.failed(cause as Error), RELOAD_AFTER).unref();
    });
  }
}
