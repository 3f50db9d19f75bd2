/**
 * Finds the objects with one value of a label, for the label keys that lists ask for. A key is indexed when it is first
 * asked for, and kept up to date from then on.
 */
import type { CachedObject } from "./cached-object.ts";

/** Keys that are indexed at once; clients of a cluster select by a handful. */
const KEYS_MAX = 16;

type Values = Map<string, Set<CachedObject>>;

export class LabelIndex {
  private readonly keys = new Map<string, Values>();

  /** The objects with `key=value`; `all` fills the index of a key that is asked for the first time. */
  find(key: string, value: string, all: Iterable<CachedObject>): ReadonlySet<CachedObject> | undefined {
    let values = this.keys.get(key);
    if (!values) {
      if (this.keys.size >= KEYS_MAX) return undefined;
      values = new Map();
      this.keys.set(key, values);
      for (const object of all) add(values, key, object);
    }
    return values.get(value) ?? NONE;
  }

  changed(now: CachedObject | undefined, was: CachedObject | undefined): void {
    for (const [key, values] of this.keys) {
      if (was) remove(values, key, was);
      if (now) add(values, key, now);
    }
  }

  clear(): void {
    this.keys.clear();
  }
}

const NONE: ReadonlySet<CachedObject> = new Set();

function add(values: Values, key: string, object: CachedObject): void {
  const value = labelOf(object, key);
  if (value === undefined) return;
  const there = values.get(value);
  if (there) there.add(object);
  else values.set(value, new Set([object]));
}

function remove(values: Values, key: string, object: CachedObject): void {
  const value = labelOf(object, key);
  const there = value === undefined ? undefined : values.get(value);
  if (!there?.delete(object) || there.size > 0) return;
  values.delete(value!);
}

function labelOf({ facets: { labels } }: CachedObject, key: string): string | undefined {
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
