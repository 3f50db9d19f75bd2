/** Puts one object into the store: the last step of every verb that changes something. */
import { apiVersionOf, type KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { stringify } from "../../machinery/json/json.ts";
import { StatusError, tooLarge } from "../../machinery/status/status-error.ts";
import {
  type Entry,
  type Outcome,
  type Revision,
  StoreUnavailable,
  ValueTooLarge,
} from "../../store/store.ts";
import { CachedObject, cacheKey, facetsOf, shapeOf, spliceRevision } from "../watch-cache/cached-object.ts";
import { knownObjects } from "../watch-cache/resource-cache.ts";
import { Slab } from "../watch-cache/slab.ts";
import { type Registry, storeKey } from "./registry.ts";

/** Bytes on their way to the store, which forgets them soon. */
const storedBytes = new Slab();

/** The bytes the store keeps: apiVersion, kind and metadata first, without resourceVersion. */
export function encodeStored(resource: Resource, object: KubeObject): Uint8Array {
  object.metadata.resourceVersion = undefined;
  const { prefix } = shapeOf(resource);
  let text = stringify(object);
  if (!text.startsWith(prefix)) {
    const { apiVersion: _, kind: __, metadata, ...rest } = object;
    text = stringify({ apiVersion: apiVersionOf(resource), kind: resource.kind, metadata, ...rest });
  }
  return storedBytes.encode(text);
}

/** The object as a client reads it, from its stored bytes. */
export function cachedFrom(
  resource: Resource,
  key: string,
  stored: Uint8Array,
  object: KubeObject,
  revision: Revision,
): CachedObject {
  const shape = shapeOf(resource);
  const facets = knownObjects.get(stored)?.facets ?? facetsOf(shape, object);
  return new CachedObject(key, revision, spliceRevision(shape, stored, revision), facets, shape);
}

export type Written = { won: true; object: CachedObject } | { won: false; now: CachedObject | undefined };

/** Compare and swap of an object; `expect` 0 creates. */
export async function writeObject(
  registry: Registry,
  resource: Resource,
  object: KubeObject,
  stored: Uint8Array,
  expect: Revision,
): Promise<Written> {
  const { namespace = "", name = "" } = object.metadata;
  knownObjects.set(stored, { facets: facetsOf(shapeOf(resource), object), object });
  const outcome = await stores(() =>
    registry.store.write({
      key: storeKey(resource, namespace, name),
      value: stored,
      expect,
      ttl: resource.ttl?.(object),
    }),
  );
  if (outcome.won) {
    if (registry.store.latest === undefined) await heard(registry, outcome.at);
    return {
      won: true,
      object: settled(registry, resource, cacheKey(namespace, name), stored, object, outcome.at),
    };
  }
  return lost(registry, resource, outcome.now);
}

/** Compare and swap of nothing: the object goes. The answer's revision is that of the delete. */
export async function deleteStored(
  registry: Registry,
  resource: Resource,
  current: CachedObject,
): Promise<{ won: true; at: Revision } | { won: false; now: CachedObject | undefined }> {
  const key = storeKey(resource, current.namespace, current.name);
  const outcome = await stores(() => registry.store.write({ key, expect: current.revision }));
  if (!outcome.won) return lost(registry, resource, outcome.now);
  if (registry.store.latest === undefined) await heard(registry, outcome.at);
  return outcome;
}

/** Milliseconds that an answer waits for the cache at the most. */
const HEARING = 1000;

/**
 * Over etcd the cache hears of a write later than its client could. The client's next request is checked against the
 * cache (accounts, roles, quotas, namespaces), which therefore must know of this one.
 */
async function heard(registry: Registry, at: Revision): Promise<void> {
  const late = new AbortController();
  const cancel = registry.setTimer(HEARING, () => late.abort());
  await registry.cache.reachedBefore(at, late.signal);
  cancel();
}

/** Over an embedded store the cache has the object already, bytes and all. */
function settled(
  registry: Registry,
  resource: Resource,
  key: string,
  stored: Uint8Array,
  object: KubeObject,
  at: Revision,
): CachedObject {
  const cached = registry.cache.cache(resource).get(key);
  return cached?.revision === at ? cached : cachedFrom(resource, key, stored, object, at);
}

function lost(registry: Registry, resource: Resource, now: Entry | undefined) {
  return { won: false as const, now: now && registry.cache.cache(resource).cached(now) };
}

async function stores(write: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof ValueTooLarge) throw tooLarge(`Request entity too large: ${error.message}`);
    if (!(error instanceof StoreUnavailable)) throw error;
    if (error.maybe)
      throw new StatusError("Timeout", "etcdserver: request timed out", undefined, undefined, error);
    throw new StatusError(
      "InternalError",
      `the store cannot take the write: ${error.message}`,
      undefined,
      undefined,
      error,
    );
  }
}

const VERSION = '"resourceVersion":""'.length;

/**
 * Whether what is to be stored is what `current` is: its bytes, or the same members in another order (clients and
 * defaults write them in orders of their own, which never changes the length).
 */
export function isUnchanged(current: CachedObject, stored: Uint8Array, object: KubeObject): boolean {
  const at = current.shape.prefix.length;
  const spliced = VERSION + String(current.revision).length + 1;
  if (current.json.length !== stored.length + spliced) return false;
  const old = Buffer.from(current.json.buffer, current.json.byteOffset, current.json.length);
  if (old.compare(stored, at, stored.length, at + spliced) === 0) return true;
  const { metadata, ...rest } = current.object;
  // Which version the object is based on is not stored.
  const { resourceVersion } = object.metadata;
  return deepEqual({ ...rest, metadata: { ...metadata, resourceVersion } }, object);
}
