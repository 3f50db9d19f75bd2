/** The objects that an informer has seen, by key and by index. */
import type { KubeObject } from "../../api/object.ts";

/** `namespace/name`, or the name alone of cluster-scoped objects. */
export function keyOf({ metadata: { namespace, name = "" } }: KubeObject): string {
  return namespace ? `${namespace}/${name}` : name;
}

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf("/");
  return { namespace: slash < 0 ? "" : key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The values under which an object is found; none leaves it out of the index. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Reads of what an informer holds. Objects are frozen and shared. */
export interface Lister<T extends KubeObject> {
  get(namespace: string, name: string): T | undefined;
  /** In no order. */
  list(namespace?: string): T[];
  /** Those that the index of that name finds by `value`. */
  by(index: string, value: string): T[];
  readonly size: number;
}

const NAMESPACE = "namespace";

export class ObjectStore<T extends KubeObject> implements Lister<T> {
  private readonly objects = new Map<string, T>();
  private readonly functions = new Map<string, IndexFunction<T>>();
  private readonly indexes = new Map<string, Map<string, Map<string, T>>>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.addIndex(NAMESPACE, ({ metadata }) => (metadata.namespace ? [metadata.namespace] : []));
    for (const name of Object.keys(indexes)) this.addIndex(name, indexes[name]!);
  }

  get size(): number {
    return this.objects.size;
  }

  addIndex(name: string, of: IndexFunction<T>): void {
    if (this.functions.has(name)) return;
    this.functions.set(name, of);
    this.indexes.set(name, new Map());
    for (const [key, object] of this.objects) this.enter(name, of, key, object);
  }

  get(namespace: string, name: string): T | undefined {
    return this.objects.get(namespace === "" ? name : `${namespace}/${name}`);
  }

  list(namespace?: string): T[] {
    return namespace ? this.by(NAMESPACE, namespace) : [...this.objects.values()];
  }

  by(index: string, value: string): T[] {
    const found = this.indexes.get(index);
    if (!found) throw new Error(`there is no index ${index}`);
    return [...(found.get(value)?.values() ?? [])];
  }

  keys(): IterableIterator<string> {
    return this.objects.keys();
  }

  at(key: string): T | undefined {
    return this.objects.get(key);
  }

  /** Returns what was there before. */
  set(key: string, object: T): T | undefined {
    const was = this.objects.get(key);
    if (was) this.leaveAll(key, was);
    this.objects.set(key, object);
    for (const [name, of] of this.functions) this.enter(name, of, key, object);
    return was;
  }

  delete(key: string): T | undefined {
    const was = this.objects.get(key);
    if (!was) return undefined;
    this.leaveAll(key, was);
    this.objects.delete(key);
    return was;
  }

  private enter(name: string, of: IndexFunction<T>, key: string, object: T): void {
    const index = this.indexes.get(name)!;
    for (const value of of(object)) {
      const bucket = index.get(value);
      if (bucket) bucket.set(key, object);
      else index.set(value, new Map([[key, object]]));
    }
  }

  private leaveAll(key: string, object: T): void {
    for (const [name, of] of this.functions) {
      const index = this.indexes.get(name)!;
      for (const value of of(object)) {
        const bucket = index.get(value);
        bucket?.delete(key);
        if (bucket?.size === 0) index.delete(value);
      }
    }
  }
}
