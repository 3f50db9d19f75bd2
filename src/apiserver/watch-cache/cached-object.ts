/**
 * One object at one revision, as bytes first: what a client reads is what was encoded once, when it was written.
 *
 * The store keeps an object's JSON without `metadata.resourceVersion`, because over etcd the revision is known only
 * after the commit. Every stored object starts with `{"apiVersion":"…","kind":"…","metadata":{`, so the version is
 * spliced in at an offset that is the same for all objects of a resource.
 */
import type { KubeObject } from "../../api/object.ts";
import { apiVersionOf } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { deepFreeze } from "../../machinery/json/deep-freeze.ts";
import { parseJSON } from "../../machinery/json/json.ts";
import type { Revision } from "../../store/store.ts";
import { Slab } from "./slab.ts";

/** How the objects of a resource begin, and which of their fields the cache indexes. */
export interface Shape {
  /** `{"apiVersion":"v1","kind":"Pod","metadata":{` */
  prefix: string;
  /** The length of `{"apiVersion":"v1","kind":"Pod",`: list items start behind it. */
  itemOffset: number;
  /** Where the cache's bytes come from: what is written often must not hold memory with what is not. */
  bytes: Slab;
  fieldNames: readonly string[];
  fieldOf: readonly ((object: KubeObject) => string)[];
}

const shapes = new WeakMap<Resource<never>, Shape>();

export function shapeOf(resource: Resource): Shape {
  const known = shapes.get(resource as unknown as Resource<never>);
  if (known) return known;
  const head = `{"apiVersion":${JSON.stringify(apiVersionOf(resource))},"kind":${JSON.stringify(resource.kind)},`;
  const shape: Shape = {
    prefix: `${head}"metadata":{`,
    itemOffset: head.length,
    bytes: new Slab(),
    fieldNames: Object.keys(resource.fields),
    fieldOf: Object.values(resource.fields),
  };
  shapes.set(resource as unknown as Resource<never>, shape);
  return shape;
}

/** What selectors look at, taken from an object when it enters the cache. */
export interface Facets {
  labels: Readonly<Record<string, string>> | undefined;
  /** The selectable fields' values in the order of Shape.fieldNames. */
  fields: readonly string[];
}

export function facetsOf(shape: Shape, object: KubeObject): Facets {
  const fields = new Array<string>(shape.fieldOf.length);
  for (let i = 0; i < fields.length; i++) fields[i] = shape.fieldOf[i]!(object);
  return { labels: object.metadata.labels, fields };
}

/** Inserts the resourceVersion into the stored bytes. */
export function spliceRevision(shape: Shape, stored: Uint8Array, revision: Revision): Uint8Array {
  const text = `"resourceVersion":"${revision}",`;
  const at = shape.prefix.length;
  const spliced = shape.bytes.allocate(stored.length + text.length);
  spliced.set(stored.subarray(0, at), 0);
  spliced.write(text, at, "latin1");
  spliced.set(stored.subarray(at), at + text.length);
  return spliced;
}

export class CachedObject {
  /** `namespace/name`, or the name alone where there is no namespace. */
  readonly key: string;
  readonly revision: Revision;
  /** The object as JSON, resourceVersion included. */
  readonly json: Uint8Array;
  readonly facets: Facets;
  readonly shape: Shape;
  /** The object, where it is at hand already. */
  parsed: KubeObject | undefined;

  constructor(key: string, revision: Revision, json: Uint8Array, facets: Facets, shape: Shape) {
    this.key = key;
    this.revision = revision;
    this.json = json;
    this.facets = facets;
    this.shape = shape;
  }

  /** The object itself, frozen; parsed at first use. */
  get object(): KubeObject {
    this.parsed ??= deepFreeze(parseJSON(this.json) as KubeObject);
    return this.parsed;
  }

  /** The object for one look at it, which nobody may change: it is not kept, since many may be looked at. */
  read(): KubeObject {
    return this.parsed ?? (parseJSON(this.json) as KubeObject);
  }

  /** Takes `object`, which is what the bytes say but for its revision, as its own; nobody may change it afterwards. */
  adopt(object: KubeObject): void {
    if (Object.isFrozen(object)) return;
    object.metadata.resourceVersion = String(this.revision);
    this.parsed = deepFreeze(object);
  }

  /** The bytes as they stand in a list: without apiVersion and kind. The first byte belongs to the caller: `{`. */
  get itemTail(): Uint8Array {
    return this.json.subarray(this.shape.itemOffset);
  }

  get namespace(): string {
    const slash = this.key.indexOf("/");
    return slash < 0 ? "" : this.key.slice(0, slash);
  }

  get name(): string {
    return this.key.slice(this.key.indexOf("/") + 1);
  }
}

export function cacheKey(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
