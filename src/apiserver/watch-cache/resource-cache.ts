/**
 * All objects of one resource, newest first in line: the read path of the API server.
 *
 * `objects` is an immutable sorted map; `history` keeps the last steps with the map as it was after each, so that a
 * list at an older revision and a watch from one are answered without the store.
 */

import type { KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { parseJSON } from "../../machinery/json/json.ts";
import type { Change, Entry, Revision } from "../../store/store.ts";
import { atRevision, CacheEvent } from "./cache-event.ts";
import { CachedObject, type Facets, facetsOf, type Shape, shapeOf, spliceRevision } from "./cached-object.ts";
import { LabelIndex } from "./label-index.ts";
import { OrderedMap } from "./ordered-map.ts";
import { selects } from "./selection.ts";
import { type Watcher, Watchers } from "./watchers.ts";

/** What this process knows of bytes that it has just encoded, so that they need not be parsed again. */
export interface KnownObject {
  facets: Facets;
  /** The object that was encoded; nobody changes it from then on. */
  object: KubeObject;
}

export const knownObjects = new WeakMap<Uint8Array, KnownObject>();

interface Step {
  event: CacheEvent;
  after: OrderedMap<CachedObject>;
}

/** How much history a resource keeps. */
export interface HistoryBounds {
  events: number;
}

export type ObjectObserver = (now: CachedObject | undefined, was: CachedObject | undefined) => void;

interface Observer {
  seen: ObjectObserver;
  /** The selectable field that an object must have for the observer, as its place in Shape.fieldNames. */
  having: number | undefined;
}

export class ResourceCache {
  readonly resource: Resource;
  readonly shape: Shape;
  readonly watchers = new Watchers();
  private readonly labels = new LabelIndex();
  objects = new OrderedMap<CachedObject>();
  /** Changes that the store has told, for metrics. */
  received = 0;
  private readonly byKey = new Map<string, CachedObject>();
  private readonly observers = new Set<Observer>();
  private history: Step[] = [];
  /** Watches and exact lists from before this revision are Expired. */
  private since: Revision = 0;
  private readonly bounds: HistoryBounds;
  private readonly prefix: string;

  constructor(resource: Resource, bounds: HistoryBounds, prefix: string) {
    this.resource = resource;
    this.shape = shapeOf(resource);
    this.bounds = bounds;
    this.prefix = prefix;
  }

  get(key: string): CachedObject | undefined {
    return this.byKey.get(key);
  }

  /** The newest objects with a value of a label, in no order; undefined where a scan is as good. */
  withLabel(key: string, value: string): ReadonlySet<CachedObject> | undefined {
    return this.labels.find(key, value, this.byKey.values());
  }

  observe(seen: ObjectObserver, having?: string): () => void {
    const field = having === undefined ? undefined : this.shape.fieldNames.indexOf(having);
    const observer: Observer = { seen, having: field };
    for (const object of this.byKey.values()) tell(observer, object, undefined);
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** Replaces everything with a page of the store; watches cannot be served from before `at`. */
  load(entries: readonly Entry[], at: Revision): void {
    const loaded = entries.map((entry) => this.cached(entry));
    this.objects = OrderedMap.fromSorted(loaded.map((object) => [object.key, object] as const));
    this.byKey.clear();
    this.labels.clear();
    for (const object of loaded) this.byKey.set(object.key, object);
    this.history = [];
    this.since = at;
    for (const observer of this.observers) for (const object of loaded) tell(observer, object, undefined);
  }

  apply(change: Change): void {
    this.received++;
    const key = change.key.slice(this.prefix.length);
    const was = this.byKey.get(key);
    let event: CacheEvent;
    if (change.now) {
      const object = this.cached(change.now);
      this.byKey.set(key, object);
      this.objects = this.objects.set(key, object);
      event = new CacheEvent(change.at, object, was, false);
    } else {
      if (!was) return;
      this.byKey.delete(key);
      this.objects = this.objects.delete(key);
      event = new CacheEvent(change.at, atRevision(was, change.at), was, true);
    }
    this.remember({ event, after: this.objects });
    this.labels.changed(event.deleted ? undefined : event.object, was);
    for (const observer of this.observers) tell(observer, event.deleted ? undefined : event.object, was);
    this.watchers.offer(event);
    event.told();
    // What is history is hardly ever looked at again, and its bytes are there.
    if (was) was.parsed = undefined;
  }

  /** The objects as of `revision`, or undefined where the history does not reach back. */
  at(revision: Revision): OrderedMap<CachedObject> | undefined {
    if (revision < this.since) return undefined;
    const { history } = this;
    let low = 0;
    let high = history.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (history[middle]!.event.at <= revision) low = middle + 1;
      else high = middle;
    }
    if (low === history.length) return this.objects;
    if (low > 0) return history[low - 1]!.after;
    return this.undo(history[0]!);
  }

  /**
   * Adds a watcher that has seen everything up to `after`: offers it what came since, then every change as it comes.
   * Returns the oldest revision that can be watched from where `after` is older.
   */
  watch(watcher: Watcher, after: Revision): Revision | undefined {
    if (after < this.since) return this.since;
    for (const { event } of this.history) {
      if (event.at > after && concerns(watcher, event)) watcher.offer(event);
    }
    this.watchers.add(watcher);
    return undefined;
  }

  private undo({ event, after }: Step): OrderedMap<CachedObject> {
    return event.was ? after.set(event.was.key, event.was) : after.delete(event.object.key);
  }

  private remember(step: Step): void {
    this.history.push(step);
    // Trimmed in cuts, so that a write costs no shift of the whole array.
    const dropped = this.history.length - this.bounds.events;
    if (dropped < this.bounds.events / 8) return;
    this.since = this.history[dropped - 1]!.event.at;
    this.history = this.history.slice(dropped);
  }

  private isObserved(object: CachedObject): boolean {
    for (const { having } of this.observers) if (isSeen(object, having)) return true;
    return false;
  }

  /** An entry of the store as the cache would hold it. */
  cached(entry: Entry): CachedObject {
    const known = knownObjects.get(entry.value);
    const facets = known?.facets ?? facetsOf(this.shape, parseJSON(entry.value) as KubeObject);
    const json = spliceRevision(this.shape, entry.value, entry.modified);
    const cached = new CachedObject(
      entry.key.slice(this.prefix.length),
      entry.modified,
      json,
      facets,
      this.shape,
    );
    // Observers and informers of this process look at the object itself, so what is known of it is kept; for others the
    // bytes are enough.
    if (known && (this.watchers.sharing > 0 || this.isObserved(cached))) cached.adopt(known.object);
    // The store may go on to hold the bytes: what was known of them has served.
    if (known) knownObjects.delete(entry.value);
    return cached;
  }
}

function isSeen(object: CachedObject, having: number | undefined): boolean {
  return having === undefined || object.facets.fields[having] !== "";
}

function tell(
  { seen, having }: Observer,
  now: CachedObject | undefined,
  was: CachedObject | undefined,
): void {
  const shown = now && isSeen(now, having) ? now : undefined;
  const before = was && isSeen(was, having) ? was : undefined;
  if (shown || before) seen(shown, before);
}

/** Whether a watcher may have to be told of the event: its object matched before, or matches now. */
function concerns(watcher: Watcher, event: CacheEvent): boolean {
  if (selects(watcher.selection, event.object)) return true;
  return event.was !== undefined && selects(watcher.selection, event.was);
}
